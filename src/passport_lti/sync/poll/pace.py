"""How long a course may wait for its next reading. Pure.

`poll_every` is the pace of a course that is in use. Only a course where nothing has happened for
days is asked less often, and only one that somebody has just opened or synced more often.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LIVELY = timedelta(hours=1)
"""After a launch or *Sync now* a course is read `OFTEN` times as often for this time."""
OFTEN = 4
SHORTEST = timedelta(minutes=5)
"""No course is read more often than this, unless `poll_every` is shorter."""
QUIET = ((timedelta(days=14), 4), (timedelta(days=3), 2))
"""Without a launch, a *Sync now* or news at Coursera for this long: so many times as seldom."""
LONGEST = timedelta(days=1)
"""Every course is read once in this time, unless `poll_every` is longer."""
FIRST_RETRY = timedelta(seconds=30)
"""After a reading that failed; twice as long after each further one, up to `poll_every`."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a course that says how much it is used.

    `called_at`: the last launch, *Sync now* or new activity; `changed_at`: the last reading with
    news. `waits_since`: when the newest activity was made that still has something to be planned.
    """

    polled_at: datetime | None
    called_at: datetime
    changed_at: datetime | None = None
    waits_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Readings of a course that failed in a row, and when the last one did."""

    count: int
    at: datetime


def is_due(signs: Signs, every: timedelta, now: datetime, failures: Failures | None = None) -> bool:
    """Whether a course is to be read now. A course that was never read always is."""
    if failures is not None and now - failures.at < _retry(failures.count, every):
        return False
    return signs.polled_at is None or now - signs.polled_at >= wait(signs, every, now)


def wait(signs: Signs, every: timedelta, now: datetime) -> timedelta:
    """The time between two readings of a course, as of now.

    Where something waits to be planned (a new activity, a new member) it is short: a minute in
    the activity's first hour, ten minutes later.
    """
    if signs.waits_since is not None:
        is_new = now - signs.waits_since < timedelta(hours=1)
        return min(every, timedelta(minutes=1 if is_new else 10))
    if now - signs.called_at < LIVELY:
        return min(every, max(every / OFTEN, SHORTEST))
    idle = now - max(signs.called_at, signs.changed_at or signs.called_at)
    times = next((times for after, times in QUIET if idle >= after), 1)
    return max(every, min(every * times, LONGEST))


def _retry(count: int, every: timedelta) -> timedelta:
    doubled: int = 2 ** min(count - 1, 20)
    return min(every, FIRST_RETRY * doubled)
