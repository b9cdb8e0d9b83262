"""When a login last began: where no launch follows, the platform refused to send one."""

import logging
from datetime import datetime

from passport_lti.extensions import cache

log = logging.getLogger(__name__)

KEPT = 7 * 86_400


def note_login(platform_id: int, now: datetime) -> None:
    """Remember it in the cache only: anybody can begin a login, so nothing is stored for it."""
    try:
        cache.set(_mark(platform_id), now.isoformat(), timeout=KEPT)
    except Exception:  # every kind of cache has errors of its own, and no launch may fail for this
        log.warning("the time of a login could not be noted", exc_info=True)


def last_login(platform_id: int) -> datetime | None:
    """When somebody last began a login from a platform, within the last week."""
    noted = cache.get(_mark(platform_id))
    return datetime.fromisoformat(noted) if isinstance(noted, str) else None


def _mark(platform_id: int) -> str:
    return f"login:{platform_id}"
