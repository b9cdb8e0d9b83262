"""Each fault strikes a world of its own."""

from collections.abc import Iterator

import pytest

from worlds import World, opened


@pytest.fixture
def world() -> Iterator[World]:
    with opened() as world:
        yield world
