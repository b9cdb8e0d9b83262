"""Columns of ours that stand twice because others made one too: seen, explained and merged.

One column of each resource id is filled. Merging keeps the oldest and fills it with what Coursera
says; of the others only those are deleted that this tool has made itself.
"""

import logging
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import and_, case, select

from passport_lti.errors import Gone
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.models import Activity, Cell, LineItem
from passport_lti.sync import leases, outbox
from passport_lti.sync.delivery.deliver import deliver
from passport_lti.sync.delivery.outcomes import Outcomes
from passport_lti.sync.people.members import replan
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

DOUBLED = "column_doubled"
LEASE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Doubled:
    """Columns for one and the same thing, oldest first: the one to keep, and the others."""

    kept: LineItem
    others: Sequence[LineItem]

    @property
    def filled(self) -> LineItem:
        """The one that has our grades now."""
        return next(row for row in (self.kept, *self.others) if row.state != "double")


def of(activity: Activity) -> list[Doubled]:
    """The doubled columns of an activity's course in its context."""
    if activity.strategy != "granular_auto_columns":
        return []
    rows = db.session.scalars(
        select(LineItem)
        .where(
            LineItem.context_fk == activity.context_fk,
            LineItem.owner == "tool",
            LineItem.state != "gone",
            LineItem.resource_id.startswith(f"coursera:{activity.course_id}:", autoescape=True),
        )
        .order_by(LineItem.position, LineItem.id)
    )
    groups: dict[str, list[LineItem]] = {}
    for row in rows:
        groups.setdefault(row.resource_id, []).append(row)
    found = [_sorted(group) for group in groups.values() if len(group) > 1]
    return [Doubled(group[0], group[1:]) for group in found]


def merge(
    services: Services,
    app_context: Callable[[], AbstractContextManager[object]],
    activity: Activity,
    resource_id: str,
) -> None:
    """Keep the oldest of some doubled columns, fill it, then delete those that we made.

    What can't be filled now keeps its double; merging again goes on from there. Commits. Raises
    ServiceError where the platform does not delete.
    """
    context, holder = activity.context, secrets.token_hex(8)
    with leases.held(services, f"plan:{context.id}", holder, LEASE) as hold:
        db.session.expire_all()
        found = next((d for d in of(activity) if d.kept.resource_id == resource_id), None)
        if hold is None or found is None:
            return
        _move(found, services)
        kept, spare = found.kept.id, [(row.id, row.url) for row in found.others if row.made]
        deliver(services, Outcomes(), app_context, line_items=[kept])
        if _is_waiting(kept):
            log.warning("context %s: %s is not filled yet; no double deleted", context.id, kept)
            return
        service = services.platform(context.deployment.platform)
        db.session.commit()
        for row_id, url in spare:
            hold.check()
            try:
                ags.delete(service, url)
            except Gone:
                log.info("context %s: double %s was gone already", context.id, row_id)
            db.session.get_one(LineItem, row_id).state = "gone"
            db.session.commit()
    replan(context.id)
    db.session.commit()


def _move(found: Doubled, services: Services) -> None:
    """Have the oldest filled from now on: the wanted grades are due there, and no others."""
    kept, filled = found.kept, found.filled
    if kept is filled:
        return
    state = filled.state
    filled.state = "double"
    db.session.flush()
    kept.state, kept.label, kept.position = state, "", filled.position
    db.session.flush()
    there = select(Cell.member_fk).where(Cell.line_item_fk == kept.id)
    again = case(
        (Cell.wanted_given.is_(None), Cell.state),
        (Cell.state == "superseded", Cell.state),
        (Cell.reason.in_(("not_enrolled", "scale_unknown")), Cell.state),
        else_="due",
    )
    moved = and_(Cell.line_item_fk == filled.id, Cell.member_fk.not_in(there))
    now = services.clock()
    outbox.change(
        "merged",
        now,
        moved,
        line_item_fk=kept.id,
        wanted_given=Cell.wanted_given * kept.maximum / Cell.wanted_maximum,
        wanted_maximum=kept.maximum,
        state=again,
        reason=case((again == "due", None), else_=Cell.reason),
        due_at=case((again == "due", now), else_=Cell.due_at),
        delivered_given=None,
        delivered_maximum=None,
        delivered_completed=None,
        attempted_given=None,
        accepted_at=None,
        version=Cell.version + 1,
        attempts=0,
        sent_stamp=0,
    )
    db.session.commit()


def _is_waiting(line_item_id: int) -> bool:
    """Whether a grade that is wanted in this column has not arrived."""
    waiting = select(Cell.id).where(
        Cell.line_item_fk == line_item_id, Cell.state.in_(("due", "rejected"))
    )
    return db.session.scalar(waiting.limit(1)) is not None


def _sorted(rows: Sequence[LineItem]) -> list[LineItem]:
    """Oldest first: platforms count their columns up, in an address that is otherwise the same."""
    paths = {row.id: urlsplit(row.url).path for row in rows}
    if len({re.sub(r"\d+", "#", path) for path in paths.values()}) > 1:
        return sorted(rows, key=lambda row: row.id)
    return sorted(rows, key=lambda row: [int(part) for part in re.findall(r"\d+", paths[row.id])])
