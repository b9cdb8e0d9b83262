"""The instructor's picker: a deep linking request's page and its answer."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.errors import LaunchRefused, ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course, Link
from passport_lti.lti import deep_linking, keys
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Context, LaunchLog, Platform
from passport_lti.strategies import STRATEGIES
from passport_lti.sync.activities import publish
from passport_lti.web import picking, security, sessions
from passport_lti.web.pages import services
from passport_lti.web.picking import Picked
from passport_lti.web.sessions import Kind, Linking, PageSession

blueprint = Blueprint("picker", __name__)

UNREACHABLE = "Coursera can't be reached just now ({}). Please try again in a moment."


def first_page(
    platform: Platform, log: LaunchLog, session: str, linking: Linking | None
) -> Response:
    """The answer to a deep linking launch: what we know already; it never asks Coursera."""
    settings = settings_of(platform)
    known = catalogue.known(settings.coursera)
    if known.read_at is None:
        return make_response(render_template("picker/reading.html", session=session))
    shown = picking.offer(known, Picked(step="start"), None, settings)
    return _page(session, log, Picked(step="start"), shown)


@blueprint.route("/deep-linking", methods=["GET", "POST"])
def pick() -> Response:
    session = sessions.load(Kind.PICKER)
    if session.launch.answered_at is not None or session.linking is None:
        raise LaunchRefused("session", "the content was already returned", 403)
    settings = settings_of(session.platform)
    picked = picking.read_form(request.values, settings.default_strategy)
    if request.method == "GET" or picked.step:
        return _show(session, picked)
    return _add(session, session.linking, picked)


def _show(session: PageSession, picked: Picked) -> Response:
    """A step of the picker; reads from Coursera what is not fresh."""
    settings, now = settings_of(session.platform), services().clock()
    course, found, errors = None, catalogue.Catalogue(), []
    refresh = picked.step == "refresh"
    try:
        client = services().coursera(settings.coursera)
        found = catalogue.read(client, now, refresh=refresh)
        if picked.course and picked.step != "courses":
            if refresh:
                catalogue.outline(client, picked.program, picked.course, now, refresh=True)
            course = picking.course_of(client, picked, now)
            errors = [] if course else picking.problems(picked, None, settings, True)
    except ServiceError as error:
        db.session.rollback()
        found, errors = catalogue.known(settings.coursera), [UNREACHABLE.format(error.reason)]
    shown = picking.offer(found, picked, course, settings)
    return _page(session.value, session.launch, picked, shown, errors)


def _add(session: PageSession, linking: Linking, picked: Picked) -> Response:
    """Publish the choice and send it to the platform, or show what is wrong with it."""
    settings, course, status = settings_of(session.platform), None, 400
    try:
        course = picking.course_of(
            services().coursera(settings.coursera), picked, services().clock()
        )
        errors = picking.problems(picked, course, settings, linking.accept_multiple)
    except ServiceError as error:
        errors, status = [UNREACHABLE.format(error.reason)], 503
    if course is None or errors:
        shown = picking.offer(catalogue.known(settings.coursera), picked, course, settings)
        return _page(session.value, session.launch, picked, shown, errors, status)
    return _answer(session, linking, _published(session, course, picked))


def _published(session: PageSession, course: Course, picked: Picked) -> list[Link]:
    """The links of a choice, with their activities stored; works once for each launch."""
    # The key is made, if need be, before our transaction begins to write.
    keys.active_key(services().tool)
    sessions.use_once(session, LaunchLog.answered_at)
    context = db.session.get(Context, session.launch.context_fk or 0)
    if context is None:
        # Outside of a course, the links describe themselves; their launch makes the activities.
        links = STRATEGIES[picked.strategy].links(course, picked.choice)
    else:
        links = publish(
            session.platform, context, course, picked.strategy, picked.choice, services().clock()
        )
    db.session.commit()
    return links


def _answer(session: PageSession, linking: Linking, links: list[Link]) -> Response:
    """A page whose only form posts the signed links to the platform, by itself."""
    token = deep_linking.response(
        services().tool, session.platform, linking.deployment_id, links, linking.data
    )
    security.allow_form_to(security.origin(linking.return_url))
    return make_response(
        render_template(
            "picker/return.html", return_url=linking.return_url, token=token, count=len(links)
        )
    )


def _page(
    session: str,
    log: LaunchLog,
    picked: Picked,
    shown: picking.Offer,
    errors: list[str] | None = None,
    status: int = 200,
) -> Response:
    context = db.session.get(Context, log.context_fk or 0)
    return make_response(
        render_template(
            "picker/picker.html",
            session=session,
            picked=picked,
            offer=shown,
            errors=errors or [],
            context=context,
            most=picking.MOST_COURSES,
        ),
        status,
    )
