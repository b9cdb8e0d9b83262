"""Columns that fall idle and come back: our own bookkeeping, without a call."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select

from passport_lti.extensions import db
from passport_lti.grades import Course, Owner
from passport_lti.models import Activity, Cell, Context, LineItem
from passport_lti.sync import outbox
from passport_lti.sync.columns.wishes import Wanted
from passport_lti.sync.poll import planned


def arrange(
    context: Context,
    activities: Sequence[Activity],
    course: Course,
    wishes: Sequence[Wanted],
    others: Sequence[Wanted],
    now: datetime,
) -> None:
    """Number the columns in course order, take back what is wanted again, retire the rest.

    `wishes` are those of `activities`, `others` those of the course's other activities in the
    context. Flushes only.
    """
    for position, want in enumerate(wishes):
        if want.line_item is not None:
            if want.line_item.position != position:
                want.line_item.position = position
            if want.line_item.state == "idle":
                want.line_item.state = "active"
    for line_item in idle(context, activities, course, [*wishes, *others]):
        # It keeps its grades; nothing more is sent to it.
        line_item.state = "idle"
        planned.forget(context.id)
        waiting = and_(Cell.line_item_fk == line_item.id, Cell.state.in_(("due", "rejected")))
        outbox.change(
            "column_idle", now, waiting, state="superseded", reason="column_idle", due_at=None
        )
    db.session.flush()


def idle(
    context: Context, activities: Sequence[Activity], course: Course, wishes: Sequence[Wanted]
) -> list[LineItem]:
    """Active columns of this course that nothing in `wishes` asks for.

    Ours, and the own ones of those activities that have no use for them any more.
    """
    asked = {want.line_item.id for want in wishes if want.line_item is not None}
    served = {want.activity.id for want in wishes if want.column.owner is Owner.PLATFORM}
    unused = [
        activity.resource_link.resource_link_id
        for activity in activities
        if activity.id not in served and activity.resource_link is not None
    ]
    rows = db.session.scalars(
        select(LineItem)
        .where(
            LineItem.context_fk == context.id,
            LineItem.state == "active",
            or_(
                and_(
                    LineItem.owner == "tool",
                    LineItem.resource_id.startswith(f"coursera:{course.id}:", autoescape=True),
                ),
                and_(LineItem.owner == "platform", LineItem.resource_link_id.in_(unused)),
            ),
        )
        .order_by(LineItem.position, LineItem.id)
    )
    return [row for row in rows if row.id not in asked]
