"""`doctor` on demand from a page: it runs in the background, what it finds is kept for a day."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from passport_lti.doctor import Finding, examine_alone
from passport_lti.extensions import cache, db
from passport_lti.models import Platform
from passport_lti.web import background
from passport_lti.web.pages import services

KEPT = 86_400
LONGEST = timedelta(minutes=10)
"""An examination that has not ended by then was broken off with its process."""


@dataclass(frozen=True, slots=True)
class Examination:
    """The findings so far; `ended_at` once they are all there is."""

    began_at: datetime
    ended_at: datetime | None
    findings: tuple[Finding, ...]

    def goes_on(self, now: datetime) -> bool:
        return self.ended_at is None and now - self.began_at < LONGEST

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.state == "FAIL"]


def begin(platform_id: int) -> bool:
    """Examine a platform, once however often it is asked; whether that goes on after a while."""
    return background.run(f"doctor-{platform_id}", lambda app: _examine(platform_id))


def last(platform_id: int) -> Examination | None:
    """What was found the last time, in whichever process."""
    kept = cache.get(_place(platform_id))
    if not isinstance(kept, dict):
        return None
    return Examination(
        datetime.fromisoformat(kept["began"]),
        datetime.fromisoformat(kept["ended"]) if kept["ended"] else None,
        tuple(Finding(**finding) for finding in kept["findings"]),
    )


def _examine(platform_id: int) -> None:
    platform, began = db.session.get_one(Platform, platform_id), services().clock()
    found: list[Finding] = []
    _keep(platform_id, began, None, found)
    for finding in examine_alone(services(), platform):
        found.append(finding)
        _keep(platform_id, began, None, found)
    _keep(platform_id, began, services().clock(), found)


def _keep(platform_id: int, began: datetime, ended: datetime | None, found: list[Finding]) -> None:
    value: dict[str, Any] = {
        "began": began.isoformat(),
        "ended": ended.isoformat() if ended else None,
        "findings": [asdict(finding) for finding in found],
    }
    cache.set(_place(platform_id), value, timeout=KEPT)


def _place(platform_id: int) -> str:
    return f"examination:{platform_id}"
