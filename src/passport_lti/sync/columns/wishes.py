"""Which columns the activities of a course want in a context, and what stands for each. Reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.grades import Choice, Column, Course, Owner
from passport_lti.models import Activity, Context, LineItem, ResourceLink
from passport_lti.strategies import STRATEGIES

Options = Mapping[int, tuple[str, Choice]]
"""Strategy and choice by activity id, where they are not the ones it has now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column of an activity, and the line item that stands for it, if there is one."""

    activity: Activity
    column: Column
    line_item: LineItem | None


def wanted(
    activities: Sequence[Activity], course: Course, instead: Options | None = None
) -> list[Wanted]:
    """What the activities of one course in one context want; shared columns once each."""
    found: list[Wanted] = []
    shared: set[str] = set()
    for activity in activities:
        for column in columns_of(activity, course, instead):
            if column.owner is Owner.TOOL:
                if column.resource_id in shared:
                    continue
                shared.add(column.resource_id)
            found.append(Wanted(activity, column, standing(activity, column)))
    return found


def columns_of(
    activity: Activity, course: Course, instead: Options | None = None
) -> Sequence[Column]:
    strategy, choice = (instead or {}).get(activity.id, (activity.strategy, activity.choice))
    return STRATEGIES[strategy].columns(course, choice)


def elsewhere(
    context: Context,
    activities: Sequence[Activity],
    course: Course,
    instead: Options | None = None,
) -> list[Wanted]:
    """What this course's activities of other programs want in the context: they share columns."""
    others = db.session.scalars(
        select(Activity)
        .where(
            Activity.context_fk == context.id,
            Activity.course_id == course.id,
            Activity.state != "retired",
            Activity.id.not_in([activity.id for activity in activities]),
        )
        .order_by(Activity.id)
    ).all()
    found: list[Wanted] = []
    for other in others:
        theirs = catalogue.known_course(other.connection, other.program_id, course.id)
        found += wanted([other], theirs or course, instead)
    return found


def standing(activity: Activity, column: Column) -> LineItem | None:
    """The line item of a column: ours by resource id, the platform's by its resource link."""
    query = select(LineItem).where(
        LineItem.context_fk == activity.context_fk, LineItem.owner == column.owner.value
    )
    if column.owner is Owner.TOOL:
        query = query.where(LineItem.resource_id == column.resource_id, LineItem.state != "double")
        # A column that a teacher deleted stays deleted until a person asks for it.
        return db.session.scalar(query.order_by(LineItem.state == "gone", LineItem.id).limit(1))
    link = activity.resource_link
    if link is None:
        return None
    query = query.where(LineItem.resource_link_id == link.resource_link_id)
    rows = db.session.scalars(query.where(LineItem.state != "gone").order_by(LineItem.id)).all()
    exact = [row for row in rows if row.resource_id == column.resource_id]
    own = [row for row in rows if row.url == link.line_item_url or not row.resource_id]
    return next(iter([*exact, *own]), None)


def unbound(context: Context) -> list[LineItem]:
    """The platform's columns that are no activity's, oldest first."""
    bound = (
        select(ResourceLink.resource_link_id)
        .join(Activity, Activity.resource_link_fk == ResourceLink.id)
        .where(ResourceLink.context_fk == context.id)
    )
    free = select(LineItem).where(
        LineItem.context_fk == context.id,
        LineItem.owner == "platform",
        LineItem.state != "gone",
        LineItem.resource_link_id.is_not(None),
        LineItem.resource_link_id.not_in(bound),
    )
    return list(db.session.scalars(free.order_by(LineItem.id)))


def made_for(activity: Activity, course: Course, free: Sequence[LineItem]) -> LineItem | None:
    """Which of these columns the platform has made for an activity that is not bound yet."""
    columns = columns_of(activity, course)
    coupled = {column.resource_id for column in columns if column.owner is Owner.PLATFORM}
    return next(
        (r for r in free if r.resource_id in coupled and r.tag in ("", activity.strategy)), None
    )
