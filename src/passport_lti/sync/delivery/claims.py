"""Claims on the outbox: who may send which cells now, and what became of them.

A claim is a conditional UPDATE with a lease. Outcomes are recorded only by the claim that made
them, and only for the value that was sent: where a newer one is wanted by now, the cell stays due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Table,
    Update,
    and_,
    bindparam,
    case,
    or_,
    select,
    tuple_,
    update,
)

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


Arrival = tuple[Claimed, int]
"""A cell whose value the column holds, and the stamp it was sent with, or was sent with before."""


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
    taken = db.session.scalars(
        update(Cell)
        .where(Cell.id.in_(select(chosen.c.id)), ready(now))
        .values(claimed_by=holder, claimed_until=now + LEASE)
        .returning(Cell.id)
        .execution_options(synchronize_session=False)
    ).all()
    rows = db.session.execute(
        select(*_CLAIMED).join(Member, Member.id == Cell.member_fk).where(Cell.id.in_(taken))
    ).all()
    db.session.commit()
    return [_claimed(*row) for row in rows]


_CLAIMED = (
    Cell.id, Cell.line_item_fk, Member.sub, Cell.member_fk, Cell.wanted_given, Cell.wanted_maximum,
    Cell.completed, Cell.version, Cell.attempts, Cell.attempted_given, Cell.sent_stamp, Cell.forced,
    Cell.delivered_given, Cell.delivered_maximum,
)  # fmt: skip


def _claimed(*row: Any) -> Claimed:
    *values, given, maximum = row
    id, line_item, sub, member, wanted, scale, completed, version, attempts, *others = values
    attempted, stamp, forced = others
    delivered = given / maximum if given is not None and maximum else None
    return Claimed(
        id, line_item, sub, member, wanted or 0.0, scale, completed, version, attempts,
        delivered, attempted, stamp, forced,
    )  # fmt: skip


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


def attempt(cells: Sequence[Claimed], holder: str) -> list[Claimed]:
    """Note what is about to be sent, so that a lost answer is recognised later; commits.

    Returns the cells to send: of one that should hold something else by now, the older value is
    not sent any more.
    """
    if not cells:
        return []
    ours = and_(Cell.id.in_([cell.id for cell in cells]), Cell.claimed_by == holder)
    current = tuple_(Cell.id, Cell.version).in_([(cell.id, cell.version) for cell in cells])
    noted = db.session.scalars(
        update(Cell)
        # The ids alone as well: SQLite looks up no index for pairs.
        .where(ours, current)
        .values(attempted_given=Cell.wanted_given)
        .returning(Cell.id)
        .execution_options(synchronize_session=False)
    )
    ids = set(noted)
    db.session.commit()
    return [cell for cell in cells if cell.id in ids]


def delivered(arrivals: Sequence[Arrival], holder: str, now: datetime) -> None:
    """The column holds these values now. A newer wanted value stays due; commits."""
    if not arrivals:
        return
    values = [_arrival(*arrival, holder) for arrival in arrivals]
    if _executed(_DELIVERED, values, now) < len(values):
        ids = [cell.id for cell, _ in arrivals]
        newer = db.session.scalars(
            select(Cell.id).where(Cell.id.in_(ids), Cell.claimed_by == holder)
        ).all()
        _executed(_OVERTAKEN, [value for value in values if value["b_id"] in newer], now)
        # The next delivery would hide that these values stood in the gradebook for a while.
        history.keep_all(history.QUIET, now, newer)
    db.session.commit()


_TABLE = cast(Table, Cell.__table__)
_OURS = (_TABLE.c.id == bindparam("b_id"), _TABLE.c.claimed_by == bindparam("b_holder"))
_OVERTAKEN = (
    update(_TABLE)
    .where(*_OURS)
    .values(
        delivered_given=bindparam("b_given"),
        delivered_maximum=bindparam("b_maximum"),
        delivered_completed=bindparam("b_completed"),
        attempted_given=None,
        accepted_at=bindparam("b_now"),
        sent_stamp=bindparam("b_stamp"),
        attempts=0,
        claimed_by=None,
        claimed_until=None,
    )
)
_DELIVERED = _OVERTAKEN.where(_TABLE.c.version == bindparam("b_version")).values(
    state="delivered", reason=None, due_at=None, forced=False
)


def _arrival(cell: Claimed, stamp: int, holder: str) -> dict[str, Any]:
    return {
        "b_id": cell.id,
        "b_holder": holder,
        "b_version": cell.version,
        "b_given": cell.given,
        "b_maximum": cell.maximum,
        "b_completed": cell.completed,
        "b_stamp": max(stamp, cell.stamp),
    }


def _executed(statement: Update, values: Sequence[dict[str, Any]], now: datetime) -> int:
    """How many rows these many executions have changed."""
    if not values:
        return 0
    rows = [{**value, "b_now": now} for value in values]
    return db.session.connection().execute(statement, rows).rowcount


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


def give_back(cells: Sequence[Claimed], holder: str) -> None:
    """Release what this process still has claimed of these; commits."""
    ids = [cell.id for cell in cells]
    db.session.execute(
        update(Cell)
        .where(Cell.id.in_(ids), Cell.claimed_by == holder)
        .values(claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
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
    """Record an outcome and end the claim, where it is still ours; commits."""
    db.session.execute(
        update(Cell)
        .where(Cell.id == cell.id, Cell.claimed_by == holder)
        .values(claimed_by=None, claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
