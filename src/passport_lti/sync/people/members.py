"""People of a platform, and what they are in a context."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import (
    Activity,
    Context,
    Member,
    Membership,
    Platform,
)

SEEN_AGAIN = timedelta(days=7)
"""How exactly it is known when a member was last seen: a roster without news writes nobody."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a platform names them, in a launch or on the roster."""

    sub: str
    role: str
    name: str = ""
    email: str = ""
    sourcedid: str = ""
    username: str = ""
    given_name: str = ""
    family_name: str = ""


def remember(platform: Platform, person: Person, now: datetime) -> Member:
    """The member of this platform with what the platform says of them; flushes.

    Where the person can be known by something else now, their contexts are planned again.
    """
    member = db.session.scalar(
        select(Member).where(Member.platform_id == platform.id, Member.sub == person.sub)
    )
    if member is None:
        member = Member(platform_id=platform.id, sub=person.sub, seen_at=now)
        db.session.add(member)
    before = (member.email, member.external_id)
    (
        member.name, member.given_name, member.family_name, member.email, member.external_id,
    ) = said(
        person, settings_of(platform).identity.external_id, member.name or "",
        member.given_name or "", member.family_name or "", member.email or "",
        member.external_id or "",
    )  # fmt: skip
    if db.session.is_modified(member) or now - member.seen_at > SEEN_AGAIN:
        member.seen_at = now
    db.session.flush()
    if before != (member.email, member.external_id):
        replan_all_of(member)
    return member


def said(
    person: Person, kind: str, name: str, given: str, family: str, email: str, external_id: str
) -> tuple[str, str, str, str, str]:
    """How a person of these names, e-mail address and external id is stored from now on.

    What privacy settings hide today does not erase what was known: accounts stay matched. `kind`
    is the platform's setting `identity.external_id`.
    """
    if person.given_name or person.family_name:
        given, family = person.given_name, person.family_name
    external = {
        "email": person.email,
        "sourcedid": person.sourcedid,
        "username": person.username,
        "sub": person.sub,
    }[kind]
    return (
        (person.name or name)[:255], given[:255], family[:255],
        (person.email or email)[:320], (external or external_id)[:320],
    )  # fmt: skip


def send_off(member: Member) -> None:
    """The member goes to Coursera for the first time: by which name, is remembered. Flushes.

    An e-mail address that changes later does not make a second person.
    """
    if member.known_as is None and member.external_id:
        member.known_as = member.external_id
        db.session.flush()


def tell(member: Member, external_id: str, now: datetime) -> None:
    """Coursera is told, or has answered, what it calls the member; flushes.

    That is certain from now on: rows of this name are the member's before any rule is asked.
    """
    if (member.known_as, member.told_at is None) != (external_id, False):
        member.known_as, member.told_at = external_id[:320], member.told_at or now
        db.session.flush()
        replan_all_of(member)


def enrol(context: Context, member: Member, role: str) -> bool:
    """Note what a member is in a context; True where that is news for the grades."""
    row = db.session.scalar(
        select(Membership).where(
            Membership.context_fk == context.id, Membership.member_fk == member.id
        )
    )
    if row is None:
        row = Membership(context_fk=context.id, member_fk=member.id, role=role, state="active")
        db.session.add(row)
    elif (row.role, row.state) == (role, "active"):
        return False
    row.role, row.state = role, "active"
    return True


def replan(context_fk: int) -> None:
    """Have the cells of a context planned again at the next poll."""
    db.session.execute(
        update(Activity).where(Activity.context_fk == context_fk).values(planned_digest="")
    )


def replan_all_of(member: Member) -> None:
    """The same for every context that a member is or was in."""
    joined = select(Membership.context_fk).where(Membership.member_fk == member.id)
    db.session.execute(
        update(Activity).where(Activity.context_fk.in_(joined)).values(planned_digest="")
    )
