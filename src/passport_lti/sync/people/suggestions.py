"""Who might be whom, of those that matching left over on either side. Pure; it decides nothing.

The same question in both directions: for each of some people the likeliest of some others, by an
address that both have, else by the likeness of their names and of the names in their addresses.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from passport_lti.coursera.rows import key

LEAST = 75
"""Likeness in per cent below which two names are not worth a person's time."""
ROUGH = 50
"""The same for the first look, which tells initials from names no better than strangers."""
FEW = 30
"""How many of the first look are compared with care."""

Why = Literal["address", "name", "address_like"]


@dataclass(frozen=True, slots=True)
class Named:
    """A person of either side: the name, and e-mail addresses or ids; empty ones don't count."""

    key: int | str
    name: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Somebody it might be; `likeness` is 1 to 100, `why` is what it was found by."""

    key: int | str
    likeness: int
    why: Why


def suggestions(
    people: Sequence[Named], among: Sequence[Named], *, most: int = 3
) -> dict[int | str, tuple[Suggestion, ...]]:
    """For each of these people up to `most` of the others, the likeliest first.

    Whoever has nobody likely is left out.
    """
    pool = _Pool(among)
    found = {person.key: tuple(pool.likely(person)[:most]) for person in people}
    return {person: likely for person, likely in found.items() if likely}


class _Pool:
    """Those to choose from, by address and by spelling."""

    def __init__(self, among: Sequence[Named]) -> None:
        self.by_address: dict[str, set[int | str]] = {}
        self.spellings: list[str] = []
        self.owners: list[tuple[int | str, Why]] = []
        for person in among:
            for address in filter(None, map(key, person.addresses)):
                self.by_address.setdefault(address, set()).add(person.key)
            for spelling, why in _spellings(person):
                self.spellings.append(spelling)
                self.owners.append((person.key, why))

    def likely(self, person: Named) -> list[Suggestion]:
        best: dict[int | str, tuple[int, Why]] = {}
        shared = {
            other
            for address in filter(None, map(key, person.addresses))
            for other in self.by_address.get(address, ())
        }
        for spelling, own_why in _spellings(person):
            close = process.extract(
                spelling, self.spellings, scorer=fuzz.token_set_ratio, processor=None,
                limit=FEW, score_cutoff=ROUGH,
            )  # fmt: skip
            for theirs, _, place in close:
                other, why = self.owners[place]
                both_names = own_why == why == "name"
                if other in shared and not both_names:
                    continue
                likeness = _likeness(spelling, theirs)
                if likeness >= LEAST and likeness > best.get(other, (0, "name"))[0]:
                    best[other] = (likeness, "name" if both_names else "address_like")
        # Of several with the same address, the one who is also called the same comes first.
        ranked = sorted(
            {*best, *shared}, key=lambda o: (o not in shared, -best.get(o, (0, ""))[0], str(o))
        )
        return [
            Suggestion(other, 100, "address")
            if other in shared
            else Suggestion(other, *best[other])
            for other in ranked
        ]


def _likeness(one: str, other: str) -> int:
    """0 to 99: a missing middle name or an initial costs something, a missing surname a lot."""
    one_words, other_words = one.split(), other.split()
    spelled = _spelled_out(one_words, other_words), _spelled_out(other_words, one_words)
    if None in spelled:
        return 0
    cost = 1.0 if spelled == (one_words, other_words) else 0.9
    one, other = (" ".join(words or ()) for words in spelled)
    whole = fuzz.token_sort_ratio(one, other)
    shared = fuzz.token_set_ratio(one, other) if " " in one and " " in other else whole
    joined = fuzz.ratio(one.replace(" ", ""), other.replace(" ", ""))
    return min(99, round(cost * max((whole + shared) / 2, joined)))


def _spelled_out(words: list[str], by: list[str]) -> list[str] | None:
    """These words with initials replaced by names of the other side; None where one fits none.

    A middle initial that the other side leaves out may stay, a name's only other word may not.
    """
    found: list[str] = []
    for word in words:
        names = [name for name in by if name.startswith(word)] if len(word) == 1 else [word]
        if not names and len(words) < 3:
            return None
        found.append(names[0] if names else word)
    return found if any(len(word) > 1 for word in words) else None


def _spellings(person: Named) -> list[tuple[str, Why]]:
    """The name, and what the e-mail addresses say of it, in plain small letters."""
    found: dict[str, Why] = {_plain(person.name): "name"}
    for address in person.addresses:
        local, at, _ = address.partition("@")
        words = _plain(re.sub(r"\d", " ", local)) if at else ""
        if len(words) > 2:
            found.setdefault(words, "address_like")
    return [(spelling, why) for spelling, why in found.items() if spelling]


def _plain(text: str) -> str:
    """Without accents, marks and capitals, words apart by one blank."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())
