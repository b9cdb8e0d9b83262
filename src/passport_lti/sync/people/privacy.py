"""What a platform's privacy settings hide: learners whom no rule can match, and what to change."""

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select

from passport_lti.config.settings import Identity
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Context, Member, Membership, Platform

_BY_KIND = {"username": "usernames_hidden", "sourcedid": "id_numbers_missing"}


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many of a context's learners nothing is known of that Coursera could know them by.

    `reason` is a code with a remedy; None where everybody can be matched.
    """

    learners: int
    count: int
    reason: str | None


def hidden(context: Context) -> Hidden:
    """Count the learners whom neither a rule nor a person's choice can match."""
    identity = settings_of(context.deployment.platform).identity
    usable = [getattr(Member, rule) != "" for rule in identity.match_by]
    here = (
        select(func.count())
        .select_from(Membership)
        .join(Member)
        .where(
            Membership.context_fk == context.id,
            Membership.role == "learner",
            Membership.state == "active",
        )
    )
    learners = db.session.scalar(here) or 0
    known = or_(Member.learner_external_id.is_not(None), *usable)
    count = learners - (db.session.scalar(here.where(known)) or 0)
    return Hidden(
        learners, count, _reason(identity, everybody=count == learners) if count else None
    )


def of_platform(platform: Platform) -> dict[int, Hidden]:
    """The same for every context of a platform that has learners, by the context's id."""
    identity = settings_of(platform).identity
    usable = [getattr(Member, rule) != "" for rule in identity.match_by]
    known = or_(Member.learner_external_id.is_not(None), *usable)
    rows = db.session.execute(
        select(
            Membership.context_fk, func.count(), func.sum(case((known, 0), else_=1)),
        )
        .join(Member)
        .where(
            Member.platform_id == platform.id,
            Membership.role == "learner",
            Membership.state == "active",
        )
        .group_by(Membership.context_fk)
    )  # fmt: skip
    return {
        context: Hidden(
            learners,
            count,
            _reason(identity, everybody=count == learners) if count else None,
        )
        for context, learners, count in rows
    }


def _reason(identity: Identity, *, everybody: bool) -> str:
    """E-mail addresses are what a platform can share with one setting, so they come first."""
    if identity.external_id == "email" or "email" in identity.match_by:
        return "emails_hidden" if everybody else "some_emails_hidden"
    return _BY_KIND.get(identity.external_id, "emails_hidden")
