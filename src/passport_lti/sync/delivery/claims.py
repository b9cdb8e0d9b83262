"""Claims on the outbox: who may send which cells now, and what became of them.

A claim is a conditional UPDATE with a lease. Outcomes are recorded only by the claim that made
them, and only for the value that was sent: where a newer one is wanted by now, the cell stays due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update

from passport_lti.extensions import db
from passport_lti.models import Cell, Member
from passport_lti.sync import history

LEASE = timedelta(seconds=15)
"""A worker that died gives its claims back after this time; one that lives renews them."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A cell that this process alone may send now."""

    id: int
    line_item_id: int
    sub: str
    member_id: int
    given: float
    maximum: float
    completed: bool
    version: int
    attempts: int
    delivered: float | None
    """What the column held after our last delivery, as a fraction."""
    attempted: float | None
    """The points of an earlier call whose outcome may be unknown."""
    stamp: int
    forced: bool


def ready(now: datetime) -> Any:
    """The condition for a cell to be sent now: its time has come and nobody else has it."""
    return and_(
        Cell.state.in_(("due", "rejected")),
        Cell.due_at <= now,
        or_(Cell.claimed_until.is_(None), Cell.claimed_until < now),
    )


def claim(line_item_id: int, holder: str, now: datetime, *, limit: int) -> list[Claimed]:
    """Take up to `limit` cells of a column for this process alone; commits."""
    chosen = (
        select(Cell.id)
        .where(Cell.line_item_fk == line_item_id, ready(now))
        .order_by(Cell.due_at, Cell.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
        # Once: PostgreSQL may run a subquery for each row, and find other free cells each time.
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    db.session.execute(
        update(Cell)
        .where(Cell.id.in_(select(chosen.c.id)), ready(now))
        .values(claimed_by=holder, claimed_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    rows = db.session.execute(
        select(Cell, Member.sub)
        .join(Member, Member.id == Cell.member_fk)
        .where(Cell.claimed_by == holder, Cell.line_item_fk == line_item_id)
        .execution_options(populate_existing=True)
    ).all()
    claimed = [_claimed(cell, sub) for cell, sub in rows]
    db.session.commit()
    return claimed


def _claimed(cell: Cell, sub: str) -> Claimed:
    delivered = None
    if cell.delivered_given is not None and cell.delivered_maximum:
        delivered = cell.delivered_given / cell.delivered_maximum
    return Claimed(
        id=cell.id,
        line_item_id=cell.line_item_fk,
        sub=sub,
        member_id=cell.member_fk,
        given=cell.wanted_given or 0.0,
        maximum=cell.wanted_maximum,
        completed=cell.completed,
        version=cell.version,
        attempts=cell.attempts,
        delivered=delivered,
        attempted=cell.attempted_given,
        stamp=cell.sent_stamp,
        forced=cell.forced,
    )


def renew(holder: str, ids: Sequence[int], now: datetime) -> None:
    """Keep the claims of a living worker; commits."""
    db.session.execute(
        update(Cell)
        .where(Cell.id.in_(ids), Cell.claimed_by == holder)
        .values(claimed_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


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


def attempt(cells: Sequence[Claimed]) -> None:
    """Note what is about to be sent, so that a lost answer is recognised later; commits."""
    if cells:
        db.session.execute(
            update(Cell)
            .where(Cell.id.in_([cell.id for cell in cells]))
            .values(attempted_given=Cell.wanted_given)
            .execution_options(synchronize_session=False)
        )
        db.session.commit()


def delivered(cell: Claimed, holder: str, now: datetime, stamp: int) -> None:
    """The column holds this value now. A newer wanted value stays due; commits."""
    arrived = {
        "delivered_given": cell.given,
        "delivered_maximum": cell.maximum,
        "delivered_completed": cell.completed,
        "attempted_given": None,
        "accepted_at": now,
        "sent_stamp": max(stamp, cell.stamp),
        "attempts": 0,
    }
    done = {"state": "delivered", "reason": None, "due_at": None, "forced": False}
    current = _write(cell, holder, Cell.version == cell.version, **arrived, **done)
    if not current and _write(cell, holder, **arrived):
        # The next delivery would hide that this value stood in the gradebook for a while.
        history.keep(history.QUIET, now, Cell.id == cell.id)
    db.session.commit()


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


def give_back(holder: str) -> None:
    """Release whatever this process still has claimed; commits."""
    db.session.execute(
        update(Cell).where(Cell.claimed_by == holder).values(claimed_by=None, claimed_until=None)
    )
    db.session.commit()


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
    _write(cell, holder, **values)
    db.session.commit()


def _write(cell: Claimed, holder: str, *where: ColumnElement[bool], **values: Any) -> bool:
    """Record an outcome and end the claim; False where the claim was not ours any more."""
    done = db.session.execute(
        update(Cell)
        .where(Cell.id == cell.id, Cell.claimed_by == holder, *where)
        .values(claimed_by=None, claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
