"""The outbox: cells that should hold another value than they were last seen to hold.

A newer value before delivery is the same row with a newer value. Who may send it, and what became
of it, is `delivery.claims` and `delivery.recording`; `holds` follows columns and people.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Table,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

from passport_lti.extensions import db
from passport_lti.models import Cell
from passport_lti.sync import history
from passport_lti.sync.poll.plan import Change, Known

SKEW = timedelta(seconds=30)
"""Machines that share the work may differ by this much."""
CHUNK = 400
"""Cells named by one statement; older SQLite takes 999 values."""

Pair = tuple[int, int]
"""Line item and member: the name of a cell."""


def known(line_items: Sequence[int], members: Sequence[int]) -> dict[Pair, Known]:
    """What the cells of these members in these columns were last wanted to hold."""
    return _known(Cell.line_item_fk.in_(line_items), Cell.member_fk.in_(members))


def known_of(pairs: Sequence[Pair]) -> dict[Pair, Known]:
    """The same for single cells."""
    found: dict[Pair, Known] = {}
    for some in _named(pairs):
        found |= _known(*some)
    return found


def _known(*where: ColumnElement[bool]) -> dict[Pair, Known]:
    rows = db.session.connection().execute(
        select(
            Cell.line_item_fk, Cell.member_fk, Cell.wanted_given, Cell.wanted_maximum,
            Cell.completed, Cell.reason, Cell.coursera_at, Cell.id, Cell.state,
        ).where(*where)
    )  # fmt: skip
    return {
        # A superseded cell is wanted anew, whatever it held.
        (r[0], r[1]): Known(None if r[8] == "superseded" else r[2], r[3], r[4], r[5], r[6], r[7])
        for r in rows
    }


def enqueue(
    changes: Sequence[Change], known: Mapping[Pair, Known], read_at: datetime, now: datetime
) -> int:
    """Store new wanted values; returns how many cells changed. Flushes only.

    `known` has the cells that there are already.

    A value read earlier never replaces one that was read later. One that was read in the future
    was not: our clock has gone back since.
    """
    new, existing = [], []
    for change in changes:
        value, before = _row(change, read_at), known.get((change.line_item_id, change.member_id))
        if before is None:
            new.append(value)
        else:
            existing.append({"id": before.cell_id, **value})
    if new:
        fresh = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(_TABLE)
        db.session.connection().execute(fresh.on_conflict_do_nothing(), new)
    if not existing:
        return len(new)
    ids = [value["id"] for value in existing]
    history.keep_all("read", read_at, ids, _is_not_newer(read_at, now))
    return len(new) + _rewrite(existing, read_at, now)


_TABLE = cast(Table, Cell.__table__)


def _named(pairs: Sequence[Pair]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Conditions that name these cells so that every database looks them up by their index.

    PostgreSQL joins them to its unique index. From a list of members it would read the whole column
    for each part of a large course, until it has gathered statistics about that.
    """
    if db.engine.dialect.name == "postgresql":
        for first in range(0, len(pairs), CHUNK):
            line_items, members = zip(*pairs[first : first + CHUNK], strict=True)
            asked = func.unnest(
                sql_cast(line_items, ARRAY(Integer)), sql_cast(members, ARRAY(Integer))
            )
            names = asked.table_valued("line_item", "member", joins_implicitly=True)
            wanted = names.render_derived()
            yield Cell.line_item_fk == wanted.c.line_item, Cell.member_fk == wanted.c.member
        return
    by_column: dict[int, list[int]] = defaultdict(list)
    for line_item, member in pairs:
        by_column[line_item].append(member)
    for line_item, all_of_them in by_column.items():
        for first in range(0, len(all_of_them), CHUNK):
            some = all_of_them[first : first + CHUNK]
            yield Cell.line_item_fk == line_item, Cell.member_fk.in_(some)


