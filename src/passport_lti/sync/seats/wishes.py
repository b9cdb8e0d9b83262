"""What is to be done at Coursera for a learner, by a launch or by hand: noted before it begins."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, LaunchLog, Match, Member, Platform, Provision
from passport_lti.sync.people import members
from passport_lti.sync.seats import who

log = logging.getLogger(__name__)

STEPS = {"none": (), "invite": ("invite",), "enroll": ("join", "enroll")}
AGAIN = timedelta(minutes=10)
"""When a launch tries again what Coursera has refused: an administrator may have made room."""


def wanted(launch: LaunchLog, activity: Activity, now: datetime) -> int | None:
    """Note what a learner's way out is to bring about; commits.

    Returns the member for whom something is due now, None where nothing is. Whoever may take a
    seat is remembered by the name of this first time, whatever the platform's mode.
    """
    if launch.role != "learner" or launch.seatless or launch.member_fk is None:
        return None
    return _noted(launch.member_fk, activity, now, AGAIN)


def by_hand(member_id: int, activity: Activity, now: datetime) -> int | None:
    """The same for somebody whom an instructor of the activity's context asks in; commits.

    They need not have launched. What Coursera has refused is tried again at once. None for whoever
    does not learn here, or may take no seat.
    """
    if not who.learns(member_id, activity.context):
        return None
    return _noted(member_id, activity, now, timedelta(0))


def _noted(member_id: int, activity: Activity, now: datetime, again: timedelta) -> int | None:
    member = db.session.get_one(Member, member_id)
    platform = db.session.get_one(Platform, member.platform_id)
    for attempt in range(2):
        try:
            members.send_off(member)
            rows = _rows(member, platform, activity, now, again)
            db.session.commit()
            return member.id if any(_is_due(row, now) for row in rows) else None
        except IntegrityError:
            # Two launches of one learner met; the second finds what the first has written.
            db.session.rollback()
            if attempt:
                raise
    raise AssertionError("unreachable")


def external_id_of(member: Member, connection: str, program_id: str) -> str:
    """What Coursera is to call a member: what it does already, as far as that is known."""
    if member.told_at is not None:
        return member.coursera_id
    known = db.session.scalar(
        select(Match.external_id)
        .join(
            Activity,
            (Activity.context_fk == Match.context_fk) & (Activity.program_id == Match.program_id),
        )
        .where(
            Match.member_fk == member.id,
            Match.state == "matched",
            Activity.connection == connection,
        )
        .order_by(Match.program_id != program_id, Match.id.desc())
        .limit(1)
    )
    return known or member.learner_external_id or member.coursera_id


def _rows(
    member: Member, platform: Platform, activity: Activity, now: datetime, again: timedelta
) -> Sequence[Provision]:
    steps = STEPS[settings_of(platform).provisioning]
    place = {"connection": activity.connection, "program_id": activity.program_id}
    found = {
        (row.step, row.course_id): row
        for row in db.session.scalars(select(Provision).filter_by(member_fk=member.id, **place))
    }
    rows = []
    for step in steps:
        course = activity.course_id if step == "enroll" else ""
        row = found.get((step, course))
        if row is None:
            row = Provision(
                member_fk=member.id, **place, step=step, course_id=course, state="held",
                created_at=now, changed_at=now,
            )  # fmt: skip
            db.session.add(row)
        if row.state == "held" or (row.state == "rejected" and now - row.changed_at >= again):
            _set(row, _lacks(member, platform, activity), now)
        rows.append(row)
    db.session.flush()
    return rows


def _set(row: Provision, lacks: str | None, now: datetime) -> None:
    """Due, or held for what is missing."""
    if lacks is not None and (row.state, row.reason) == ("held", lacks):
        return
    row.changed_at, row.reason, row.detail = now, lacks, ""
    row.state = "held" if lacks else "due"
    row.due_at = None if lacks else _next_look(row, now)
    if lacks:
        log.warning(
            "provision=%s member=%s program=%s: %s", row.step, row.member_fk, row.program_id, lacks
        )


def _lacks(member: Member, platform: Platform, activity: Activity) -> str | None:
    if not external_id_of(member, activity.connection, activity.program_id):
        return "no_external_id"
    if not member.email:
        return "no_email"
    if settings_of(platform).identity.external_id == "sub" and _is_anothers(member, activity):
        return "id_shared"
    return None


def _is_anothers(member: Member, activity: Activity) -> bool:
    """Whether Coursera was told this id for somebody of another platform of the organisation.

    Every Moodle counts its users from 1: by `sub` two people would become one.
    """
    wanted = external_id_of(member, activity.connection, activity.program_id)
    other = db.session.scalar(
        select(Provision.id)
        .join(Member, Provision.member_fk == Member.id)
        .where(
            Provision.connection == activity.connection,
            Provision.external_id == wanted,
            Member.platform_id != member.platform_id,
        )
        .limit(1)
    )
    return other is not None


def _next_look(row: Provision, now: datetime) -> datetime:
    """Now, or with everybody else where Coursera is known not to answer at the moment."""
    paused = db.session.scalar(
        select(Provision.due_at)
        .where(
            Provision.connection == row.connection,
            Provision.state == "due",
            Provision.attempts > 0,
            Provision.due_at > now,
        )
        .order_by(Provision.due_at)
        .limit(1)
    )
    return paused or now


def _is_due(row: Provision, now: datetime) -> bool:
    return row.state == "due" and row.due_at is not None and row.due_at <= now
