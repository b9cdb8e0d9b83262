"""Claims on the outbox: who alone may send which cells now.

A claim is a conditional UPDATE with a lease, which is given back with the outcome or runs out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, or_, select, update

from passport_lti.extensions import db
from passport_lti.models import Cell, Member
from passport_lti.sync.outbox import in_turn

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
    taken = (
        update(_TABLE)
        .where(_TABLE.c.id.in_(select(chosen.c.id)), ready(now))
        .values(claimed_by=holder, claimed_until=now + LEASE)
        .returning(*_CLAIMED)
    )
    rows = db.session.connection().execute(taken).all()
    db.session.commit()
    return [_claimed(*row) for row in rows]


_TABLE = cast(Table, Cell.__table__)
_CLAIMED = (
    Cell.id, Cell.line_item_fk,
    select(Member.sub).where(Member.id == Cell.member_fk).correlate(_TABLE).scalar_subquery(),
    Cell.member_fk, Cell.wanted_given, Cell.wanted_maximum, Cell.completed, Cell.version,
    Cell.attempts, Cell.attempted_given, Cell.sent_stamp, Cell.forced, Cell.delivered_given,
    Cell.delivered_maximum,
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
    _change(ids, holder, claimed_until=now + LEASE)


def give_back(cells: Sequence[Claimed], holder: str) -> None:
    """Release what this process still has claimed of these; commits."""
    if not cells:
        return
    _change([cell.id for cell in cells], holder, claimed_by=None, claimed_until=None)


def _change(ids: Sequence[int], holder: str, **values: Any) -> None:
    locked = in_turn(_TABLE.c.id.in_(ids), _TABLE.c.claimed_by == holder)
    ours = update(_TABLE).where(_TABLE.c.id == locked.c.id, _TABLE.c.claimed_by == holder)
    db.session.connection().execute(ours.values(values))
    db.session.commit()
