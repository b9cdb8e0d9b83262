"""What is noted of cells that are claimed: what is about to be sent, and what became of it.

Outcomes are recorded only by the claim that made them, and only for the value that was sent:
where a newer one is wanted by now, the cell stays due.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    column,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from passport_lti.extensions import db
from passport_lti.models import Cell
from passport_lti.sync import history
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.outbox import in_turn

Arrival = tuple[Claimed, int]
"""A cell whose value the column holds, and the stamp it was sent with, or was sent with before."""


def attempt(cells: Sequence[Claimed], holder: str) -> list[Claimed]:
    """Note what is about to be sent, so that a lost answer is recognised later; commits.

    Returns the cells to send: of one that should hold something else by now, the older value is
    not sent any more.
    """
    if not cells:
        return []
    noted = _noted("attempt", [(cell, 0) for cell in cells], holder)
    db.session.commit()
    return [cell for cell in cells if cell.id in noted]


def recognised(cell: Claimed, holder: str, given: float, now: datetime) -> None:
    """A score whose answer was lost did arrive: the column holds our points; commits."""
    ours = and_(Cell.id == cell.id, Cell.claimed_by == holder)
    history.keep("recognised", now, ours, Cell.delivered_given.is_distinct_from(given))
    db.session.execute(
        update(Cell)
        .where(ours)
        .values(delivered_given=given, delivered_maximum=cell.maximum)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def delivered(arrivals: Sequence[Arrival], holder: str, now: datetime) -> None:
    """The column holds these values now. A newer wanted value stays due; commits."""
    if not arrivals:
        return
    recorded = _noted("delivered", arrivals, holder, now=now)
    others = {cell.id: (cell, stamp) for cell, stamp in arrivals if cell.id not in recorded}
    if others:
        newer = db.session.scalars(
            select(Cell.id).where(Cell.id.in_(others), Cell.claimed_by == holder)
        ).all()
        for id in newer:
            _overtaken(*others[id], holder, now)
        # The next delivery would hide that these values stood in the gradebook for a while.
        history.keep_all(history.QUIET, now, newer)
    db.session.commit()


def _noted(what: str, cells: Sequence[Arrival], holder: str, **values: Any) -> set[int]:
    """Note it of those that are ours and should still hold what was claimed; returns their ids."""
    connection = db.session.connection()
    statement = _statements(connection.dialect.name)[what]
    named = [(cell.id, cell.version, max(stamp, cell.stamp)) for cell, stamp in cells]
    found = connection.execute(statement, {"named": named, "holder": holder, **values})
    return set(found.scalars())


_TABLE = cast(Table, Cell.__table__)


@cache
def _statements(dialect: str) -> dict[str, ReturningUpdate[Any]]:
    """For any number of cells the same words, which are prepared once: the cells are one value."""
    listed = func.json_each if dialect == "sqlite" else func.json_array_elements
    each = listed(bindparam("named", type_=JSON)).table_valued(column("value", JSON), name="named")
    id, version, stamp = (each.c.value[place].as_integer() for place in range(3))
    cell = _TABLE.c
    ours = cell.id == id, cell.claimed_by == bindparam("holder")
    theirs = update(_TABLE).where(*ours, cell.version == version)
    if dialect == "postgresql":
        theirs = theirs.where(cell.id == in_turn(*ours).c.id)
    arrived = {
        **_ARRIVED, "delivered_given": func.coalesce(cell.wanted_given, 0.0),
        "delivered_maximum": cell.wanted_maximum, "delivered_completed": cell.completed,
        "accepted_at": bindparam("now", type_=cell.accepted_at.type), "sent_stamp": stamp,
        "state": "delivered", "reason": None, "due_at": None, "forced": False,
    }  # fmt: skip
    return {
        "attempt": theirs.values(attempted_given=cell.wanted_given).returning(cell.id),
        "delivered": theirs.values(arrived).returning(cell.id),
    }


_ARRIVED = {"attempted_given": None, "attempts": 0, "claimed_by": None, "claimed_until": None}


def _overtaken(cell: Claimed, stamp: int, holder: str, now: datetime) -> None:
    """A value has arrived while a newer one is wanted."""
    db.session.execute(
        update(Cell)
        .where(Cell.id == cell.id, Cell.claimed_by == holder)
        .values(
            delivered_given=cell.given,
            delivered_maximum=cell.maximum,
            delivered_completed=cell.completed,
            accepted_at=now,
            sent_stamp=max(stamp, cell.stamp),
            **_ARRIVED,
        )
        .execution_options(synchronize_session=False)
    )


def postponed(
    cell: Claimed,
    holder: str,
    reason: str,
    due_at: datetime,
    now: datetime,
    stamp: int,
    *,
    counts: bool = True,
) -> None:
    """Not now: the same cell is tried again at `due_at`; commits.

    One that was rejected before stays so until it arrives. A try `counts` unless the platform as a
    whole was to blame.
    """
    _keep("waiting", reason, now, cell, holder, Cell.reason.is_distinct_from(reason))
    _finish(
        cell,
        holder,
        reason=_unless_newer(cell, reason, Cell.reason),
        due_at=_unless_newer(cell, due_at, Cell.due_at),
        sent_stamp=max(stamp, cell.stamp),
        attempts=Cell.attempts + int(counts),
    )


def settled(
    cell: Claimed,
    holder: str,
    state: str,
    reason: str,
    due_at: datetime | None,
    now: datetime,
    stamp: int = 0,
) -> None:
    """Held or rejected, with the reason; `due_at` is the next try, if there is one. Commits."""
    other = or_(Cell.state != state, Cell.reason.is_distinct_from(reason))
    _keep(state, reason, now, cell, holder, other)
    _finish(
        cell,
        holder,
        state=_unless_newer(cell, state, Cell.state),
        reason=_unless_newer(cell, reason, Cell.reason),
        due_at=_unless_newer(cell, due_at, Cell.due_at),
        sent_stamp=max(stamp, cell.stamp),
        attempts=Cell.attempts + 1,
    )


def _unless_newer(cell: Claimed, value: Any, stays: Any) -> Any:
    return case((Cell.version == cell.version, value), else_=stays)


def _keep(
    cause: str,
    reason: str,
    now: datetime,
    cell: Claimed,
    holder: str,
    other: ColumnElement[bool],
) -> None:
    """Keep what a cell was where an outcome is another one than that of its last try."""
    ours = (Cell.id == cell.id, Cell.claimed_by == holder, Cell.version == cell.version)
    history.keep(cause, now, *ours, other, because=reason)


def _finish(cell: Claimed, holder: str, **values: Any) -> None:
    """Record an outcome and end the claim, where it is still ours; commits."""
    db.session.execute(
        update(Cell)
        .where(Cell.id == cell.id, Cell.claimed_by == holder)
        .values(claimed_by=None, claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
