"""What was done at Coursera for learners: counted for administrators, told to instructors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from passport_lti.coursera.rows import key
from passport_lti.extensions import db
from passport_lti.models import Activity, Member, Membership, Platform, Program, Provision

_Row = tuple[str, str, str | None, str | None, str]
"""Step, state, outcome, reason, and who it is."""


@dataclass(frozen=True, slots=True)
class Seats:
    """One program of one organisation: how many people were brought there by their launches.

    `invited` may take a seat, `members` have taken one; of both, whoever was there before by
    somebody else's doing is in `before`, too. `waiting` people are asked for again by themselves;
    `problems`: reason -> people.
    """

    connection: str
    program_id: str
    program: str
    invited: int
    members: int
    before: int
    enrollments: int
    waiting: int
    problems: dict[str, int]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A learner of a context who has no place at Coursera by a launch, and why."""

    member_id: int
    name: str
    state: str
    reason: str
    detail: str


def seats(connection: str | None = None, platform: Platform | None = None) -> list[Seats]:
    """Per program; a person of two platforms with one external id counts once."""
    query = select(
        Provision.connection, Provision.program_id, Provision.step, Provision.state,
        Provision.outcome, Provision.reason, Provision.external_id, Provision.member_fk,
    ).order_by(Provision.connection, Provision.program_id)  # fmt: skip
    if connection is not None:
        query = query.where(Provision.connection == connection)
    if platform is not None:
        query = query.join(Member).where(Member.platform_id == platform.id)
    rows: dict[tuple[str, str], list[_Row]] = {}
    found = db.session.execute(query).all()
    called = {row.member_fk: key(row.external_id) for row in found if row.external_id}
    for name, program, step, state, outcome, reason, _, member in found:
        person = called.get(member) or f"member {member}"
        rows.setdefault((name, program), []).append((step, state, outcome, reason, person))
    names = {
        (program.connection, program.program_id): program.name
        for program in db.session.scalars(select(Program))
    }
    return [_counted(*place, names.get(place, place[1]), these) for place, these in rows.items()]


def _counted(connection: str, program_id: str, name: str, rows: Sequence[_Row]) -> Seats:
    def people(*steps: str, state: str = "done", outcome: str | None = None) -> int:
        return len(
            {p for s, st, o, _, p in rows if s in steps and st == state and outcome in (None, o)}
        )

    problems: dict[str, set[str]] = {}
    for _, state, _, reason, person in rows:
        # Not enrolled because not joined: that is one problem, and the other row says which.
        if state in ("rejected", "held") and reason and reason != "not_joined":
            problems.setdefault(reason, set()).add(person)
    return Seats(
        connection=connection, program_id=program_id, program=name,
        invited=people("invite"), members=people("join"),
        before=people("invite", "join", outcome="existed"),
        enrollments=sum(1 for s, st, *_ in rows if s == "enroll" and st == "done"),
        waiting=people("invite", "join", "enroll", state="due"),
        problems={reason: len(found) for reason, found in sorted(problems.items())},
    )  # fmt: skip


def troubles(activity: Activity) -> list[Trouble]:
    """Learners of the activity's context whom Coursera has not taken in yet, by name."""
    rows = db.session.execute(
        select(Member.id, Member.name, Provision.state, Provision.reason, Provision.detail)
        .join(Provision, Provision.member_fk == Member.id)
        .join(Membership, Membership.member_fk == Member.id)
        .where(
            Membership.context_fk == activity.context_fk,
            Membership.role == "learner",
            Membership.state == "active",
            Provision.connection == activity.connection,
            Provision.program_id == activity.program_id,
            Provision.course_id.in_(("", activity.course_id)),
            Provision.state != "done",
        )
        .order_by(Member.name, Member.id, Provision.id)
    )
    found: dict[int, Trouble] = {}
    for member, name, state, reason, detail in rows:
        found.setdefault(member, Trouble(member, name, state, reason or "waiting", detail))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was brought about for a learner; `step`: invite, join or enroll."""

    step: str
    outcome: str
    at: datetime


def done_for(member_id: int, activity: Activity) -> list[Done]:
    """What Coursera has done for a learner in the activity's program and course, oldest first."""
    rows = db.session.execute(
        select(Provision.step, Provision.outcome, Provision.changed_at)
        .where(
            Provision.member_fk == member_id,
            Provision.connection == activity.connection,
            Provision.program_id == activity.program_id,
            Provision.course_id.in_(("", activity.course_id)),
            Provision.state == "done",
        )
        .order_by(Provision.changed_at, Provision.id)
    )
    return [Done(step, outcome or "", at) for step, outcome, at in rows]


def provided(activity: Activity) -> int:
    """Learners of the activity's context whom their launch has brought into its program."""
    return (
        db.session.scalar(
            select(func.count(func.distinct(Provision.member_fk)))
            .join(Membership, Membership.member_fk == Provision.member_fk)
            .where(
                Membership.context_fk == activity.context_fk,
                Provision.connection == activity.connection,
                Provision.program_id == activity.program_id,
                Provision.step.in_(("invite", "join")),
                Provision.state == "done",
            )
        )
        or 0
    )
