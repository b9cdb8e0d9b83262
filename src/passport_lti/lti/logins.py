"""When a login last began: where no launch follows, the platform refused to send one."""

from datetime import datetime

from passport_lti.extensions import cache

KEPT = 7 * 86_400


def note_login(platform_id: int, now: datetime) -> None:
    """Remember it in the cache only: anybody can begin a login, so nothing is stored for it."""
    cache.set(_mark(platform_id), now.isoformat(), timeout=KEPT)


def last_login(platform_id: int) -> datetime | None:
    """When somebody last began a login from a platform, within the last week."""
    noted = cache.get(_mark(platform_id))
    return datetime.fromisoformat(noted) if isinstance(noted, str) else None


def _mark(platform_id: int) -> str:
    return f"login:{platform_id}"
