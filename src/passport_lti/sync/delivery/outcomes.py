"""What became of scores: counted, compared, and noted on columns and contexts."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from passport_lti.extensions import db
from passport_lti.models import Context, LineItem
from passport_lti.sync import holds
from passport_lti.sync.people.members import replan

PARKED = timedelta(days=1)
SAME = 1e-4
"""Points on a scale of 100 below which two values are one; gradebooks keep five decimals."""


@dataclass
class Outcomes:
    """What became of the scores of one delivery, counted; `shares` by the platform they went to."""

    sent: int = 0
    delivered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    is_crowded: bool = False
    """Whether other processes made all the calls that a platform's limit allows."""
    shares: dict[int, "Outcomes"] = field(default_factory=dict)
    _whole: "Outcomes | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, sent: bool = False, delivered: bool = False, reason: str = "") -> None:
        with self._lock:
            self.sent += sent
            self.delivered += delivered
            if reason:
                self.reasons[reason] += 1
        if self._whole is not None:
            self._whole.count(sent=sent, delivered=delivered, reason=reason)

    def note_crowd(self) -> None:
        self.is_crowded = True
        if self._whole is not None:
            self._whole.note_crowd()

    def share(self, platform_id: int) -> "Outcomes":
        """What counts for one platform and for the whole."""
        return self.shares.setdefault(platform_id, Outcomes(_whole=self))


@dataclass(frozen=True, slots=True)
class Column:
    """A line item with something due, detached from the database."""

    id: int
    url: str
    context_id: int
    platform_id: int
    due: int
    """Cells to be sent when it was looked for columns."""


def same(one: float, other: float) -> bool:
    return abs(one - other) * 100 < SAME


def lose_column(column: Column, now: datetime) -> None:
    line_item = db.session.get(LineItem, column.id)
    if line_item is not None and line_item.state != "gone":
        line_item.state = "gone"
        holds.hold_column(column.id, now)
        if line_item.owner == "platform":
            # The platform makes another one when the activity is saved: look for it.
            line_item.context.line_items_read_at = None
            replan(line_item.context_fk)
        db.session.commit()


def doubt_roster(column: Column) -> None:
    """A member is not gradable: the roster may have changed, so read it at the next poll."""
    context = db.session.get(Context, column.context_id)
    if context is not None and context.roster_read_at is not None:
        context.roster_read_at = None
        db.session.commit()
