"""The regular work of a deployment in pieces that any process may do, at any time, more than once.

What is to be done stands in the database: a piece that was lost is found again by the next look,
and of two that do the same one finds nothing left.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta

from sqlalchemy import delete, or_, select

from passport_lti.coursera import catalogue
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti import keys
from passport_lti.lti.platforms import settings_of
from passport_lti.models import (
    Activity,
    Cell,
    CellChange,
    Context,
    Deployment,
    LaunchLog,
    LineItem,
    Platform,
    Provision,
    SyncRun,
)
from passport_lti.sso import answered
from passport_lti.sync import leases
from passport_lti.sync.columns import copies
from passport_lti.sync.delivery import claims
from passport_lti.sync.delivery.deliver import Outcomes, deliver
from passport_lti.sync.poll import courses as polling
from passport_lti.sync.poll.due import due_activities, note_failures
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

AppContext = Callable[[], AbstractContextManager[object]]

SHORTEST_LOG = timedelta(hours=1)
LEASE = timedelta(seconds=30)
"""How long an organisation is left alone after the process that polled it has died."""


def poll(services: Services, app_context: AppContext) -> None:
    """Read all courses that are due, organisations side by side."""
    due = due_activities(services, services.clock())
    if due:
        copies.discover(services)
        _poll(services, app_context, due)


def connections_due(services: Services) -> list[str]:
    """The organisations of which a course is to be read now."""
    due = due_activities(services, services.clock())
    return sorted({activity.connection for activity in due})


def poll_connection(services: Services, app_context: AppContext, connection: str) -> None:
    """Read the courses of one organisation that are due, unless another process does it now.

    An organisation allows so many requests at the same time, from wherever they come.
    """
    name, holder = f"poll:{connection}", secrets.token_hex(8)
    with leases.held(services, name, holder, LEASE, is_patient=False) as hold:
        due = due_activities(services, services.clock(), connection) if hold else []
        if due:
            for platform in db.session.scalars(select(Platform).order_by(Platform.id)).all():
                if settings_of(platform).coursera == connection:
                    copies.discover(services, platform.name)
            _poll(services, app_context, due)


def _poll(services: Services, app_context: AppContext, due: Sequence[Activity]) -> None:
    began = services.clock()
    polled = polling.poll(services, app_context, due)
    note_failures(due, polled.failed, services.clock())
    row = SyncRun(
        correlation_id=secrets.token_hex(6),
        trigger="schedule",
        started_at=began,
        finished_at=services.clock(),
        courses=polled.courses,
        polled=polled.courses,
        changed=polled.changed,
        problem=polled.problems[0][:255] if polled.problems else None,
    )
    db.session.add(row)
    db.session.commit()
    log.info(
        "sync correlation=%s polled=%s changed=%s", row.correlation_id, row.polled, row.changed
    )


def platforms_due(services: Services) -> list[int]:
    """The platforms for which something waits to be sent now."""
    now = services.clock()
    waiting = (
        select(Context.deployment_fk)
        .join(LineItem, LineItem.context_fk == Context.id)
        .join(Cell, Cell.line_item_fk == LineItem.id)
        .where(LineItem.state == "active", claims.ready(now))
    )
    query = (
        select(Platform.id)
        .join(Deployment, Deployment.platform_id == Platform.id)
        .where(
            Platform.state == "active",
            or_(Platform.paused_until.is_(None), Platform.paused_until <= now),
            Deployment.id.in_(waiting),
        )
        .distinct()
        .order_by(Platform.id)
    )
    return list(db.session.scalars(query))


def deliver_all(services: Services, app_context: AppContext, *, patience: float) -> bool:
    """Send what is due, platforms side by side; True where something was left after that time."""
    return deliver(services, Outcomes(), app_context, patience=patience)


def deliver_to(
    services: Services, app_context: AppContext, platform_id: int, *, patience: float
) -> bool:
    """Send what is due to one platform; True where something was left after that time."""
    return deliver(services, Outcomes(), app_context, platform_id=platform_id, patience=patience)


def read_catalogue(services: Services, connection: str) -> None:
    """What an organisation offers, unless that was read within the hour."""
    try:
        catalogue.read(services.coursera(connection), services.clock())
    except ServiceError as error:
        db.session.rollback()
        log.warning("catalogue of %s: %s", connection, error)


def tidy(services: Services) -> None:
    """Rotate an old key, and forget what is older than it is to be kept."""
    now, kept = services.clock(), services.config.retention
    # However short the log is to be, no nonce may be forgotten while its message could pass,
    # and no launch while its pages are open.
    launches = max(kept.launches, services.config.lti.sessions, SHORTEST_LOG)
    if keys.rotate_if_old(services.tool):
        log.info("the signing key was rotated by its age")
    answered.forget_old(now)
    db.session.execute(delete(LaunchLog).where(LaunchLog.at < now - launches))
    db.session.execute(delete(CellChange).where(CellChange.at < now - kept.sync_runs))
    # What was done stays as long as the learner: it is what keeps it from being done twice.
    refused = Provision.state.in_(("rejected", "held"))
    db.session.execute(
        delete(Provision).where(refused, Provision.changed_at < now - kept.sync_runs)
    )
    db.session.execute(delete(SyncRun).where(SyncRun.started_at < now - kept.sync_runs))
    db.session.commit()
