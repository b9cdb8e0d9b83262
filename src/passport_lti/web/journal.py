"""What a platform's administrators may read of the logs: its launches and its syncs. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from passport_lti.extensions import db
from passport_lti.lti.explanations import BROKEN, EXPLANATIONS, Explanation
from passport_lti.models import Activity, Context, LaunchLog, Platform, SyncRun, SyncShare

PAGE = 25
RECENT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    number: int
    last: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Refused messages without a signature, by what was wrong: anybody may have sent them."""

    code: str
    times: int
    at: datetime
    explanation: Explanation


def explained(code: str) -> Explanation:
    return EXPLANATIONS.get(code, BROKEN)


def launches(platform: Platform, number: int = 1, *, size: int = PAGE) -> Page:
    """Messages that the platform has signed, newest first: log, context and activity of each."""
    query = (
        select(LaunchLog, Context, Activity)
        .outerjoin(Context, Context.id == LaunchLog.context_fk)
        .outerjoin(Activity, Activity.id == LaunchLog.activity_fk)
        .where(LaunchLog.platform_id == platform.id, LaunchLog.proven)
    )
    return _page(query.order_by(LaunchLog.id.desc()), number, size)


def refusals(platform: Platform) -> list[Claim]:
    """What the platform signed and was refused since its last accepted launch, within a week."""
    accepted = (
        select(func.coalesce(func.max(LaunchLog.id), 0))
        .where(LaunchLog.platform_id == platform.id, LaunchLog.verdict == "ok")
        .scalar_subquery()
    )
    return _counted(
        select(LaunchLog.verdict, func.count(), func.max(LaunchLog.at)).where(
            LaunchLog.platform_id == platform.id,
            LaunchLog.proven,
            LaunchLog.verdict != "ok",
            LaunchLog.id > accepted,
        )
    )


def claims(platform: Platform, now: datetime) -> list[Claim]:
    """What only claims to come from the platform, within a week, the most frequent first."""
    return _counted(
        select(LaunchLog.verdict, func.count(), func.max(LaunchLog.at)).where(
            LaunchLog.platform_id == platform.id, ~LaunchLog.proven, LaunchLog.at > now - RECENT
        )
    )


def runs(platform: Platform, number: int = 1, *, size: int = PAGE) -> Page:
    """The platform's shares of sync runs, newest first: share, run."""
    query = (
        select(SyncShare, SyncRun)
        .join(SyncRun, SyncRun.id == SyncShare.run_fk)
        .where(SyncShare.platform_id == platform.id)
    )
    return _page(query.order_by(SyncShare.id.desc()), number, size)


def _counted(query: Select[*tuple[Any, ...]]) -> list[Claim]:
    rows = db.session.execute(query.group_by(LaunchLog.verdict))
    found = [Claim(code, times, at, explained(code)) for code, times, at in rows]
    return sorted(found, key=lambda claim: -claim.times)


def _page(query: Select[*tuple[Any, ...]], number: int, size: int) -> Page:
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    last = max(1, -(-(total or 0) // size))
    number = min(max(number, 1), last)
    rows = db.session.execute(query.offset((number - 1) * size).limit(size)).all()
    return Page(rows, number, last)
