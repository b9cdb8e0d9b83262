"""Line items: found by resource id, bound to their activities, and made where they are ours.

The platform never makes a POST idempotent, so columns are listed before any is made, by one
process at a time in a context, and listed again where an answer was lost.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, select, update

from passport_lti.errors import Rejected, ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Column, Course, Owner
from passport_lti.lti import ags
from passport_lti.models import Activity, Cell, Context, LineItem
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import adoption, history, making
from passport_lti.sync.plan import Target
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

PATIENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column of an activity, and the line item that stands for it, if there is one."""

    activity: Activity
    column: Column
    line_item: LineItem | None


def wanted(activities: Sequence[Activity], course: Course) -> list[Wanted]:
    """What the activities of one course in one context want; shared columns once each."""
    found: list[Wanted] = []
    shared: set[str] = set()
    for activity in activities:
        for column in STRATEGIES[activity.strategy].columns(course, activity.choice):
            if column.owner is Owner.TOOL:
                if column.resource_id in shared:
                    continue
                shared.add(column.resource_id)
            found.append(Wanted(activity, column, _standing(activity, column)))
    return found


def ensure(
    services: Services,
    context: Context,
    activities: Sequence[Activity],
    course: Course,
    check: Callable[[], None],
) -> bool:
    """Bind, make, rename and retire columns, so that they are what the activities want.

    True once nothing is missing. Problems are noted on the activities; what can't be done now is
    tried at the next poll. Must be called without an open write, by one process at a time in a
    context: `check` raises where this one no longer is.
    """
    if not differ(context, activities, course, services.clock()):
        return not _lacking(activities, course)
    if not context.line_items_url:
        _note(activities, "line_items_missing")
        return False
    if services.rehearsal:
        _pretend(activities, course, services)
        return True
    db.session.commit()
    try:
        _ensure(services, context, activities, course, check)
    except ServiceError as error:
        db.session.rollback()
        log.warning("context %s: columns: %s", context.id, error)
        _note(activities, error.reason)
        return False
    return not _lacking(activities, course)


def _lacking(activities: Sequence[Activity], course: Course) -> bool:
    return any(want.line_item is None for want in wanted(activities, course))


def targets(activities: Sequence[Activity], course: Course) -> list[Target]:
    """The line items to fill; what is new for one that a teacher deleted is held."""
    return [
        Target(
            want.line_item.id,
            want.column.item_id,
            want.line_item.maximum,
            "column_gone" if want.line_item.state == "gone" else None,
        )
        for want in wanted(activities, course)
        if want.line_item is not None and want.line_item.state != "idle"
    ]


def _ensure(
    services: Services,
    context: Context,
    activities: Sequence[Activity],
    course: Course,
    check: Callable[[], None],
) -> None:
    service = services.platform(context.deployment.platform)
    url = context.line_items_url or ""
    remote = ags.line_items(service, url)
    check()
    adoption.adopt(services, context, remote)
    adoption.bind(services, context, activities, course)
    by_url = {item.url: item for item in remote}
    problem: str | None = None
    for position, want in enumerate(wanted(activities, course)):
        line_item, column = want.line_item, want.column
        if line_item is None and column.owner is Owner.TOOL and want.activity.state == "standing":
            try:
                line_item = making.make(services, context, column, check)
            except Rejected as error:
                problem = error.reason
        if line_item is None:
            continue
        line_item.position = position
        if line_item.state == "idle":
            line_item.state = "active"
        if line_item.owner == Owner.TOOL and line_item.url in by_url:
            making.reshape(services, line_item, by_url[line_item.url], column)
        db.session.commit()
    _retire(context, course, activities, services.clock())
    for activity in activities:
        activity.problem = problem or _problem(activity, course)
    db.session.commit()


def _standing(activity: Activity, column: Column) -> LineItem | None:
    """The line item of a column: ours by resource id, the platform's by its resource link."""
    query = select(LineItem).where(
        LineItem.context_fk == activity.context_fk, LineItem.owner == column.owner.value
    )
    if column.owner is Owner.TOOL:
        query = query.where(LineItem.resource_id == column.resource_id)
        # A column that a teacher deleted stays deleted until a person asks for it.
        return db.session.scalar(query.order_by(LineItem.state == "gone", LineItem.id).limit(1))
    link = activity.resource_link
    if link is None:
        return None
    query = query.where(LineItem.resource_link_id == link.resource_link_id)
    rows = db.session.scalars(query.where(LineItem.state != "gone").order_by(LineItem.id)).all()
    exact = [row for row in rows if row.resource_id == column.resource_id]
    own = [row for row in rows if row.url == link.line_item_url]
    return next(iter([*exact, *own]), None)


