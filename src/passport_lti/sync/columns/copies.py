"""Copied activities: known by their columns before anybody has launched them, and by their history.

A copy of a context holds activities with new ids and columns with the old resource ids and tags.
Whatever was chosen for the original since it was published holds for the copy, too.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Choice
from passport_lti.lti import ags
from passport_lti.lti.platforms import settings_of
from passport_lti.models import (
    Activity,
    Context,
    Deployment,
    LineItem,
    Platform,
    Program,
    ProgramCourse,
    ResourceLink,
)
from passport_lti.strategies import STRATEGIES
from passport_lti.strategies.base import Chosen
from passport_lti.sync.activities import coupled_id, linked, new_activity
from passport_lti.sync.columns import adoption
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)


def discover(services: Services, platform: str | None = None) -> None:
    """Look once at the columns of contexts that launched us without any activity; commits.

    A teacher may have opened the picker in a copied context, and no activity of it yet.
    """
    query = (
        select(Context)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(
            Context.line_items_url.is_not(None),
            Context.line_items_read_at.is_(None),
            Context.id.not_in(select(Activity.context_fk)),
            Platform.state == "active",
            Platform.paused_until.is_(None) | (Platform.paused_until <= services.clock()),
        )
        .order_by(Context.id)
    )
    if platform is not None:
        query = query.where(Platform.name == platform)
    for context in db.session.scalars(query).all():
        number, url = context.id, context.line_items_url or ""
        service = services.platform(context.deployment.platform)
        db.session.commit()
        try:
            remote = ags.line_items(service, url)
        except ServiceError as error:
            log.warning("context %s: its columns can't be read yet: %s", number, error)
            continue
        adoption.adopt(services, context, remote)
        inherit(services, context)
        db.session.commit()


def inherit(services: Services, context: Context) -> None:
    """Make the activities that this context's columns tell of and no launch has shown. Flushes."""
    here = db.session.scalars(select(Activity).where(Activity.context_fk == context.id)).all()
    awaited = Counter(coupled_id(row) for row in here if row.resource_link_fk is None)
    for column in _unclaimed(context):
        if awaited[column.resource_id] > 0:
            # A published activity waits for just this one; it is bound when its course is polled.
            awaited[column.resource_id] -= 1
            continue
        found = _original(context, column) or _told(context, column)
        if found is None:
            continue
        chosen, linked_as = found
        activity = new_activity(
            context.deployment.platform, context, chosen, column.label, services.clock()
        )
        activity.linked_as, activity.state = linked_as, "standing"
        activity.resource_link = adoption.link_of(context, column)
        db.session.flush()
        log.info("context %s: activity %s is known by its column", context.id, activity.id)
    _inherit_without_column(services, context)


def follow(activity: Activity, context: Context, linked_as: str) -> None:
    """Take over an option that the instructor changed in what this activity was copied from."""
    relatives = [row for row in _relatives(context) if row.linked_as == linked_as]
    original = _closest(context, activity.title, (row for row in relatives if row is not activity))
    if original is not None:
        activity.strategy, activity.choice = original.strategy, original.choice


def _unclaimed(context: Context) -> Sequence[LineItem]:
    """Columns of activities of ours that we do not know."""
    bound = (
        select(ResourceLink.resource_link_id)
        .join(Activity, Activity.resource_link_fk == ResourceLink.id)
        .where(ResourceLink.context_fk == context.id)
    )
    return db.session.scalars(
        select(LineItem)
        .where(
            LineItem.context_fk == context.id,
            LineItem.owner == "platform",
            LineItem.state == "active",
            LineItem.resource_id.startswith("coursera:"),
            LineItem.resource_link_id.not_in(bound),
        )
        .order_by(LineItem.id)
    ).all()


def _original(context: Context, column: LineItem) -> tuple[Chosen, str] | None:
    """What the activity with this column was copied from, in this context or an ancestor."""
    same = (
        row
        for row in _relatives(context)
        if coupled_id(row) == column.resource_id and column.tag in ("", linked(row)[0])
    )
    found = _closest(context, column.label, same)
    if found is None:
        return None
    return Chosen(found.program_id, found.course_id, found.strategy, found.choice), found.linked_as


def _told(context: Context, column: LineItem) -> tuple[Chosen, str] | None:
    """What a column tells by itself: enough for one item or one course grade.

    Not for option B, whose items and points only its link knows.
    """
    _, course, *item = column.resource_id.split(":")
    if column.tag not in STRATEGIES or column.tag == "granular_auto_columns" or len(item) > 1:
        return None
    program = _program_of(context, course)
    if program is None or (item and column.tag != "granular_deep_linked"):
        return None
    include_final = column.tag == "granular_deep_linked" and not item
    return Chosen(program, course, column.tag, Choice(tuple(item), include_final)), ""


def _program_of(context: Context, course_id: str) -> str | None:
    """The program that this platform uses for a course, else the only one that has it."""
    platform = context.deployment.platform
    used = db.session.scalar(
        select(Activity.program_id)
        .join(Context, Context.id == Activity.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .where(Deployment.platform_id == platform.id, Activity.course_id == course_id)
        .order_by(Activity.id.desc())
        .limit(1)
    )
    if used is not None:
        return used
    offering = db.session.scalars(
        select(Program.program_id)
        .join(ProgramCourse, ProgramCourse.program_fk == Program.id)
        .where(
            Program.connection == settings_of(platform).coursera,
            ProgramCourse.course_id == course_id,
        )
    ).all()
    return offering[0] if len(offering) == 1 else None


def _inherit_without_column(services: Services, context: Context) -> None:
    """Option B's activities without a course grade: their item columns were copied along."""
    here = db.session.scalars(select(Activity).where(Activity.context_fk == context.id)).all()
    known = {row.course_id for row in here}
    for row in _relatives(context):
        if row.context_fk == context.id or row.course_id in known or coupled_id(row) is not None:
            continue
        columns = db.session.scalar(
            select(LineItem.id).where(
                LineItem.context_fk == context.id,
                LineItem.owner == "tool",
                LineItem.resource_id.startswith(f"coursera:{row.course_id}:", autoescape=True),
            )
        )
        if columns is not None:
            chosen = Chosen(row.program_id, row.course_id, row.strategy, row.choice)
            activity = new_activity(
                context.deployment.platform, context, chosen, row.title, services.clock()
            )
            # Its first launch finds it by what its link says.
            activity.linked_as, activity.state = row.linked_as, "standing"
            db.session.flush()


def _relatives(context: Context) -> Sequence[Activity]:
    """The activities of this context and of those it was copied from."""
    places = [context.context_id, *_ancestors(context)]
    return db.session.scalars(
        select(Activity)
        .join(Context, Context.id == Activity.context_fk)
        .where(
            Context.deployment_fk == context.deployment_fk,
            Context.context_id.in_(places),
            Activity.state != "retired",
        )
        .order_by(Activity.id)
    ).all()


def _ancestors(context: Context) -> list[str]:
    return [part for part in context.history.split(",") if part]


def _closest(context: Context, title: str, rows: Iterable[Activity]) -> Activity | None:
    """By name, as a copy keeps it (a duplicate adds to it), then the one copied last."""
    places = [context.context_id, *_ancestors(context)]

    def distance(row: Activity) -> tuple[int, int, int]:
        alike = 0 if row.title == title else 1 if title.startswith(row.title) else 2
        return alike, places.index(row.context.context_id), row.id

    return min(rows, key=distance, default=None)
