"""Line items: found by resource id, bound to their activities, and made where they are ours.

The platform never makes a POST idempotent, so columns are listed before any is made, by one
process at a time in a context, and listed again where an answer was lost.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from passport_lti.errors import AnswerLost, Rejected, RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Column, Course, Owner
from passport_lti.lti import ags
from passport_lti.lti.ags import RemoteLineItem
from passport_lti.models import Activity, Cell, Context, LineItem, ResourceLink
from passport_lti.strategies import STRATEGIES
from passport_lti.sync.leases import held
from passport_lti.sync.plan import Target
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
PREFIX = "coursera:"
PATIENCE = timedelta(hours=1)
GIVE_UP = timedelta(days=7)
"""A published activity that the platform has not shown by then was never made."""


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
    services: Services, context: Context, activities: Sequence[Activity], course: Course
) -> bool:
    """Bind, make, rename and retire columns, so that they are what the activities want.

    True once nothing is missing. Problems are noted on the activities; what can't be done now is
    tried at the next poll. Must be called without an open write.
    """
    if not _differs(context, activities, course, services.clock()):
        return True
    if not context.line_items_url:
        _note(activities, "line_items_missing")
        return False
    if services.rehearsal:
        _pretend(activities, course, services)
        return True
    db.session.commit()
    name = f"columns:{context.id}"
    with held(services, name, secrets.token_hex(8), LEASE) as mine:
        if not mine:
            return False
        db.session.expire_all()
        try:
            complete = _ensure(services, context, activities, course)
        except ServiceError as error:
            db.session.rollback()
            log.warning("context %s: columns: %s", context.id, error)
            _note(activities, error.reason)
            return False
    return complete


def targets(activities: Sequence[Activity], course: Course) -> list[Target]:
    """The line items to fill; those that a teacher deleted are held as they are."""
    return [
        Target(want.line_item.id, want.column.item_id, want.line_item.maximum)
        for want in wanted(activities, course)
        if want.line_item is not None and want.line_item.state == "active"
    ]


def _ensure(
    services: Services, context: Context, activities: Sequence[Activity], course: Course
) -> bool:
    service = services.platform(context.deployment.platform)
    url = context.line_items_url or ""
    remote = ags.line_items(service, url)
    _adopt(services, context, remote)
    _bind(services, context, activities, course)
    by_url = {item.url: item for item in remote}
    missing = False
    problem: str | None = None
    for position, want in enumerate(wanted(activities, course)):
        line_item, column = want.line_item, want.column
        if line_item is None and column.owner is Owner.TOOL and want.activity.state == "standing":
            try:
                line_item = _make(services, context, column)
            except Rejected as error:
                problem, missing = error.reason, True
                continue
        if line_item is None:
            missing = True
            continue
        line_item.position = position
        if line_item.state == "idle":
            line_item.state = "active"
        if line_item.owner == Owner.TOOL and line_item.url in by_url:
            _reshape(services, line_item, by_url[line_item.url], column)
        db.session.commit()
    _retire(context, course, activities)
    for activity in activities:
        activity.problem = problem or _problem(activity, course)
    db.session.commit()
    return not missing


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


def _differs(
    context: Context, activities: Sequence[Activity], course: Course, now: datetime
) -> bool:
    """Whether anything about the columns of these activities needs the platform."""
    for want in wanted(activities, course):
        line_item, column = want.line_item, want.column
        if line_item is None:
            if column.owner is Owner.TOOL or _may_appear(want.activity, now):
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


def _adopt(services: Services, context: Context, remote: Sequence[RemoteLineItem]) -> None:
    """Remember the platform's columns that are about Coursera; of equal ones of ours the first."""
    stored = {
        row.url: row
        for row in db.session.scalars(select(LineItem).where(LineItem.context_fk == context.id))
    }
    ours = {r.resource_id for r in stored.values() if r.owner == "tool" and r.state != "gone"}
    links = set(
        db.session.scalars(
            select(ResourceLink.line_item_url).where(ResourceLink.context_fk == context.id)
        )
    )
    for item in remote:
        row = stored.get(item.url)
        if row is not None:
            if row.owner == Owner.PLATFORM:
                row.maximum, row.label = item.maximum, item.label[:255]
            row.resource_link_id = item.resource_link_id or row.resource_link_id
            continue
        if not item.resource_id.startswith(PREFIX) and item.url not in links:
            continue
        owner = Owner.PLATFORM if item.resource_link_id else Owner.TOOL
        if owner is Owner.TOOL and item.resource_id in ours:
            log.warning("context %s: column %s stands twice", context.id, item.resource_id)
            continue
        ours.add(item.resource_id)
        db.session.add(
            LineItem(
                context_fk=context.id,
                url=item.url,
                resource_id=item.resource_id[:255],
                resource_link_id=item.resource_link_id or None,
                owner=owner.value,
                label=item.label[:255] if owner is Owner.PLATFORM else "",
                maximum=item.maximum,
                wanted_maximum=item.maximum,
                tag=item.tag[:255],
                created_at=services.clock(),
            )
        )
    present = {item.url for item in remote}
    for url, row in stored.items():
        if url not in present and row.state != "gone":
            row.state = "gone"
            _hold_column(row)
    context.line_items_read_at = services.clock()
    db.session.commit()


