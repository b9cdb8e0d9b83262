"""Whether the platform made what was chosen: Moodle drops what its form refuses without a word."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.models import Activity, Context

SAVING = timedelta(minutes=2)
"""After *Add to course* a teacher still has Moodle's own form to save."""


def missing(context: Context) -> list[Activity]:
    """Activities that were chosen, and whose columns the platform did not list afterwards.

    It was asked by a sync; those chosen since, or just before, are not judged.
    """
    read_at = context.line_items_read_at
    if read_at is None:
        return []
    waiting = select(Activity).where(
        Activity.context_fk == context.id,
        Activity.state == "published",
        Activity.resource_link_fk.is_(None),
        Activity.created_at < read_at - SAVING,
    )
    return list(db.session.scalars(waiting.order_by(Activity.id)))


def forget_missing(context_id: int, linked_as: Sequence[str] | None = None) -> None:
    """Await them no longer: all of a context, or those that were chosen anew. Flushes."""
    context = db.session.get(Context, context_id)
    for activity in missing(context) if context else ():
        if linked_as is None or activity.linked_as in linked_as:
            activity.state = "retired"
    db.session.flush()
