"""What the columns of a course lack, by what we know of them, without asking the platform."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.grades import Course, Owner
from passport_lti.models import Activity, Cell, Context, LineItem, ResourceLink
from passport_lti.sync.columns import doubles
from passport_lti.sync.columns.wishes import (
    Wanted,
    columns_of,
    elsewhere,
    made_for,
    standing,
    unbound,
    wanted,
)

PATIENCE = timedelta(hours=1)


def is_old(context: Context, now: datetime) -> bool:
    """Whether it is time to see what others did to the columns, when there is other news."""
    read_at = context.line_items_read_at
    return read_at is not None and now - read_at > PATIENCE


def differ(
    activities: Sequence[Activity],
    course: Course,
    now: datetime,
    shared: Mapping[str, int] | None = None,
) -> bool:
    """Whether anything about the columns of these activities needs the platform."""
    context = activities[0].context
    if shared is None:
        shared = shaped_by(elsewhere(context, activities, course))
    free = cache(lambda: unbound(context))
    for want in wanted(activities, course):
        line_item, column = want.line_item, want.column
        if line_item is None:
            is_ours = column.owner is Owner.TOOL and want.activity.state == "standing"
            if is_ours or _may_appear(want.activity, now):
                return True
            # Another course's look at the context may have found it.
            if want.activity.resource_link_fk is None and made_for(want.activity, course, free()):
                return True
        elif line_item.state == "idle":
            return True
        elif line_item.state != "gone" and shapes(want, shared):
            agreed = (line_item.label, line_item.wanted_maximum)
            if agreed != (column.label, column.maximum):
                return True
    return False


def lacking(activities: Sequence[Activity], course: Course) -> set[int]:
    """Those of these activities of which a column does not stand, by their ids."""
    return {
        activity.id
        for activity in activities
        if any(standing(activity, column) is None for column in columns_of(activity, course))
    }


def shaped_by(others: Sequence[Wanted]) -> dict[str, int]:
    """Resource id -> the oldest activity of another program that wants this column of ours."""
    found: dict[str, int] = {}
    for other in others:
        if other.column.owner is Owner.TOOL:
            found.setdefault(other.column.resource_id, other.activity.id)
    return found


def shapes(want: Wanted, shared: Mapping[str, int]) -> bool:
    """Whether this activity's choice gives a column its name and size: the oldest one's does."""
    older = shared.get(want.column.resource_id, want.activity.id)
    return want.column.owner is Owner.TOOL and want.activity.id <= older


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


def problem_of(activity: Activity, course: Course) -> str | None:
    """What an instructor should know about the activity's columns."""
    coupled = [c for c in columns_of(activity, course) if c.owner is Owner.PLATFORM]
    link = activity.resource_link
    if coupled and activity.state == "standing" and standing(activity, coupled[0]) is None:
        return "column_missing"
    if doubles.of(activity):
        return doubles.DOUBLED
    if not coupled and link is not None and link.line_item_url and not _was_filled(link):
        return "column_unwanted"
    return None


def _was_filled(link: ResourceLink) -> bool:
    """Whether a link's own column has grades of an option that it had before."""
    filled = (
        select(Cell.id)
        .join(LineItem, LineItem.id == Cell.line_item_fk)
        .where(
            LineItem.context_fk == link.context_fk,
            LineItem.resource_link_id == link.resource_link_id,
            Cell.delivered_given.is_not(None),
        )
    )
    return db.session.scalar(filled.limit(1)) is not None
