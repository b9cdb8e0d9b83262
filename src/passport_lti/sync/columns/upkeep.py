"""Line items: found by resource id, bound to their activities, and made where they are ours.

The platform never makes a POST idempotent, so columns are listed before any is made, by one
process at a time in a context, and listed again where an answer was lost.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from passport_lti.errors import Gone, RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course, Owner
from passport_lti.lti import ags
from passport_lti.lti.ags import RemoteLineItem
from passport_lti.models import Activity, Context, LineItem
from passport_lti.sync.columns import adoption, copies, making, retiring
from passport_lti.sync.columns.differences import differ, lacking, problem_of, shaped_by, shapes
from passport_lti.sync.columns.wishes import Wanted, elsewhere, wanted
from passport_lti.sync.delivery import circuit
from passport_lti.sync.poll.plan import Target
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)


def ensure(
    services: Services,
    context: Context,
    activities: Sequence[Activity],
    course: Course,
    check: Callable[[], None],
    *,
    look: bool = False,
) -> set[int]:
    """Bind, make, rename and retire columns, so that they are what the activities want.

    Returns the ids of the activities that are not done with: they lack a column, or something could
    not be found out or done. Problems are noted on them; what can't be done now is tried at the
    next poll. `look`: list the columns even where we know of no difference. Must be called without
    an open write, by one process at a time in a context: `check` raises where this one is not.
    """
    others = elsewhere(context, activities, course)
    shared = shaped_by(others)
    differs = differ(activities, course, services.clock(), shared)
    retiring.arrange(
        context, activities, course, wanted(activities, course), others, services.clock()
    )
    db.session.commit()
    if not (look or differs):
        return lacking(activities, course)
    if not context.line_items_url:
        _note(activities, "line_items_missing")
        return lacking(activities, course)
    if services.rehearsal:
        _pretend(activities, course, services)
        return set()
    everyone = {activity.id for activity in activities}
    platform = context.deployment.platform
    paused = circuit.reason(platform, services.clock())
    if paused is not None:
        _note(activities, paused)
        return everyone
    db.session.commit()
    try:
        _ensure(services, context, activities, course, shared, check)
    except ServiceError as error:
        db.session.rollback()
        if isinstance(error, RetryLater):
            circuit.trip(platform.id, error, services.clock())
        if isinstance(error, Gone):
            # The whole context is: look again as seldom as for a column that nobody awaits.
            context.line_items_read_at = services.clock()
        log.warning("context %s: columns: %s", context.id, error)
        _note(activities, error.reason)
        # A mere look that is refused for good comes again with the next news.
        again = differs or isinstance(error, RetryLater)
        return everyone if again else lacking(activities, course)
    return lacking(activities, course)


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
    shared: Mapping[str, int],
    check: Callable[[], None],
) -> None:
    service = services.platform(context.deployment.platform)
    url = context.line_items_url or ""
    db.session.commit()
    remote = ags.line_items(service, url)
    check()
    adoption.adopt(services, context, remote)
    adoption.bind(services, context, activities, course)
    copies.inherit(services, context)
    db.session.commit()
    by_url = {item.url: item for item in remote}
    problem: str | None = None
    struggling = False
    for position, want in enumerate(wanted(activities, course)):
        try:
            _bring(services, context, want, position, by_url, shared, check)
            struggling = False
        except ServiceError as error:
            # One column that the platform fails on must not keep the others away.
            if isinstance(error, RetryLater):
                if struggling or error.after is not None:
                    raise
                struggling = True
            db.session.rollback()
            problem = error.reason
            log.warning("context %s: a column: %s", context.id, error)
    others = elsewhere(context, activities, course)
    retiring.arrange(
        context, activities, course, wanted(activities, course), others, services.clock()
    )
    for activity in activities:
        activity.problem = problem or problem_of(activity, course)
    db.session.commit()


def _bring(
    services: Services,
    context: Context,
    want: Wanted,
    position: int,
    by_url: Mapping[str, RemoteLineItem],
    shared: Mapping[str, int],
    check: Callable[[], None],
) -> None:
    """Make one column, or give the one that stands its name and size; commits."""
    line_item, column = want.line_item, want.column
    if line_item is None and column.owner is Owner.TOOL and want.activity.state == "standing":
        line_item = making.make(services, context, column, check)
    if line_item is None:
        return
    if line_item.url in by_url and shapes(want, shared):
        making.reshape(services, line_item, by_url[line_item.url], column)
    # Only after the call: an open write would keep everybody, and a new token, from being stored.
    line_item.position = position
    db.session.commit()


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
