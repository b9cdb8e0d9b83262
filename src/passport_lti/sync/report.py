"""What the gradebook should hold and does: the cells, the people, the rows that are nobody's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, or_, select, true

from passport_lti.extensions import db
from passport_lti.models import (
    Activity,
    Cell,
    Context,
    Deployment,
    LineItem,
    Match,
    Member,
    Membership,
    Platform,
    ResourceLink,
    UnmatchedLearner,
)
from passport_lti.sync.people import privacy


def cells(
    platform: str | None = None, activity: int | None = None, *, unfinished: bool = False
) -> list[dict[str, Any]]:
    """Every cell in the shape of the contract, in gradebook order; or all but the delivered.

    Plain columns, not objects: a large course has tens of thousands of cells.
    """
    owners = _owners(platform, activity)
    query = (
        select(
            LineItem.id, LineItem.label, LineItem.resource_id, LineItem.url,
            Member.sub, Member.name, Context.context_id,
            Platform.name.label("platform"), Platform.paused_until, Platform.paused_reason,
            Cell.state, Cell.reason, Cell.due_at, Cell.wanted_given, Cell.wanted_maximum,
            Cell.delivered_given, Cell.delivered_maximum,
            Cell.coursera_at, Cell.read_at, Cell.accepted_at,
        )
        .join(LineItem, LineItem.id == Cell.line_item_fk)
        .join(Member, Member.id == Cell.member_fk)
        .join(Context, Context.id == LineItem.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(_among(platform, activity))
        .order_by(LineItem.context_fk, LineItem.position, LineItem.id, Member.name, Member.id)
    )  # fmt: skip
    if unfinished:
        query = query.where(Cell.state != "delivered")
    return [
        _cell(row, owners) for row in db.session.execute(query.execution_options(yield_per=500))
    ]


def _cell(row: Any, owners: dict[int, int]) -> dict[str, Any]:
    waits = row.state == "due" and row.paused_until and row.due_at
    # A cell that was never tried waits for its platform's pause to end.
    paused = row.paused_reason if waits and row.due_at <= row.paused_until else None
    return {
        "platform": row.platform,
        "context": row.context_id,
        "activity": owners.get(row.id),
        "column": {
            "label": row.label or row.resource_id,
            "resource_id": row.resource_id,
            "line_item": row.url,
        },
        "member": {"sub": row.sub, "name": row.name},
        "state": row.state,
        "reason": row.reason or paused,
        "wanted": _points(row.wanted_given, row.wanted_maximum),
        "delivered": _points(row.delivered_given, row.delivered_maximum),
        "times": {
            "coursera": _time(row.coursera_at),
            "read": _time(row.read_at),
            "accepted": _time(row.accepted_at),
        },
    }


def people(platform: str | None = None, activity: int | None = None) -> list[dict[str, Any]]:
    """The learners of the chosen activities' contexts and whether Coursera's rows were found."""
    states = {
        (context, member): (state, by)
        for context, member, state, by in db.session.execute(
            select(Match.context_fk, Match.member_fk, Match.state, Match.by)
            .join(Activity, Activity.context_fk == Match.context_fk)
            .where(
                Activity.id.in_(_ids(platform, activity)),
                Activity.program_id == Match.program_id,
                Activity.course_id == Match.course_id,
            )
            .order_by(Match.state)
        )
    }
    rows = db.session.execute(
        select(Membership.context_fk, Membership.member_fk, Member.sub, Member.name, Platform.name,
               Context.context_id)
        .join(Member, Member.id == Membership.member_fk)
        .join(Context, Context.id == Membership.context_fk)
        .join(Platform, Platform.id == Member.platform_id)
        .where(
            Membership.role == "learner",
            Membership.state == "active",
            Membership.context_fk.in_(
                select(Activity.context_fk).where(Activity.id.in_(_ids(platform, activity)))
            ),
        )
        .order_by(Membership.context_fk, Member.name, Member.id)
    )  # fmt: skip
    found = []
    for context, member, sub, name, platform_name, context_id in rows:
        state, by = states.get((context, member), ("unmatched", None))
        found.append({"platform": platform_name, "context": context_id, "sub": sub, "name": name,
                      "state": state, "by": by})  # fmt: skip
    return found


def unmatched(platform: str | None = None, activity: int | None = None) -> list[dict[str, Any]]:
    """Coursera's rows that belong to nobody (or to several) in the chosen activities' contexts."""
    rows = db.session.execute(
        select(UnmatchedLearner.external_id, UnmatchedLearner.name, UnmatchedLearner.course_id)
        .join(
            Activity,
            (Activity.context_fk == UnmatchedLearner.context_fk)
            & (Activity.program_id == UnmatchedLearner.program_id)
            & (Activity.course_id == UnmatchedLearner.course_id),
        )
        .where(Activity.id.in_(_ids(platform, activity)))
        .distinct()
        .order_by(UnmatchedLearner.course_id, UnmatchedLearner.external_id)
    )
    return [{"external_id": e, "name": n, "course": c} for e, n, c in rows]


def problems(platform: str | None = None, activity: int | None = None) -> list[dict[str, Any]]:
    """Activities with something to explain: their reason code, and the roster's."""
    rows = db.session.execute(
        select(Activity, Context)
        .join(Context, Context.id == Activity.context_fk)
        .where(Activity.id.in_(_ids(platform, activity)))
        .order_by(Activity.id)
    )
    found = []
    for row, context in rows:
        roster = context.roster_problem or (None if context.memberships_url else "roster_unknown")
        hidden = privacy.hidden(context)
        # A roster that can't be read is no reason to keep quiet about names that are hidden.
        roster = roster or hidden.reason
        if row.problem or roster:
            found.append(
                {"id": row.id, "title": row.title, "problem": row.problem, "roster": roster,
                 "privacy": hidden.reason, "hidden": hidden.count, "learners": hidden.learners}
            )  # fmt: skip
    return found


