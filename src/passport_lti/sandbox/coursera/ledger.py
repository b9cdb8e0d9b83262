"""What was asked of the practice Coursera: tests count it, people read it."""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One request; status 0 means that it was left without an answer."""

    kind: str
    path: str
    query: str
    status: int


class Arrival(NamedTuple):
    """Somebody who came to a program's page, with the parameters of the address."""

    path: str
    parameters: Mapping[str, str]
