"""What launches tell: deployments that wait, logins without a launch, refusals."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, true

from passport_lti.doctor.findings import Findings, fail, note, ok
from passport_lti.extensions import db
from passport_lti.lti.explanations import ADMIN, EXPLANATIONS
from passport_lti.lti.logins import last_login
from passport_lti.lti.tool import Tool
from passport_lti.models import LaunchLog, Platform

RECENT = timedelta(days=7)
BY_CHANCE = frozenset(
    ("nonce_reused", "state_unknown", "state_browser", "nonce_unknown", "session", "platform_error",
     "role_not_allowed", "malformed")
)  # fmt: skip
"""Refusals that people meet by reloading, by two windows or by being signed out."""


def check(now: datetime, platform: Platform | None = None) -> Findings:
    """Refusals of the last week that no accepted launch followed.

    All of them, for some name no platform; or those that one platform has signed.
    """
    theirs = true() if platform is None else _signed_by(platform)
    accepted = db.session.scalar(
        select(func.max(LaunchLog.id)).where(LaunchLog.verdict == "ok", theirs)
    )
    refused = db.session.execute(
        select(LaunchLog.verdict, LaunchLog.id).where(
            LaunchLog.verdict != "ok", LaunchLog.at > now - RECENT, theirs
        )
    ).all()
    if accepted is None and not refused:
        yield note("launches", "nobody has launched yet")
        return
    open_ = Counter(verdict for verdict, row in refused if row > (accepted or 0))
    past = Counter(verdict for verdict, row in refused if row <= (accepted or 0))
    for verdict, times in open_.items():
        why = EXPLANATIONS.get(verdict)
        problem = f"{times} refused as {verdict} since the last accepted one"
        problem += f" ({why.what.rstrip('.')})" if why else ""
        setting = why.setting if why else ""
        if verdict in BY_CHANCE or not setting:
            yield note("launches", f"{problem}. {setting or (why.do if why else ADMIN)}")
        else:
            yield fail("launches", problem, setting[0].lower() + setting[1:].rstrip("."))
    if past:
        listed = ", ".join(f"{verdict} ({times})" for verdict, times in past.most_common(5))
        yield note("launches", f"refused earlier this week: {listed}")
    if accepted is not None and not set(open_) - BY_CHANCE:
        yield ok("launches", "the last one was accepted")


def _signed_by(platform: Platform) -> ColumnElement[bool]:
    return (LaunchLog.platform_id == platform.id) & LaunchLog.proven


def deployments(platform: Platform) -> Findings:
    what = f"{platform.name} deployment"
    for row in platform.deployments:
        if row.state == "waiting":
            yield fail(
                what, f"{row.deployment_id} launched and waits for approval",
                f"platforms.{platform.name}.deployment_ids, or run: "
                f"passport-lti platform approve {platform.name} {row.deployment_id}",
            )  # fmt: skip
    approved = [row.deployment_id for row in platform.deployments if row.state == "approved"]
    if approved:
        yield ok(what, f"approved: {', '.join(approved)}")
    elif not platform.deployments:
        yield note(what, "none yet: the first launch will wait for approval")


def logins(platform: Platform, tool: Tool) -> Findings:
    """Moodle answers a wrong redirect address on a page of its own: no launch comes then."""
    began = last_login(platform.id)
    if began is None:
        return
    accepted = db.session.scalar(
        select(func.max(LaunchLog.at)).where(
            LaunchLog.platform_id == platform.id, LaunchLog.verdict == "ok"
        )
    )
    # What names no registration rightly is noted with one of its issuer's.
    siblings = select(Platform.id).where(Platform.issuer == platform.issuer)
    refused = db.session.scalar(
        select(func.max(LaunchLog.at)).where(
            LaunchLog.verdict != "ok",
            LaunchLog.at >= began,
            or_(LaunchLog.platform_id.is_(None), LaunchLog.platform_id.in_(siblings)),
        )
    )
    if refused is not None or (accepted is not None and accepted >= began):
        return
    what = f"{platform.name} launch"
    problem = f"a login began at {began:%Y-%m-%d %H:%M} UTC but the platform sent no launch back"
    change = f"in the tool's settings at the platform: Redirection URI(s) to {tool.launch_url}"
    if accepted is None:
        yield fail(what, problem, change)
    else:
        yield note(what, f"{problem} (or somebody closed the window)", change)
