"""Whether names and e-mail addresses arrive: without them nobody can be matched."""

from collections.abc import Sequence

from sqlalchemy import select

from passport_lti.doctor.findings import Findings, fail, note, ok
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti import nrps
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Context, Deployment, LaunchLog, Member, Platform
from passport_lti.sync.services import Services

_FORM = "in the tool's settings at the platform: Privacy, Share launcher's {} with tool to Always"


_KINDS = {"username": "user name", "sourcedid": "ID number"}


def check(services: Services, platform: Platform) -> Findings:
    """From the roster of the context launched last, else from the people who launched."""
    context = launched_context(platform)
    people: Sequence[nrps.RosterMember | Member] = ()
    if context is not None and context.memberships_url:
        what = f"{platform.name} roster of {context.label or context.context_id}"
        try:
            people = nrps.members(services.platform(platform), context.memberships_url)
        except ServiceError as error:
            yield fail(what, error.detail, "what the token lines above name")
        else:
            yield ok(what, f"{len(people)} people")
    if not people:
        people = db.session.scalars(
            select(Member)
            .where(Member.platform_id == platform.id, Member.seen_at.is_not(None))
            .order_by(Member.seen_at.desc())
            .limit(20)
        ).all()
    yield from _shared(platform, people)


def launched_context(platform: Platform) -> Context | None:
    """The context that was launched last, with an address for its columns if there is one."""
    return db.session.scalar(
        select(Context)
        .join(Deployment, Context.deployment_fk == Deployment.id)
        .join(LaunchLog, LaunchLog.context_fk == Context.id)
        .where(Deployment.platform_id == platform.id, LaunchLog.verdict == "ok")
        .order_by(Context.line_items_url.is_(None), LaunchLog.id.desc())
        .limit(1)
    )


def _shared(platform: Platform, people: Sequence[nrps.RosterMember | Member]) -> Findings:
    what = f"{platform.name} privacy"
    if not people:
        yield note(what, "unknown until somebody launches")
        return
    identity = settings_of(platform).identity
    hidden = False
    if not any(person.name for person in people):
        hidden = True
        yield fail(what, "names are hidden from the tool", _FORM.format("name"))
    if not any(person.email for person in people):
        hidden = True
        problem = "e-mail addresses are hidden from the tool"
        if identity.external_id == "email" or "email" in identity.match_by:
            yield fail(what, f"{problem}, and people are matched by them", _FORM.format("email"))
        else:
            yield note(what, problem)
    kind = identity.external_id
    if kind in ("username", "sourcedid"):
        known = [person for person in people if _has(person, kind)]
        if not known:
            hidden = True
            yield fail(
                what, f"nobody's {_KINDS[kind]} arrives, and Coursera is to know people by it",
                _FORM.format("name") if kind == "username" else
                "the ID number in the users' profiles at the platform, or identity.external_id",
            )  # fmt: skip
        elif len(known) < len(people):
            yield note(what, f"{len(people) - len(known)} people have no {_KINDS[kind]}")
    if not hidden:
        yield ok(what, "names and e-mail addresses arrive")


def _has(person: nrps.RosterMember | Member, kind: str) -> bool:
    if isinstance(person, Member):
        return bool(person.external_id)
    return bool(getattr(person, kind))