def _is_not_newer(read_at: datetime, now: datetime) -> ColumnElement[bool]:
    return or_(Cell.read_at.is_(None), Cell.read_at <= read_at, Cell.read_at > now + SKEW)


def _row(change: Change, read_at: datetime) -> dict[str, Any]:
    # Nothing was recorded after it was read: a Coursera whose clock is ahead would make all
    # that follows look old.
    recorded = min(change.coursera_at, read_at) if change.coursera_at else None
    return {
        "line_item_fk": change.line_item_id,
        "member_fk": change.member_id,
        "wanted_given": change.given,
        "wanted_maximum": change.maximum,
        "completed": change.completed,
        "state": "held" if change.reason else "due",
        "reason": change.reason,
        "due_at": None if change.reason else read_at,
        "coursera_at": recorded,
        "read_at": read_at,
        "version": 1,
        "attempts": 0,
        "forced": False,
        "sent_stamp": 0,
    }


def _rewrite(values: Sequence[Mapping[str, Any]], read_at: datetime, now: datetime) -> int:
    """Give standing cells their new wanted value, all in one executemany; returns how many."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.id == bindparam("b_id"),
            # SQLite gives an id again once its cell is gone.
            _TABLE.c.line_item_fk == bindparam("b_line_item_fk"),
            _TABLE.c.member_fk == bindparam("b_member_fk"),
            _is_not_newer(read_at, now),
        )
        .values(
            **{name: bindparam(f"b_{name}") for name in _REWRITTEN},
            read_at=read_at,
            version=_TABLE.c.version + 1,
            attempts=0,
        )
    )
    # By their ids, as deliveries go (`in_turn`).
    values = sorted(values, key=itemgetter("id"))
    rows = [{f"b_{name}": v[name] for name in (*_NAMES, *_REWRITTEN)} for v in values]
    return db.session.connection().execute(statement, rows).rowcount


_NAMES = ("id", "line_item_fk", "member_fk")
_REWRITTEN = (
    "wanted_given", "wanted_maximum", "completed", "state", "reason", "due_at", "coursera_at",
)  # fmt: skip


def in_turn(*where: ColumnElement[bool], key_stays: bool = True) -> CTE:
    """The ids of these cells, each locked before the next.

    Whoever changes many cells goes by their ids, as a plan does: in two orders, PostgreSQL would
    find two who wait for each other, and fail one of them. Who gives a cell another column says
    that its key does not stay: a row of the history that names the cell is waited for at once.
    """
    cells = select(_TABLE.c.id).where(*where).order_by(_TABLE.c.id)
    locked = cells.with_for_update(of=_TABLE, key_share=key_stays).cte("locked")
    return locked.prefix_with("MATERIALIZED", dialect="postgresql")


def change(cause: str, now: datetime, *where: ColumnElement[bool], **values: Any) -> None:
    """Keep what these cells are (`history.CAUSES`), and give them other values. Flushes only."""
    reason = values.get("reason")
    _lock(*where, key_stays="line_item_fk" not in values)
    history.keep(cause, now, *where, because=reason if isinstance(reason, str) else None)
    _set(*where, **values)


def hurry(line_items: Sequence[int] | None, now: datetime) -> None:
    """A person asked: forget our own back-off of cells; commits."""
    waiting = [Cell.state == "due", Cell.due_at > now]
    if line_items is not None:
        waiting.append(Cell.line_item_fk.in_(line_items))
    _lock(*waiting)
    _set(*waiting, due_at=now)
    db.session.commit()


def _lock(*where: ColumnElement[bool], key_stays: bool = True) -> None:
    """SQLite has one writer; elsewhere these cells are ours from now on."""
    if db.engine.dialect.name != "sqlite":
        db.session.execute(select(func.count()).select_from(in_turn(*where, key_stays=key_stays)))


def _set(*where: ColumnElement[bool], **values: Any) -> None:
    quietly = {"synchronize_session": False}
    db.session.execute(update(Cell).where(*where).values(values), execution_options=quietly)
