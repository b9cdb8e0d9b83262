"""Whose Coursera row is whose membership. Pure; never a guess.

A row belongs to the one member that a person confirmed, else to the one whom Coursera was told to
call so, else to the one that the first fruitful rule of `match_by` names. Where external ids are
a rule, the last one is by what a member was called when they first went to Coursera. Two
candidates, or two rows for one member by the same rule: nobody's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Learner(Protocol):
    """A person as Coursera's report names them; the external id may be an e-mail."""

    @property
    def external_id(self) -> str: ...
    @property
    def email(self) -> str: ...


class Identity(NamedTuple):
    """What a platform says of a member, as far as matching needs it; empty: not known.

    `known_as` is the external id of the member's first way to Coursera; with `is_told` it is what
    Coursera itself was told.
    """

    member_id: int
    external_id: str = ""
    email: str = ""
    confirmed: str | None = None
    known_as: str | None = None
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """`members`: external id of a row -> (member id, rule). The rest is left to a person."""

    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    ambiguous: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()


def match(
    learners: Iterable[Learner],
    identities: Sequence[Identity],
    match_by: Sequence[str],
    taken: Collection[str] = (),
) -> Matching:
    """Decide for every row; comparisons ignore case.

    `taken` are the keys of rows that were confirmed for somebody, here or elsewhere on the
    platform: where that person is not among the `identities`, no rule gives the row to another.
    """
    index = _Index(identities)
    claims: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    ambiguous: dict[str, tuple[int, ...]] = {}
    unmatched: list[str] = []
    known = ("told", *match_by, *(["known_as"] if "external_id" in match_by else []))
    for learner in learners:
        rules = ("confirmed",) if key(learner.external_id) in taken else ("confirmed", *known)
        found = ((rank, rule, index.candidates(rule, learner)) for rank, rule in enumerate(rules))
        rank, rule, candidates = next((hit for hit in found if hit[2]), (0, "", set()))
        if not candidates:
            unmatched.append(learner.external_id)
        elif len(candidates) > 1:
            ambiguous[learner.external_id] = tuple(sorted(candidates))
        else:
            claims[next(iter(candidates))].append((rank, rule, learner.external_id))
    torn = {member for members in ambiguous.values() for member in members}
    members: dict[str, tuple[int, str]] = {}
    for member, rows in claims.items():
        best = min(rank for rank, _, _ in rows)
        first = [(rule, row) for rank, rule, row in rows if rank == best]
        settled = len(first) == 1 and member not in torn
        for rank, rule, row in rows:
            if rank > best:
                unmatched.append(row)
            elif settled:
                members[row] = (member, _SAID.get(rule, rule))
            else:
                ambiguous[row] = (member,)
    return Matching(members, ambiguous, tuple(unmatched))


_SAID = {"told": "external_id", "known_as": "external_id"}
"""How a rule is called to people."""


Members = dict[str, tuple[int, ...]]
"""Those who go by a name; tuples, as a hundred thousand sets would fill the memory."""


class _Index:
    """Members by confirmed row, external id and e-mail."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self.confirmed: Members = {}
        self.external_id: Members = {}
        self.email: Members = {}
        self.told: Members = {}
        self.known_as: Members = {}
        for identity in identities:
            if identity.confirmed:
                _add(self.confirmed, identity.confirmed, identity)
                continue
            if identity.known_as:
                known = self.told if identity.is_told else self.known_as
                _add(known, identity.known_as, identity)
            if identity.external_id:
                _add(self.external_id, identity.external_id, identity)
            if identity.email:
                _add(self.email, identity.email, identity)

    def candidates(self, rule: str, learner: Learner) -> Collection[int]:
        external_id = key(learner.external_id)
        if rule == "confirmed":
            return self.confirmed.get(external_id, ())
        if rule == "told":
            # Somebody else who could be known by the same word makes it unclear again.
            told = self.told.get(external_id, ())
            others = (self.external_id, self.email)
            return told and {*told, *(m for by in others for m in by.get(external_id, ()))}
        if rule in ("external_id", "known_as"):
            by = self.external_id if rule == "external_id" else self.known_as
            return by.get(external_id, ())
        # Coursera repeats the e-mail as external id where the organisation gave none.
        addresses = {key(learner.email), external_id if "@" in external_id else ""} - {""}
        return {member for address in addresses for member in self.email.get(address, ())}


def _add(members: Members, name: str, identity: Identity) -> None:
    place = key(name)
    members[place] = (*members.get(place, ()), identity.member_id)


def key(text: str) -> str:
    """What two spellings of one external id or e-mail address have in common."""
    return text.strip().casefold()