def line_items_of(platform: str | None = None, activity: int | None = None) -> Sequence[LineItem]:
    """The columns that stand for the chosen activities, and idle ones of their courses."""
    query = (
        select(LineItem)
        .join(Context, Context.id == LineItem.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .order_by(LineItem.id)
    )
    if platform is not None:
        query = query.where(Platform.name == platform)
    if activity is not None:
        query = query.where(_serves(activity))
    return db.session.scalars(query).all()


def _serves(number: int) -> ColumnElement[bool]:
    """The columns of one activity: its own by its link, or those that its course shares."""
    row = db.session.get(Activity, number)
    if row is None:
        return false()
    link = row.resource_link.resource_link_id if row.resource_link else None
    own = (LineItem.owner == "platform") & (LineItem.resource_link_id == link)
    shared = (LineItem.owner == "tool") & LineItem.resource_id.startswith(
        f"coursera:{row.course_id}:", autoescape=True
    )
    either = or_(own, shared) if row.strategy == "granular_auto_columns" else own
    return (LineItem.context_fk == row.context_fk) & either


def _owners(platform: str | None, activity: int | None) -> dict[int, int]:
    """Line item id -> the activity it is listed under: its own, or the first that shares it."""
    owners: dict[int, int] = {}
    rows = db.session.execute(
        select(Activity.id, Activity.context_fk, Activity.course_id, ResourceLink.resource_link_id)
        .outerjoin(ResourceLink, ResourceLink.id == Activity.resource_link_fk)
        .where(Activity.id.in_(_ids(platform, activity)))
        .order_by(Activity.strategy != "granular_auto_columns", Activity.id)
    ).all()
    for item in line_items_of(platform, activity):
        for number, context, course, link in rows:
            coupled = item.owner == "platform" and link == item.resource_link_id
            shared = item.owner == "tool" and item.resource_id.startswith(f"coursera:{course}:")
            if context == item.context_fk and (coupled or shared):
                owners.setdefault(item.id, number)
    return owners


def _among(platform: str | None, activity: int | None) -> ColumnElement[bool]:
    if platform is None and activity is None:
        return true()
    return LineItem.id.in_([item.id for item in line_items_of(platform, activity)])


def _ids(platform: str | None, activity: int | None) -> Select[int]:
    query = (
        select(Activity.id)
        .join(Context, Context.id == Activity.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
    )
    if platform is not None:
        query = query.where(Platform.name == platform)
    return query if activity is None else query.where(Activity.id == activity)


def _points(given: float | None, maximum: float | None) -> dict[str, float] | None:
    return None if given is None else {"given": given, "maximum": maximum or 0.0}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def platform_exists(name: str) -> bool:
    return db.session.scalar(select(Platform.id).where(Platform.name == name)) is not None


def activity_exists(number: int) -> bool:
    return db.session.get(Activity, number) is not None