def differ(context: Context, activities: Sequence[Activity], course: Course, now: datetime) -> bool:
    """Whether anything about the columns of these activities needs the platform."""
    for want in wanted(activities, course):
        line_item, column = want.line_item, want.column
        if line_item is None:
            is_ours = column.owner is Owner.TOOL and want.activity.state == "standing"
            if is_ours or _may_appear(want.activity, now):
                return True
        elif line_item.owner == Owner.TOOL and line_item.state != "gone":
            agreed = (line_item.label, line_item.wanted_maximum)
            if line_item.state == "idle" or agreed != (column.label, column.maximum):
                return True
    return _idle(context, course, activities) != []


def _may_appear(activity: Activity, now: datetime) -> bool:
    """Whether to look again for a column that only the platform can make.

    Often while the activity is new or was just launched, else once an hour.
    """
    read_at, link = activity.context.line_items_read_at, activity.resource_link
    if activity.state == "retired":
        return False
    if read_at is None or now - read_at > PATIENCE:
        return True
    launched_at = link.launched_at if link else None
    return (launched_at is not None and launched_at > read_at) or (
        activity.state == "published" and now - activity.created_at < PATIENCE
    )


def _idle(context: Context, course: Course, activities: Sequence[Activity]) -> list[LineItem]:
    """Columns of ours for this course that no activity wants any more."""
    asked = {want.column.resource_id for want in wanted(activities, course)}
    rows = db.session.scalars(
        select(LineItem).where(
            LineItem.context_fk == context.id,
            LineItem.owner == "tool",
            LineItem.state == "active",
            LineItem.resource_id.startswith(f"coursera:{course.id}:", autoescape=True),
        )
    )
    return [row for row in rows if row.resource_id not in asked]


def _retire(
    context: Context, course: Course, activities: Sequence[Activity], now: datetime
) -> None:
    """Mark columns idle that nothing wants; they keep their grades, nothing more is sent."""
    for line_item in _idle(context, course, activities):
        line_item.state = "idle"
        waiting = and_(Cell.line_item_fk == line_item.id, Cell.state.in_(("due", "rejected")))
        history.keep("column_idle", now, waiting, because="column_idle")
        db.session.execute(
            update(Cell)
            .where(waiting)
            .values(state="superseded", reason="column_idle", due_at=None)
        )


def _problem(activity: Activity, course: Course) -> str | None:
    """What an instructor should know about the activity's own column."""
    columns = STRATEGIES[activity.strategy].columns(course, activity.choice)
    coupled = [column for column in columns if column.owner is Owner.PLATFORM]
    link = activity.resource_link
    if coupled and activity.state == "standing" and _standing(activity, coupled[0]) is None:
        return "column_missing"
    if not coupled and link is not None and link.line_item_url:
        return "column_unwanted"
    return None


def _note(activities: Sequence[Activity], problem: str) -> None:
    for activity in activities:
        activity.problem = problem
    db.session.commit()


def _pretend(activities: Sequence[Activity], course: Course, services: Services) -> None:
    """In a rehearsal, columns that would be made stand in our own copy of the tables only."""
    for want in wanted(activities, course):
        if want.line_item is None:
            coupled = want.column.owner is Owner.PLATFORM
            link = want.activity.resource_link
            db.session.add(
                LineItem(
                    context_fk=want.activity.context_fk,
                    url=f"new:{want.activity.id}:{want.column.resource_id}",
                    resource_id=want.column.resource_id,
                    resource_link_id=link.resource_link_id if coupled and link else None,
                    owner=want.column.owner.value,
                    label=want.column.label,
                    maximum=want.column.maximum,
                    wanted_maximum=want.column.maximum,
                    tag=want.column.tag,
                    created_at=services.clock(),
                )
            )
    db.session.commit()
