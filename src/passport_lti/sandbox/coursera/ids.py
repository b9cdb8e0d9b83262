"""Identifiers of Coursera's shapes: 22 characters for big things, 5 for what is inside a course."""

import random
import re
import string

_PLAIN = string.ascii_letters + string.digits
_URL_SAFE = _PLAIN + "-_"


class Ids:
    """A source of identifiers; the same seed gives the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._given: set[str] = set()

    def long(self) -> str:
        """22 characters, such as an organisation, a program or a course has."""
        return self._new(_URL_SAFE, 22)

    def short(self) -> str:
        """5 letters and digits, such as a module, a lesson or an item has."""
        return self._new(_PLAIN, 5)

    def secret(self, length: int) -> str:
        return self._new(_PLAIN, length)

    def keep(self, identifier: str) -> str:
        """An identifier from outside; it is never made again. Raises ValueError if it exists."""
        if identifier in self._given:
            raise ValueError(f"the id {identifier} exists already")
        self._given.add(identifier)
        return identifier

    def _new(self, alphabet: str, length: int) -> str:
        while True:
            middle = "".join(self._random.choices(alphabet, k=length - 2))
            found = self._random.choice(_PLAIN) + middle + self._random.choice(_PLAIN)
            if found not in self._given:
                self._given.add(found)
                return found


def slug(name: str) -> str:
    """A name as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "untitled"
