"""What a person decides about who is who: it holds in the whole platform until it is undone."""

import logging
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError

from passport_lti.coursera.rows import key
from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.models import Context, Deployment, Match, Member, Membership, UnmatchedLearner
from passport_lti.sync import holds
from passport_lti.sync.people.members import replan, replan_all_of

log = logging.getLogger(__name__)


class RowTaken(PassportError):
    """The row was confirmed for somebody whom this context knows nothing of."""


def confirm(context: Context, member: Member, external_id: str, now: datetime) -> None:
    """The Coursera row is this member's, in all contexts of the platform; commits.

    `member` learns in `context`, and so may the one who has the row now. Cells that the row, or
    another row of the member, has fed are withdrawn. Raises RowTaken.
    """
    row = key(external_id)
    holder = db.session.scalar(
        select(Member).where(
            Member.platform_id == member.platform_id,
            Member.learner_external_id == row,
            Member.id != member.id,
        )
    )
    if holder is not None:
        if not _may_be_moved(holder, context):
            raise RowTaken("this Coursera account is somebody's of another course")
        release(holder, now)
    member.learner_external_id = row
    try:
        db.session.flush()
    except IntegrityError:
        # Two people confirmed the same row for two members; the first one's choice stands.
        db.session.rollback()
        raise RowTaken("this Coursera account was given to somebody else just now") from None
    _settle(member, row, now)
    replan_all_of(member)
    log.info("context=%s member=%s is confirmed", context.id, member.id)
    db.session.commit()


def undo(context: Context, member: Member, now: datetime) -> None:
    """Leave it to the rules again whose row is this member's; commits."""
    release(member, now)
    log.info("context=%s member=%s is not confirmed any more", context.id, member.id)
    db.session.commit()


def release(member: Member, now: datetime, *, listed: bool = True) -> None:
    """Forget what was confirmed of a member, and withdraw the cells that it fed; flushes.

    What stands in the gradebook stays there. The row is `listed` as nobody's.
    """
    member.learner_external_id = None
    found = select(Match).where(Match.member_fk == member.id, Match.by == "confirmed")
    for match in db.session.scalars(found).all():
        if listed:
            db.session.add(_unmatched(match))
        _forget(match, now)
    replan_all_of(member)
    db.session.flush()


def _may_be_moved(holder: Member, context: Context) -> bool:
    """Whether an instructor of this context may take a row from its holder.

    Who is active nowhere is nobody's any more: an account that the platform has made anew.
    """
    active = db.session.scalars(
        select(Membership.context_fk).where(
            Membership.member_fk == holder.id,
            Membership.role == "learner",
            Membership.state == "active",
        )
    ).all()
    return not active or context.id in active


def _settle(member: Member, row: str, now: datetime) -> None:
    """Bring what was found before in line with the choice, in every context of the platform."""
    here = select(Context.id).join(Deployment).where(Deployment.platform_id == member.platform_id)
    touched = db.session.scalars(
        select(Match).where(
            Match.context_fk.in_(here),
            # Lower case finds what it can; the next planning compares as matching does.
            or_(Match.member_fk == member.id, func.lower(Match.external_id) == row),
        )
    ).all()
    for match in touched:
        if match.member_fk == member.id and key(match.external_id) == row:
            match.state, match.by = "matched", "confirmed"
        else:
            replan(match.context_fk)
            _forget(match, now)
    db.session.flush()
    places = select(Membership.context_fk).where(
        Membership.member_fk == member.id,
        Membership.role == "learner",
        Membership.state == "active",
    )
    waiting = db.session.scalars(
        select(UnmatchedLearner).where(
            UnmatchedLearner.context_fk.in_(places),
            func.lower(UnmatchedLearner.external_id) == row,
        )
    ).all()
    for stranger in waiting:
        _match(member, stranger)
    db.session.flush()


def _match(member: Member, stranger: UnmatchedLearner) -> None:
    place = {
        "context_fk": stranger.context_fk, "program_id": stranger.program_id,
        "course_id": stranger.course_id,
    }  # fmt: skip
    known = select(Match.id).filter_by(**place, member_fk=member.id)
    if db.session.scalar(known) is None:
        db.session.add(
            Match(**place, member_fk=member.id, external_id=stranger.external_id,
                  name=stranger.name, state="matched", by="confirmed")
        )  # fmt: skip
    db.session.delete(stranger)


def _forget(match: Match, now: datetime) -> None:
    holds.withdraw(match.context_fk, match.course_id, [match.member_fk], now)
    db.session.delete(match)


def _unmatched(match: Match) -> UnmatchedLearner:
    return UnmatchedLearner(
        context_fk=match.context_fk,
        program_id=match.program_id,
        course_id=match.course_id,
        external_id=match.external_id,
        name=match.name,
    )
