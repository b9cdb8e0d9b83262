"""Who is who in a course, as last found: kept for the pages and the status."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.models import Context, Match, UnmatchedLearner
from passport_lti.sync import outbox
from passport_lti.sync.people.matching import Matching, key

STREAMED = 2_000
"""Rows that are in memory at a time while they are compared."""
CHUNK = 500
"""Rows deleted by one statement; older SQLite takes 999 values."""


def store(
    context: Context,
    course: Course,
    found: Sweep,
    matching: Matching,
    *,
    present: Collection[int],
    forgotten: Collection[str],
) -> None:
    """Remember who is who, and who is left over, for the pages and the status.

    Writes only what is not stored yet. Of those who are `present`, and of those whose row is now
    another's, the cells that a lost row fed are withdrawn. A row that Coursera reports no more is
    not lost: its grades stand. Who is left over and `forgotten` is not written down.
    """
    place = {
        "context_fk": context.id, "program_id": found.program_id, "course_id": course.id,
    }  # fmt: skip
    names = {learner.external_id: learner.full_name[:255] for learner in found.learners}
    rows: dict[Any, tuple[str | None, ...]] = {
        member: (row, names.get(row, ""), "ambiguous", None)
        for row, candidates in matching.ambiguous.items()
        for member in candidates
    }
    for row, (member, rule) in matching.members.items():
        rows[member] = row, names.get(row, ""), "matched", rule
    other = _follow(Match, place, ("member_fk", "external_id", "name", "state", "by"), rows)
    before = {
        member: key(str(row)) for member, (row, _, state, _) in other.items() if state == "matched"
    }
    lost = _lost(before, matching, {key(row) for row in names}, present)
    outbox.withdraw(context.id, course.id, lost, found.read_at)
    strangers: dict[Any, tuple[str | None, ...]] = {
        row: (names.get(row, ""), state)
        for left_over, state in (
            (matching.unmatched, "unmatched"),
            (matching.ambiguous, "ambiguous"),
        )
        for row in left_over
        if row not in forgotten
    }
    _follow(UnmatchedLearner, place, ("external_id", "name", "state"), strangers)


def _lost(
    before: Mapping[int, str],
    matching: Matching,
    reported: Collection[str],
    present: Collection[int],
) -> list[int]:
    """The members whose row of the last time is another's now, nobody's, or not their only one.

    `before`: the rows of those for whom anything is not as it was.
    """
    owners = {key(row): member for row, (member, _) in matching.members.items()}
    now = {member: row for row, member in owners.items()}
    return [
        member
        for member, row in before.items()
        if now.get(member) != row
        and (member in now or row in owners or (member in present and row in reported))
    ]


def _follow(
    table: type[Match | UnmatchedLearner],
    place: Mapping[str, Any],
    names: Sequence[str],
    wanted: Mapping[Any, tuple[str | None, ...]],
) -> dict[Any, tuple[str | None, ...]]:
    """Bring a course's rows in line; returns those that had to change, as they were.

    `names`: the key and the values.
    """
    here = [getattr(table, name) == value for name, value in place.items()]
    columns = [getattr(table, name) for name in names]
    query = select(table.id, *columns).where(*here).execution_options(yield_per=STREAMED)
    old, other, same = [], {}, set()
    for row_id, each, *values in db.session.execute(query):
        if wanted.get(each) == tuple(values):
            same.add(each)
        else:
            old.append(row_id)
            other[each] = tuple(values)
    for first in range(0, len(old), CHUNK):
        db.session.execute(delete(table).where(table.id.in_(old[first : first + CHUNK])))
    new = [
        {**place, **dict(zip(names, (each, *values), strict=True))}
        for each, values in wanted.items()
        if each not in same
    ]
    if new:
        db.session.execute(table.__table__.insert(), new)  # type: ignore[attr-defined]
    return other
