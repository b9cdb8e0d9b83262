"""The circuit of a platform: one that fails is left alone, and comes back through one call.

Closed: `failures` is 0. Open: nothing is asked of the platform until `paused_until`; each failure
in a row makes that longer. Half open: the pause is over, and a single call finds out whether the
platform is back before anything else is sent.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from passport_lti.errors import RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.models import Context, Deployment, LineItem, Platform

PAUSES = (1, 2, 4, 30, 120, 600, 1800, 3600)
"""Seconds, the last for ever: newer grades keep replacing what waits, and nothing is given up."""
UNTRUSTED = ("token_refused", "scope_missing")
"""Refusals of the tool as a whole, which need a person: a moment later they would be the same."""
PATIENT = 5
"""The place in `PAUSES` where the pause after such a refusal begins."""


def reason(platform: Platform, now: datetime) -> str | None:
    """Why nothing may be asked of a platform now; None: it may."""
    if platform.paused_until is None or platform.paused_until <= now:
        return None
    return platform.paused_reason or "platform_down"


def trip(platform_id: int, error: ServiceError, now: datetime) -> None:
    """Leave a platform alone, for as long as it wishes or its failures in a row suggest; commits.

    Nobody comes back at the same moment as everybody else.
    """
    failures = db.session.scalar(select(Platform.failures).where(Platform.id == platform_id)) or 0
    wished = error.after if isinstance(error, RetryLater) else None
    if wished is not None:
        seconds = wished * random.uniform(1.0, 1.1)
    else:
        step = max(failures, PATIENT) if error.reason in UNTRUSTED else failures
        seconds = PAUSES[min(step, len(PAUSES) - 1)] * random.uniform(0.8, 1.2)
    why = "platform_down" if error.reason in ("server_error", "bad_gateway") else error.reason
    db.session.execute(
        update(Platform)
        .where(Platform.id == platform_id)
        .values(
            failures=Platform.failures + 1,
            paused_until=now + timedelta(seconds=seconds),
            paused_reason=why,
            pause_wished=wished is not None,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def close(platform_id: int) -> None:
    """The platform is back; commits."""
    db.session.execute(
        update(Platform)
        .where(Platform.id == platform_id)
        .values(failures=0, paused_until=None, paused_reason=None)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def hurry(now: datetime, platform: str | None, line_items: Sequence[int] | None) -> None:
    """A person asked: end pauses of our own making, but not what a platform wished; commits."""
    paused = update(Platform).where(Platform.paused_until > now, Platform.pause_wished.is_(False))
    if platform is not None:
        paused = paused.where(Platform.name == platform)
    if line_items is not None:
        chosen = (
            select(Deployment.platform_id)
            .join(Context, Context.deployment_fk == Deployment.id)
            .join(LineItem, LineItem.context_fk == Context.id)
            .where(LineItem.id.in_(line_items))
        )
        paused = paused.where(Platform.id.in_(chosen))
    db.session.execute(
        paused.values(paused_until=None).execution_options(synchronize_session=False)
    )
    db.session.commit()
