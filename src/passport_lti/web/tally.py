"""Why grades and people are missing on a platform: every reason, counted. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select

from passport_lti.extensions import db
from passport_lti.models import (
    Activity,
    Cell,
    Context,
    Deployment,
    LineItem,
    Platform,
    Program,
    ProgramCourse,
    ResourceLink,
)
from passport_lti.sync.people import privacy


class What(StrEnum):
    """What a reason is counted in."""

    GRADES = "grades"
    ACTIVITIES = "activities"
    CONTEXTS = "contexts"
    LEARNERS = "learners"
    COURSES = "courses"


@dataclass
class Reason:
    """One reason code; `places` says how often in which activity. `detail` is Coursera's side's."""

    code: str
    what: What
    times: int = 0
    places: dict[int, int] = field(default_factory=dict)
    detail: str = ""

    def add(self, activity: int | None, times: int = 1) -> None:
        self.times += times
        if activity is not None:
            self.places[activity] = self.places.get(activity, 0) + times


Found = Iterator[tuple[str, What, int | None, int, str]]
"""Code, what is counted, the activity to look at, how many, detail."""


def of(platform: Platform) -> list[Reason]:
    """The reasons of a platform, the most frequent first."""
    activities = _activities(platform)
    reasons: dict[tuple[str, What], Reason] = {}
    parts = (
        _cells(platform, activities),
        _problems(activities),
        _rosters(activities),
        _hidden(platform, activities),
        _unread(platform),
    )
    for part in parts:
        for code, what, activity, times, detail in part:
            reason = reasons.setdefault((code, what), Reason(code, what, detail=detail))
            reason.add(activity, times)
    return sorted(reasons.values(), key=lambda reason: (-reason.times, reason.code))


def activities_of(platform: Platform) -> dict[int, Activity]:
    """The platform's activities by id."""
    return {activity.id: activity for activity, *_ in _activities(platform)}


Rows = list[tuple[Activity, Context, str | None]]


def _activities(platform: Platform) -> Rows:
    rows = db.session.execute(
        select(Activity, Context, ResourceLink.resource_link_id)
        .join(Context, Context.id == Activity.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .outerjoin(ResourceLink, ResourceLink.id == Activity.resource_link_fk)
        .where(Deployment.platform_id == platform.id, Activity.state != "retired")
        # Where several share a column, it is one of option B's.
        .order_by(Activity.strategy != "granular_auto_columns", Activity.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _cells(platform: Platform, activities: Rows) -> Found:
    """Cells that don't hold what they should, and why."""
    coupled = {(a.context_fk, link): a.id for a, _, link in reversed(activities)}
    shared = {(a.context_fk, a.course_id): a.id for a, *_ in reversed(activities)}
    rows = db.session.execute(
        select(
            Cell.reason, LineItem.context_fk, LineItem.owner, LineItem.resource_link_id,
            LineItem.resource_id, func.count(),
        )
        .join(LineItem, LineItem.id == Cell.line_item_fk)
        .join(Context, Context.id == LineItem.context_fk)
        .where(
            _here(platform),
            Cell.reason.is_not(None),
            Cell.state.in_(("due", "held", "rejected")),
        )
        .group_by(Cell.reason, LineItem.id)
    )  # fmt: skip
    for code, context, owner, link, resource_id, times in rows:
        if owner == "platform":
            activity = coupled.get((context, link))
        else:
            activity = shared.get((context, resource_id.split(":")[1]))
        yield code or "", What.GRADES, activity, times, ""


def _problems(activities: Rows) -> Found:
    for activity, *_ in activities:
        if activity.problem:
            yield activity.problem, What.ACTIVITIES, activity.id, 1, ""


def _rosters(activities: Rows) -> Found:
    """Lists of participants that can't be read, each once for its context."""
    first = {context.id: (activity.id, context) for activity, context, _ in reversed(activities)}
    for activity_id, context in first.values():
        problem = context.roster_problem or (None if context.memberships_url else "roster_unknown")
        if problem:
            yield problem, What.CONTEXTS, activity_id, 1, ""


def _hidden(platform: Platform, activities: Rows) -> Found:
    first = {activity.context_fk: activity.id for activity, *_ in reversed(activities)}
    for context_id, hidden in privacy.of_platform(platform).items():
        if hidden.reason and context_id in first:
            yield hidden.reason, What.LEARNERS, first[context_id], hidden.count, ""


def _unread(platform: Platform) -> Found:
    """Coursera courses whose grades could not be read the last time."""
    rows = db.session.execute(
        select(ProgramCourse.poll_problem, func.min(Activity.id))
        .join(Program, Program.id == ProgramCourse.program_fk)
        .join(
            Activity,
            (Activity.course_id == ProgramCourse.course_id)
            & (Activity.program_id == Program.program_id)
            & (Activity.connection == Program.connection),
        )
        .join(Context, Context.id == Activity.context_fk)
        .where(
            _here(platform),
            ProgramCourse.poll_problem.is_not(None),
            Activity.state != "retired",
        )
        .group_by(ProgramCourse.id)
    )
    for problem, activity in rows:
        code, _, detail = (problem or "").partition(": ")
        yield code, What.COURSES, activity, 1, detail


def _here(platform: Platform) -> ColumnElement[bool]:
    """Whether a query's context is of the platform."""
    return Context.deployment_fk.in_(
        select(Deployment.id).where(Deployment.platform_id == platform.id)
    )
