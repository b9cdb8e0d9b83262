"""Who is who in a course, as last found: kept for the pages and the status."""

import itertools
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from passport_lti.coursera.rows import key
from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import STREAMED, db, streamed
from passport_lti.grades import Course
from passport_lti.models import Context, Match, UnmatchedLearner
from passport_lti.sync import holds

CHUNK = 500
"""Rows named by one statement; older SQLite takes 999 values."""


def store(
    context: Context,
    course: Course,
    found: Sweep,
    *,
    present: Iterable[int],
    forgotten: Collection[str],
) -> None:
    """Remember who is who, and who is left over, for the pages and the status.

    What `matching` has decided is in the scratch database; only what is not stored yet is written.
    Of those who are `present`, and of those whose row is now another's, the cells that a lost row
    fed are withdrawn. A row that Coursera reports no more is not lost: its grades stand. Who is
    left over and `forgotten` is not written down. `stored_members` in the scratch database keeps
    the matches as they were, the mark of each as `kept`.
    """
    place = {
        "context_fk": context.id, "program_id": found.program_id, "course_id": course.id,
    }  # fmt: skip
    base = found.scratch
    base.create_function("key", 1, key, deterministic=True)
    names = ("member_fk", "external_id", "name", "state", "by")
    _follow(base, Match, place, "members", names, kept="mark")
    if base.execute("SELECT 1 FROM old WHERE state = 'matched' LIMIT 1").fetchone():
        base.execute("CREATE TEMP TABLE present (member INTEGER PRIMARY KEY)")
        base.executemany("INSERT INTO present VALUES (?)", ((one,) for one in present))
        for some in _chunks(base.execute(_LOST), CHUNK):
            lost = [member for (member,) in some]
            holds.withdraw(context.id, course.id, lost, found.read_at)
        base.execute("DROP TABLE present")
    _follow(
        base, UnmatchedLearner, place, "strangers", ("external_id", "name", "state"),
        forgotten=forgotten,
    )  # fmt: skip


_LOST = """
SELECT o.member_fk FROM old o LEFT JOIN learners l ON l.key = key(o.external_id)
LEFT JOIN verdicts v ON v.learner = l.id AND v.state = 'matched'
WHERE o.state = 'matched' AND v.member IS NOT o.member_fk AND (
    v.member IS NOT NULL
    OR EXISTS (SELECT 1 FROM verdicts x WHERE x.member = o.member_fk AND x.state = 'matched')
    OR (l.id IS NOT NULL AND EXISTS (SELECT 1 FROM present p WHERE p.member = o.member_fk))
)"""
"""The members whose row of the last time is another's now, nobody's, or not their only one."""


def _follow(
    base: sqlite3.Connection,
    table: type[Match | UnmatchedLearner],
    place: Mapping[str, Any],
    view: str,
    names: Sequence[str],
    *,
    kept: str = "id",
    forgotten: Iterable[str] = (),
) -> None:
    """Bring a course's stored rows in line with a view.

    `names`: the key, which is unique in a course, and the values. Leaves `stored_...` with the
    rows as they were, their ids and what is `kept` of them, and `old`, those that had to change.
    """
    stored, listed = f"stored_{view}", ", ".join(names)
    for name in ("wanted", "old", stored):
        base.execute(f"DROP TABLE IF EXISTS {name}")
    base.execute(f"CREATE TABLE wanted AS SELECT {listed} FROM {view}")
    base.executemany("DELETE FROM wanted WHERE external_id = ?", ((row,) for row in forgotten))
    base.execute(f"CREATE TABLE {stored} AS SELECT *, 0 AS id, x'' AS kept FROM wanted LIMIT 0")
    columns = [getattr(table, name) for name in (*names, "id", kept)]
    here = [getattr(table, name) == value for name, value in place.items()]
    query = select(*columns).where(*here)
    marks = ", ".join("?" * len(columns))
    base.executemany(f"INSERT INTO {stored} VALUES ({marks})", streamed(query))
    for name in ("wanted", stored):
        base.execute(f"CREATE INDEX {name}_key ON {name} ({names[0]})")
    same = [f"one.{names[0]} = other.{names[0]}", *(f"one.{n} IS other.{n}" for n in names[1:])]
    unlike = f"one WHERE NOT EXISTS (SELECT 1 FROM {{}} other WHERE {' AND '.join(same)})"
    base.execute(f"CREATE TABLE old AS SELECT * FROM {stored} {unlike.format('wanted')}")
    for some in _chunks(base.execute("SELECT id FROM old"), CHUNK):
        db.session.execute(delete(table).where(table.id.in_([number for (number,) in some])))
    new = base.execute(f"SELECT {listed} FROM wanted {unlike.format(stored)}")
    for some in _chunks(new, STREAMED):
        db.session.execute(
            table.__table__.insert(),  # type: ignore[attr-defined]
            [{**place, **dict(zip(names, row, strict=True))} for row in some],
        )


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, size)):
        yield chunk
