"""How a platform is: what answers, when things last went well, what waits. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from passport_lti.config import PlatformSettings
from passport_lti.extensions import db
from passport_lti.lti import keys
from passport_lti.lti.logins import last_login
from passport_lti.lti.platforms import settings_of
from passport_lti.models import AccessToken, Deployment, LaunchLog, Platform, SyncRun, SyncShare
from passport_lti.sync.delivery import circuit


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key of the tool: `retired_at` once another one signs, published until `leaves_at`.

    `replaced_at` is when the one that signs will be replaced by itself.
    """

    kid: str
    made_at: datetime
    age: timedelta
    retired_at: datetime | None
    leaves_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Condition:
    """`paused` is the reason why nothing is asked of the platform until `paused_until`."""

    platform: Platform
    settings: PlatformSettings
    paused: str | None
    paused_until: datetime | None
    launch_at: datetime | None
    login_at: datetime | None
    token_at: datetime | None
    token_until: datetime | None
    sync_at: datetime | None
    deployments: Sequence[Deployment]

    @property
    def waiting(self) -> list[Deployment]:
        return [row for row in self.deployments if row.state == "waiting"]

    @property
    def awaits_launch(self) -> bool:
        """Whether a login began that no launch has followed: the platform sent none back."""
        return self.login_at is not None and (
            self.launch_at is None or self.launch_at < self.login_at
        )


def of(platform: Platform, now: datetime) -> Condition:
    paused = circuit.reason(platform, now)
    token_at, token_until = db.session.execute(
        select(func.max(AccessToken.issued_at), func.max(AccessToken.expires_at)).where(
            AccessToken.platform_id == platform.id
        )
    ).one()
    return Condition(
        platform,
        settings_of(platform),
        paused,
        platform.paused_until if paused else None,
        _last_launch(platform),
        last_login(platform.id),
        token_at,
        token_until,
        _last_sync(platform),
        sorted(platform.deployments, key=lambda row: (row.state == "approved", row.id)),
    )


def signing_keys(now: datetime) -> list[Key]:
    """Those that are still published, newest first."""
    found = []
    for kid, made_at, retired_at in keys.listed():
        leaves_at = retired_at + keys.OVERLAP if retired_at else None
        if leaves_at is None or leaves_at > now:
            replaced_at = None if retired_at else made_at + keys.LIFETIME
            found.append(Key(kid, made_at, now - made_at, retired_at, leaves_at, replaced_at))
    return found


def _last_launch(platform: Platform) -> datetime | None:
    return db.session.scalar(
        select(LaunchLog.at)
        .where(LaunchLog.platform_id == platform.id, LaunchLog.verdict == "ok")
        .order_by(LaunchLog.id.desc())
        .limit(1)
    )


def _last_sync(platform: Platform) -> datetime | None:
    return db.session.scalar(
        select(SyncRun.finished_at)
        .join(SyncShare, SyncShare.run_fk == SyncRun.id)
        .where(SyncShare.platform_id == platform.id)
        .order_by(SyncShare.id.desc())
        .limit(1)
    )
