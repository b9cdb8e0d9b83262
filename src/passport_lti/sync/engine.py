"""A sync from end to end: poll the courses of the chosen activities, then deliver.

Also the two halves by themselves, for the scheduler.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, true

from passport_lti.extensions import db
from passport_lti.models import (
    Activity,
    Cell,
    Context,
    Deployment,
    LineItem,
    Platform,
    SyncRun,
)
from passport_lti.sync import outbox, reasons, report, shares
from passport_lti.sync.columns import copies
from passport_lti.sync.delivery import circuit, claims
from passport_lti.sync.delivery.deliver import Outcomes, deliver
from passport_lti.sync.poll.courses import Polled, activities, poll
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

ROUNDS = 4
PACE = 0.25
"""Seconds between two looks at what other processes are sending."""
UNREACHED = ("platform_down", "server_error", "bad_gateway", "rate_limited", "token_refused",
             "scope_missing", "forbidden", "refused", "line_items_missing",
             "context_gone")  # fmt: skip
"""Reasons why columns could not be made or people not be read: wanted scores have no cell yet."""
SHORT = timedelta(seconds=6)
"""A cell that is due again within this time is waited for; the rest stays due."""


@dataclass
class Outcome:
    """What one sync did; `problems` are sentences for people, `ok` is the exit code's meaning."""

    summary: dict[str, object] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    ok: bool = True


def run(
    services: Services,
    app_context: Callable[[], AbstractContextManager[object]],
    *,
    platform: str | None = None,
    activity: int | None = None,
    trigger: str = "command",
    send: bool = True,
) -> Outcome:
    """Poll Coursera once for the chosen activities, then deliver until nothing is due soon."""
    began = services.requests()
    if activity is None and send:
        copies.discover(services, platform)
    chosen = activities(platform, activity)
    run_id = _begin(services, trigger)
    outcome, outcomes = Outcome(), Outcomes()
    asked = trigger != "schedule"
    if asked and send:
        circuit.hurry(services.clock(), platform, _line_items(platform, activity))
    polled = poll(services, app_context, chosen, asked=asked)
    outcome.problems += polled.problems
    line_items = _line_items(platform, activity)
    if send:
        if asked:
            outbox.hurry(line_items, services.clock())
        for _ in range(ROUNDS):
            _deliver(services, outcomes, app_context, line_items)
            if services.ending.is_set():
                break
            _wait_for_others(services, line_items)
            wait = _until_next(services, line_items)
            if wait is None:
                break
            services.sleep(wait)
    counts = _counts(line_items)
    outcome.problems += _failing(chosen)
    now_requests = services.requests()
    outcome.summary = {
        "polled": polled.courses,
        "changed": polled.changed,
        "sent": outcomes.sent,
        "delivered": outcomes.delivered,
        "held": counts.get("held", 0),
        "rejected": counts.get("rejected", 0),
        "failed": counts.get("due", 0) if send else 0,
        "http_requests": {key: now_requests[key] - began[key] for key in began},
    }
    failing = counts.get("due", 0) + counts.get("rejected", 0)
    outcome.ok = not outcome.problems and (not send or failing == 0)
    _finish(services, run_id, outcome, polled, outcomes)
    return outcome


def _line_items(platform: str | None, activity: int | None) -> list[int] | None:
    """None stands for all: a list of every column there is would be too long for a query."""
    if platform is None and activity is None:
        return None
    return [row.id for row in report.line_items_of(platform, activity)]


def _deliver(
    services: Services,
    outcomes: Outcomes,
    app_context: Callable[[], AbstractContextManager[object]],
    line_items: Sequence[int] | None,
) -> None:
    """Deliver what is due, again and again while other processes make all the calls allowed."""
    before, patience = -1, 0.0
    while True:
        outcomes.is_crowded = False
        deliver(services, outcomes, app_context, line_items=line_items)
        if not outcomes.is_crowded or services.ending.is_set():
            return
        left = db.session.scalar(
            select(func.count()).where(_among(line_items), claims.ready(services.clock()))
        )
        db.session.commit()
        patience = patience + PACE if left == before else 0.0
        if patience > claims.LEASE.total_seconds() * 2:
            return
        before = left or 0
        services.sleep(PACE)


def _wait_for_others(services: Services, line_items: Sequence[int] | None) -> None:
    """Wait while other processes are sending, or until what a dead one had is free again."""
    before, patience = -1, 0.0
    while True:
        now = services.clock()
        taken = db.session.scalar(
            select(func.count()).where(
                _among(line_items),
                Cell.state.in_(("due", "rejected")),
                Cell.due_at <= now,
                Cell.claimed_until >= now,
            )
        )
        db.session.commit()
        patience = patience + PACE if taken == before else 0.0
        if not taken or patience > claims.LEASE.total_seconds() * 2:
            return
        before = taken
        services.sleep(PACE)


def _failing(chosen: Sequence[Activity]) -> list[str]:
    """Sentences about activities whose columns or people could not be reached."""
    found = []
    for activity in chosen:
        for reason in (activity.problem, activity.context.roster_problem):
            if reason in UNREACHED:
                what = reasons.REMEDIES.get(reason, "It is tried again at the next sync.")
                found.append(f"Activity {activity.id} ({activity.title}): {reason}. {what}")
    return list(dict.fromkeys(found))


def _until_next(services: Services, line_items: Sequence[int] | None) -> float | None:
    """Seconds until a waiting cell is due again, if that is soon."""
    now = services.clock()
    rows = db.session.execute(
        select(func.min(Cell.due_at), Platform.paused_until)
        .join(LineItem, LineItem.id == Cell.line_item_fk)
        .join(Context, Context.id == LineItem.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(
            _among(line_items),
            Cell.state == "due",
            Cell.due_at.is_not(None),
            LineItem.state == "active",
            Platform.state == "active",
        )
        .group_by(Platform.id, Platform.paused_until)
    ).all()
    db.session.commit()
    soonest = min((max(due, paused or due) for due, paused in rows if due), default=None)
    if soonest is None or soonest - now > SHORT:
        return None
    return max((soonest - now).total_seconds(), 0.05)


def _among(line_items: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if line_items is None else Cell.line_item_fk.in_(line_items)


def _counts(line_items: Sequence[int] | None) -> dict[str, int]:
    rows = db.session.execute(
        select(Cell.state, func.count())
        .join(LineItem, LineItem.id == Cell.line_item_fk)
        .join(Context, Context.id == LineItem.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(_among(line_items), Platform.state == "active")
        .group_by(Cell.state)
    )
    return {row[0]: row[1] for row in rows}


def _begin(services: Services, trigger: str) -> int:
    row = SyncRun(correlation_id=secrets.token_hex(6), trigger=trigger, started_at=services.clock())
    db.session.add(row)
    db.session.commit()
    return row.id


def _finish(
    services: Services, run_id: int, outcome: Outcome, polled: Polled, sent: Outcomes
) -> None:
    row = db.session.get(SyncRun, run_id)
    assert row is not None
    row.finished_at = services.clock()
    row.polled = row.courses = polled.courses
    row.changed, row.sent = polled.changed, sent.sent
    row.failed = sum(sent.reasons.values())
    row.problem = outcome.problems[0][:255] if outcome.problems else None
    shares.note(row, polled, sent.shares)
    log.info(
        "sync correlation=%s trigger=%s courses=%s changed=%s sent=%s reasons=%s",
        row.correlation_id, row.trigger, row.polled, row.changed, sent.sent, dict(sent.reasons),
    )  # fmt: skip
    db.session.commit()
