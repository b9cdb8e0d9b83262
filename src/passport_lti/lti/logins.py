"""When a login last began: where no launch follows, the platform refused to send one."""

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from passport_lti.extensions import cache

KEPT = 7 * 86_400
AGAIN = timedelta(seconds=10)
"""A class that starts at once is noted once: a write to the cache costs as much as a launch."""

_noted: WeakKeyDictionary[object, dict[int, datetime]] = WeakKeyDictionary()
"""By cache and platform, what this process has noted."""


def note_login(platform_id: int, now: datetime) -> None:
    """Remember it in the cache only: anybody can begin a login, so nothing is stored for it."""
    noted = _noted.setdefault(cache.cache, {})
    before = noted.get(platform_id)
    if before is None or not before <= now < before + AGAIN:
        noted[platform_id] = now
        cache.set(_mark(platform_id), now.isoformat(), timeout=KEPT)


def last_login(platform_id: int) -> datetime | None:
    """When somebody last began a login from a platform, within the last week."""
    noted = cache.get(_mark(platform_id))
    return datetime.fromisoformat(noted) if isinstance(noted, str) else None


def _mark(platform_id: int) -> str:
    return f"login:{platform_id}"
