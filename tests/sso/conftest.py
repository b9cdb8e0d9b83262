"""Worlds whose learners are signed in by SAML."""

from collections.abc import Iterator

import pytest

from saml import SamlWorld
from worlds import opened


@pytest.fixture
def world() -> Iterator[SamlWorld]:
    with opened(kind=SamlWorld, sso="saml") as world:
        yield world


@pytest.fixture(scope="module")
def lasting() -> Iterator[SamlWorld]:
    """One for all tests of a file that leave nothing behind."""
    with opened(kind=SamlWorld, sso="saml") as world:
        yield world
