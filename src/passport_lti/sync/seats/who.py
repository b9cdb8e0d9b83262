"""Who may take a seat: learners, and nobody who only looks like one."""

from sqlalchemy import func, select

from passport_lti.extensions import db
from passport_lti.lti.claims import Launch
from passport_lti.models import TAUGHT_LAUNCHES, Context, LaunchLog, Member, Membership


def seatless(launch: Launch, member: Member, context: Context | None) -> str | None:
    """Why a launch with the role of a learner takes no seat; None where it may.

    `test_user`: the platform says so. `administrator`: Moodle keeps saying it while staff have
    switched their role. `teaches`: a teacher who looks as a learner does; so it must be asked
    before what the launch says of the person in the context is stored.
    """
    if launch.role != "learner":
        return None
    if found := posing(launch):
        return found
    if context is not None and _teaches(member, context):
        return "teaches"
    return None


def posing(launch: Launch) -> str | None:
    """What the launch itself says against a seat for its learner."""
    if launch.role != "learner":
        return None
    if launch.is_test:
        return "test_user"
    return "administrator" if launch.is_admin else None


def learns(member_id: int, context: Context) -> bool:
    """Whether somebody may be given a seat without a launch: a learner of the context today.

    Nobody of whom a launch has said that they only look like one.
    """
    member = db.session.get_one(Member, member_id)
    place = db.session.scalar(
        select(Membership).where(
            Membership.context_fk == context.id,
            Membership.member_fk == member_id,
            Membership.role == "learner",
            Membership.state == "active",
        )
    )
    if place is None or _teaches(member, context):
        return False
    seatless = select(LaunchLog.id).where(
        LaunchLog.member_fk == member_id,
        LaunchLog.seatless.in_(("test_user", "administrator")),
    )
    return db.session.scalar(seatless.limit(1)) is None


def _teaches(member: Member, context: Context) -> bool:
    """Whether the member is a teacher here, by the roster or by an earlier launch.

    Such a launch counts until the roster, read later, says that the member learns here.
    """
    place = db.session.scalar(
        select(Membership).where(
            Membership.context_fk == context.id, Membership.member_fk == member.id
        )
    )
    if place is not None and place.role == "instructor":
        return True
    taught = db.session.scalar(
        select(func.max(LaunchLog.at)).where(
            LaunchLog.member_fk == member.id,
            LaunchLog.context_fk == context.id,
            TAUGHT_LAUNCHES,
        )
    )
    if taught is None:
        return False
    learns = place is not None and place.state == "active" and context.roster_read_at
    return not (learns and learns > taught)
