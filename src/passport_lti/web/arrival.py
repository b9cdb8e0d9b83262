"""Where a person goes after a launch: the picker, the instructor's page or Coursera."""

from dataclasses import dataclass

from flask import g, render_template, url_for
from flask import make_response as response_of
from flask import redirect as redirect_to
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from passport_lti.config import PlatformSettings
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.lti.claims import DEEP_LINKING_REQUEST, Launch
from passport_lti.lti.launch import Verified
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Context, LaunchLog, Platform
from passport_lti.sync.familiar import Accepted
from passport_lti.web import picker, security, sessions, standing, welcome
from passport_lti.web.sessions import Kind, Linking, PageSession

FRAMES = ("iframe", "frame")


@dataclass(frozen=True, slots=True)
class Visit:
    """An accepted launch on its way to a page."""

    log: Accepted | LaunchLog
    settings: PlatformSettings
    linking: Linking | None
    framed: bool


def of(verified: Verified, log: Accepted | LaunchLog) -> Visit:
    launch, asked = verified.launch, verified.launch.deep_linking
    linking = None
    if asked is not None:
        linking = Linking(launch.deployment_id, asked.return_url, asked.accept_multiple, asked.data)
    return Visit(log, verified.platform.settings, linking, launch.target in FRAMES)


def confirmed(session: PageSession) -> Visit:
    """The visit of a launch that its person has just confirmed; commits that."""
    db.session.commit()
    settings = settings_of(session.platform)
    return Visit(session.launch, settings, session.linking, session.framed)


def ask_who(visit: Visit, launch: Launch) -> Response:
    """The page that names the person and the context, where no cookie came back."""
    # The answer to this form may lead on to Coursera and from there to a sign-in page anywhere;
    # browsers hold every redirect of a form against form-action.
    security.allow_form_to("https:", _coursera_of(visit.log))
    return _page(
        "lti/confirm.html",
        name=launch.name or launch.email or _("a person whose name your platform keeps private"),
        context=launch.context,
        session=sessions.issue(Kind.CONFIRM, visit.log, visit.linking, visit.framed),
    )


def go_on(visit: Visit) -> Response:
    """By message and role: the picker, the instructor's page, or the way to Coursera."""
    log = g.launch = visit.log
    if log.message_type == DEEP_LINKING_REQUEST:
        value = sessions.issue(Kind.PICKER, log, visit.linking)
        return picker.first_page(_platform(log), log, value, visit.linking)
    teaches = log.role in ("instructor", "admin")
    if log.activity_fk is None:
        return _page("lti/empty.html", teaches=teaches, context=_context(log))
    if teaches:
        value = sessions.issue(Kind.INSTRUCTOR, log)
        address = url_for("instructor.activity", activity_id=log.activity_fk, session=value)
        return redirect_to(address, 303)
    return _to_coursera(visit)


def _to_coursera(visit: Visit) -> Response:
    log = visit.log
    if log.role == "learner" and standing.is_wanted(log.activity_fk):
        return standing.lead(log)
    value = sessions.issue(Kind.LEARNER, log)
    way = url_for("learner.go", activity_id=log.activity_fk, session=value)
    stops = visit.settings.sso.explain and welcome.is_first(log)
    if log.role == "learner" and not visit.framed and not stops:
        return redirect_to(way, 303)
    first = welcome.is_first(log)
    activity = db.session.get_one(Activity, log.activity_fk)
    return _page(
        "learner/open.html", activity=activity, way=f"{way}&seen=1" if first else way,
        graded=log.role == "learner", first=first, framed=visit.framed, session=value,
        platform=_platform(log),
    )  # fmt: skip


def _coursera_of(log: Accepted | LaunchLog) -> str:
    activity = db.session.get(Activity, log.activity_fk) if log.activity_fk else None
    if activity is None:
        return ""
    return security.origin(catalogue.program_url(activity.connection, activity.program_id))


def _context(log: Accepted | LaunchLog) -> Context | None:
    return db.session.get(Context, log.context_fk) if log.context_fk else None


def _platform(log: Accepted | LaunchLog) -> Platform:
    return db.session.get_one(Platform, log.platform_id)


def _page(template: str, **values: object) -> Response:
    return response_of(render_template(template, **values))
