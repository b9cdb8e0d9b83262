"""What was last planned from each learner's row, so that only what differs is looked at.

A mark stands for a row and for everything else that a plan depends on: a learner whose mark is
the same has no news. Of the others, the planned values say which few of their cells differ. Both
are stored together with those cells, or not at all; whoever makes cells wanted anew forgets them.
"""

import hashlib
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Table, bindparam, select, update

from passport_lti.coursera.rows import RawRow
from passport_lti.coursera.scale import Scale
from passport_lti.extensions import db, streamed
from passport_lti.models import Match
from passport_lti.sync.poll.plan import Target

CHUNK = 500
"""Rows named by one statement; older SQLite takes 999 values."""
BASIS = 8
WIDTH = 8
"""Bytes of a basis, and of a value."""


class Last(NamedTuple):
    """The match of a member, and the mark of what was last planned from it."""

    match_id: int
    mark: bytes | None


class Note(NamedTuple):
    """What is now planned from a match; None where its cells must be looked at next time."""

    match_id: int
    before: bytes | None
    """The mark that was planned from: where there is another by now, somebody else was at it."""
    mark: bytes | None
    planned: bytes | None


class Basis:
    """What all plans of a course in a context depend on besides the learner's row."""

    def __init__(
        self, targets: Sequence[Target], scale: Scale | None, *, in_progress: bool, policy: str
    ) -> None:
        self.targets = targets
        said = repr((list(targets), scale, in_progress, policy)).encode()
        self._digest = hashlib.sha256(said).digest()[:BASIS]
        self._in_progress = in_progress
        # No item is called "": what stands there is the course grade's.
        self._items = [target.item_id or "" for target in targets]
        self._finals = [place for place, item_id in enumerate(self._items) if not item_id]
        self._form = struct.Struct(f"{len(targets) + 1}d")

    def mark(self, fingerprint: bytes) -> bytes:
        """16 bytes for a row with this fingerprint on this basis."""
        return hashlib.blake2b(fingerprint, digest_size=16, key=self._digest).digest()

    def planned(self, row: RawRow) -> bytes:
        """What the targets get from a row, as Coursera gave it: a double each, NaN for nothing."""
        final = row.final if row.completed or self._in_progress else None
        grades = row.items
        values = [grades.get(item_id, math.nan) for item_id in self._items]
        if final is not None:
            for place in self._finals:
                values[place] = final
        return self._digest + self._form.pack(row.completed, *values)

    def differing(self, before: bytes | None, now: bytes) -> Sequence[Target]:
        """The targets whose cells have to be looked at."""
        if before is None or before[:BASIS] != self._digest or len(before) != len(now):
            return self.targets
        whole = before[BASIS : BASIS + WIDTH] != now[BASIS : BASIS + WIDTH]
        return [
            target
            for target, old, new in zip(self.targets, _bits(before), _bits(now), strict=True)
            if old != new or (whole and target.item_id is None)
        ]


def _bits(planned: bytes) -> memoryview:
    """The values as integers: unlike doubles, nothing is the same as nothing."""
    return memoryview(planned)[BASIS + WIDTH :].cast("Q")


def unmarked(context_id: int, program_id: str, course_id: str) -> Iterator[tuple[int, int]]:
    """Member and match id of those in a course of whom nothing is known that was planned."""
    query = select(Match.member_fk, Match.id).where(
        Match.context_fk == context_id,
        Match.program_id == program_id,
        Match.course_id == course_id,
        Match.state == "matched",
        Match.mark.is_(None),
    )
    return streamed(query)


def values(match_ids: Sequence[int]) -> Mapping[int, bytes]:
    """What was last planned from these matches, as far as that is known."""
    found: dict[int, bytes] = {}
    for some in _chunks(match_ids):
        query = select(Match.id, Match.planned).where(Match.id.in_(some))
        found |= {
            row[0]: row[1] for row in db.session.connection().execute(query) if row[1] is not None
        }
    return found


def standing(match_ids: Sequence[int]) -> set[int]:
    """Those of these matches that there are still: a person may have decided otherwise by now."""
    found: set[int] = set()
    for some in _chunks(match_ids):
        query = select(Match.id).where(Match.id.in_(some), Match.state == "matched")
        found.update(db.session.connection().scalars(query))
    return found


def note(notes: Sequence[Note]) -> None:
    """Store what is planned now, but where another mark was stored meanwhile. Flushes only."""
    if notes:
        rows = [dict(zip(_NOTED, each, strict=True)) for each in notes]
        db.session.connection().execute(_NOTE, rows)


def forget(context_id: int) -> None:
    """Cells of a context are wanted anew: look at all of them at the next poll. Flushes only."""
    _forget(Match.context_fk == context_id)


def forget_members(context_id: int, course_id: str, members: Sequence[int]) -> None:
    """The same for these members' cells of a course, whichever program reports it."""
    here = Match.context_fk == context_id, Match.course_id == course_id
    for some in _chunks(members):
        _forget(*here, Match.member_fk.in_(some))


def _forget(*where: ColumnElement[bool]) -> None:
    db.session.execute(
        update(Match)
        .where(*where, Match.mark.is_not(None))
        .values(mark=None, planned=None)
        .execution_options(synchronize_session=False)
    )


_TABLE = cast(Table, Match.__table__)
_NOTED = ("b_id", "b_before", "b_mark", "b_planned")
_NOTE = (
    update(_TABLE)
    .where(
        _TABLE.c.id == bindparam("b_id"),
        _TABLE.c.mark.is_not_distinct_from(bindparam("b_before")),
    )
    .values(mark=bindparam("b_mark"), planned=bindparam("b_planned"))
)


def _chunks(ids: Sequence[int]) -> Iterator[Any]:
    for first in range(0, len(ids), CHUNK):
        yield ids[first : first + CHUNK]
