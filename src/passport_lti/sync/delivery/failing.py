"""Failures of single cells: which state and reason they become, and when they are tried again."""

import random
from datetime import datetime, timedelta

from passport_lti.errors import AnswerLost, Conflict, Gone, Rejected, RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.models import Context, Platform
from passport_lti.sync.delivery import circuit, recording
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.delivery.outcomes import PARKED, Column, doubt_roster, lose_column
from passport_lti.sync.services import Services

BACKOFF = (1, 2, 4, 30, 120, 600, 1800, 3600)
"""Seconds between tries of a cell, the last for ever."""
TRANSIENT = (AnswerLost, Conflict)
"""What a look at the cell can settle."""
SURE = 4
"""Tries after which a server error over a cell that can be read is the cell's own."""


def is_platforms(error: ServiceError) -> bool:
    """Whether a failure says something about the platform and nothing about the cell."""
    return isinstance(error, RetryLater) or error.reason in circuit.UNTRUSTED


def record(
    services: Services,
    cell: Claimed,
    holder: str,
    error: ServiceError,
    column: Column,
    stamp: int,
    *,
    sent_stamp: int = 0,
    platforms: bool = False,
) -> datetime | None:
    """Settle or postpone a cell after a failure; commits. Returns the time of a cell's next try
    where that is for a failure to reach or to read.

    `stamp` is 0 where nothing was written, only read. `platforms`: the failure is the platform's,
    whose pause the cell waits for.
    """
    now = services.clock()
    if platforms:
        reason = plain(error.reason)
        recording.postponed(cell, holder, reason, now, now, sent_stamp, counts=False)
    elif isinstance(error, Gone):
        _settle_gone(services, cell, holder, column, sent_stamp)
    elif isinstance(error, Conflict):
        due_at = now + _backoff(cell.attempts + 3)
        recording.postponed(cell, holder, "conflict", due_at, now, sent_stamp)
    elif isinstance(error, Rejected) and error.reason not in circuit.UNTRUSTED:
        if error.reason == "not_gradable":
            doubt_roster(column)
        recording.settled(cell, holder, "rejected", error.reason, now + PARKED, now, sent_stamp)
    elif error.reason == "server_error" and stamp:
        # The platform reads this column but won't write this cell: locked, or being deleted.
        due_at = now + _doubtful(cell.attempts)
        recording.settled(cell, holder, "rejected", "locked", due_at, now, sent_stamp)
    elif error.reason == "bad_gateway" and stamp and cell.attempts >= SURE:
        # Behind a proxy, Moodle's own failures look like this, and these never pass.
        due_at = now + _doubtful(cell.attempts - SURE)
        recording.settled(cell, holder, "rejected", "bad_gateway", due_at, now, sent_stamp)
    else:
        due_at = now + _backoff(cell.attempts)
        recording.postponed(cell, holder, plain(error.reason), due_at, now, sent_stamp)
        return due_at
    return None


def spare(services: Services, cell: Claimed, holder: str, reason: str) -> None:
    """A cell whose column refuses all others: not even tried, and the first next time; commits."""
    now = services.clock()
    if reason == "server_error":
        due_at = now + _doubtful(cell.attempts) * 0.9
        recording.settled(cell, holder, "rejected", "locked", due_at, now)
    else:
        recording.postponed(cell, holder, reason, now + _backoff(3) * 0.8, now, 0, counts=False)


def _settle_gone(
    services: Services, cell: Claimed, holder: str, column: Column, stamp: int
) -> None:
    """A 404 counts once the list of columns confirms it: a teacher has to undo what we believe."""
    context = db.session.get(Context, column.context_id)
    platform = db.session.get(Platform, column.platform_id)
    assert context is not None and platform is not None
    url, now = context.line_items_url or "", services.clock()
    service = services.platform(platform)
    db.session.commit()
    try:
        remote = ags.line_items(service, url) if url else []
        is_gone = all(item.url != column.url for item in remote)
    except Gone:
        is_gone = True
    except ServiceError:
        is_gone = False
    if is_gone:
        lose_column(column, now)
        recording.settled(cell, holder, "held", "column_gone", None, now, stamp)
    else:
        due_at = now + _backoff(cell.attempts + 3)
        recording.postponed(cell, holder, "platform_down", due_at, now, stamp)


def plain(reason: str) -> str:
    """A server error that is not about a cell is the platform's."""
    return "platform_down" if reason in ("server_error", "page_missing") else reason


def _backoff(attempts: int) -> timedelta:
    step = min(attempts, len(BACKOFF) - 1)
    return timedelta(seconds=BACKOFF[step] * random.uniform(0.8, 1.2))


def _doubtful(attempts: int) -> timedelta:
    """It may be a lock or a bad moment: soon again at first, then once a day."""
    return min(timedelta(minutes=10 * 6 ** min(attempts, 4)), PARKED) * random.uniform(0.9, 1.0)