def _bind(
    services: Services, context: Context, activities: Sequence[Activity], course: Course
) -> None:
    """Tell by the platform's columns which published activities it has made."""
    bound = set(
        db.session.scalars(
            select(ResourceLink.resource_link_id)
            .join(Activity, Activity.resource_link_fk == ResourceLink.id)
            .where(ResourceLink.context_fk == context.id)
        )
    )
    free = [
        row
        for row in db.session.scalars(
            select(LineItem)
            .where(
                LineItem.context_fk == context.id,
                LineItem.owner == "platform",
                LineItem.state != "gone",
            )
            .order_by(LineItem.id)
        )
        if row.resource_link_id not in bound
    ]
    for activity in activities:
        if activity.resource_link_fk is not None:
            continue
        columns = STRATEGIES[activity.strategy].columns(course, activity.choice)
        coupled = {c.resource_id for c in columns if c.owner is Owner.PLATFORM}
        match = next(
            (r for r in free if r.resource_id in coupled and r.tag in ("", activity.strategy)), None
        )
        if match is None or match.resource_link_id is None:
            if services.clock() - activity.created_at > GIVE_UP and activity.state == "published":
                activity.state = "retired"
            continue
        free.remove(match)
        link = db.session.scalar(
            select(ResourceLink).where(
                ResourceLink.context_fk == context.id,
                ResourceLink.resource_link_id == match.resource_link_id,
            )
        )
        if link is None:
            link = ResourceLink(
                context_fk=context.id,
                resource_link_id=match.resource_link_id,
                title=match.label,
                line_item_url=match.url,
            )
            db.session.add(link)
            db.session.flush()
        activity.resource_link = link
        activity.state = "standing"
    db.session.commit()


def _make(services: Services, context: Context, column: Column) -> LineItem:
    """Make one column of ours. After a lost answer it is looked for before anything else."""
    service = services.platform(context.deployment.platform)
    url = context.line_items_url or ""
    try:
        made = ags.create(
            service,
            url,
            label=column.label,
            maximum=column.maximum,
            resource_id=column.resource_id,
            tag=column.tag,
        )
    except (AnswerLost, RetryLater):
        again = [
            item
            for item in ags.line_items(service, url)
            if item.resource_id == column.resource_id and not item.resource_link_id
        ]
        if not again:
            raise
        made = again[0]
    line_item = LineItem(
        context_fk=context.id,
        url=made.url,
        resource_id=column.resource_id,
        owner=Owner.TOOL.value,
        label=column.label,
        maximum=column.maximum,
        wanted_maximum=column.maximum,
        tag=column.tag,
        created_at=services.clock(),
    )
    db.session.add(line_item)
    db.session.commit()
    return line_item


def _reshape(
    services: Services, line_item: LineItem, remote: RemoteLineItem, column: Column
) -> None:
    """Follow a new name or weight, unless a teacher gave the column another one meanwhile."""
    adopted = line_item.label == ""
    kept_name = adopted or remote.label != line_item.label
    kept_size = adopted or abs(remote.maximum - line_item.maximum) > 1e-6
    label = remote.label if kept_name else column.label
    maximum = remote.maximum if kept_size else column.maximum
    if (label, maximum) != (remote.label, remote.maximum):
        service = services.platform(line_item.context.deployment.platform)
        ags.update(service, remote, label=label, maximum=maximum)
    line_item.label, line_item.wanted_maximum = column.label, column.maximum
    line_item.maximum = maximum


def _idle(context: Context, course: Course, activities: Sequence[Activity]) -> list[LineItem]:
    """Columns of ours for this course that no activity wants any more."""
    asked = {want.column.resource_id for want in wanted(activities, course)}
    rows = db.session.scalars(
        select(LineItem).where(
            LineItem.context_fk == context.id,
            LineItem.owner == "tool",
            LineItem.state == "active",
            LineItem.resource_id.startswith(f"{PREFIX}{course.id}:", autoescape=True),
        )
    )
    return [row for row in rows if row.resource_id not in asked]


def _retire(context: Context, course: Course, activities: Sequence[Activity]) -> None:
    """Mark columns idle that nothing wants; they keep their grades, nothing more is sent."""
    for line_item in _idle(context, course, activities):
        line_item.state = "idle"
        db.session.execute(
            update(Cell)
            .where(Cell.line_item_fk == line_item.id, Cell.state.in_(("due", "rejected")))
            .values(state="superseded", reason="column_idle", due_at=None)
        )


def _hold_column(line_item: LineItem) -> None:
    """A column that is gone: its cells wait until a person asks for the column again."""
    db.session.execute(
        update(Cell)
        .where(Cell.line_item_fk == line_item.id, Cell.state.in_(("due", "rejected")))
        .values(state="held", reason="column_gone", due_at=None)
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
