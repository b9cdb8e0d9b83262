"""The instructor's picker: a deep linking request's page and its answer."""

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.judging import LinkVerdict
from passport_lti.errors import LaunchRefused, ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course, Link
from passport_lti.lti import deep_linking, keys
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Context, LaunchLog, Platform
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import made
from passport_lti.sync.activities import publish
from passport_lti.sync.familiar import Accepted
from passport_lti.web import offers, picking, security, sessions
from passport_lti.web.pages import services
from passport_lti.web.picking import Picked, of_course
from passport_lti.web.sessions import Kind, Linking, PageSession

blueprint = Blueprint("picker", __name__)

OPENING = ("course", "preview")
"""Steps to the options of what was chosen; `refresh` stays where it was pressed."""


def first_page(
    platform: Platform, log: Accepted | LaunchLog, session: str, linking: Linking | None
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
    settings, found = settings_of(session.platform), catalogue.Catalogue()
    refresh, verdict, errors = picked.step == "refresh", None, []
    courses: Sequence[Course | None] = ()
    if picked.step == "forget":
        made.forget_missing(session.launch.context_fk or 0)
        db.session.commit()
    try:
        client = services().coursera(settings.coursera)
        found = catalogue.read(client, services().clock(), refresh=refresh)
        if picked.step in OPENING or (picked.course and picked.step in ("", "refresh")):
            courses = _courses(client, picked, refresh)
            if None in courses or not courses:
                errors = picking.all_problems(picked, courses, settings, True)
        else:
            verdict = _judged(client, found, picked)
    except ServiceError as error:
        db.session.rollback()
        found, errors = catalogue.known(settings.coursera), [_unreachable(error)]
    shown = _offer(found, picked, courses, session)
    return _page(
        session.value, session.launch, picked, replace(shown, verdict=verdict), errors,
        advice=_advice(session, picked, courses),
    )  # fmt: skip


def _add(session: PageSession, linking: Linking, picked: Picked) -> Response:
    """Publish the choice and send it to the platform, or show what is wrong with it."""
    settings, status = settings_of(session.platform), 400
    courses: Sequence[Course | None] = ()
    try:
        courses = _courses(services().coursera(settings.coursera), picked)
        errors = picking.all_problems(picked, courses, settings, linking.accept_multiple)
    except ServiceError as error:
        errors, status = [_unreachable(error)], 503
    if errors:
        shown = _offer(catalogue.known(settings.coursera), picked, courses, session)
        return _page(session.value, session.launch, picked, shown, errors, status)
    links = _published(session, [course for course in courses if course], picked)
    return _answer(session, linking, links)


def _courses(
    client: CourseraClient, picked: Picked, refresh: bool = False
) -> tuple[Course | None, ...]:
    """The chosen courses, in the order of `picked.places`; ends with None where one is lost.

    For each lost one the whole catalogue is read anew, so there is never more than one.
    """
    now, found = services().clock(), list[Course | None]()
    if len(picked.places) > picking.MOST_AT_ONCE:
        return ()
    for program, course in picked.places:
        if None in found:
            break
        if refresh:
            catalogue.outline(client, program, course, now, refresh=True)
        found.append(
            picking.course_of(client, replace(picked, program=program, course=course), now)
        )
    return tuple(found)


def _offer(
    found: catalogue.Catalogue,
    picked: Picked,
    courses: Sequence[Course | None],
    session: PageSession,
) -> offers.Offer:
    known = [course for course in courses if course]
    settings = settings_of(session.platform)
    return picking.offer(found, picked, known[0] if known else None, settings, known[1:])


def _advice(session: PageSession, picked: Picked, courses: Sequence[Course | None]) -> list[str]:
    """What would keep this choice from being added, said before anybody tries."""
    if picked.step != "preview" or session.linking is None:
        return []
    multiple = session.linking.accept_multiple
    return picking.all_problems(picked, courses, settings_of(session.platform), multiple)


def _judged(
    client: CourseraClient, found: catalogue.Catalogue, picked: Picked
) -> LinkVerdict | None:
    """What an address is good for that was pasted into the search."""
    if "coursera.org" not in picked.search.lower() and "://" not in picked.search:
        return None
    verdict = catalogue.judge_link(client.name, picked.search, picked.within)
    if verdict.reason == "item_unverified":
        catalogue.outline(client, verdict.program_id, verdict.course_id, services().clock())
        verdict = catalogue.judge_link(client.name, picked.search, picked.within)
    return verdict


def _published(session: PageSession, courses: Sequence[Course], picked: Picked) -> list[Link]:
    """The links of a choice, with their activities stored; works once for each launch."""
    # The key is made, if need be, before our transaction begins to write.
    keys.active_key(services().tool)
    sessions.use_once(session, LaunchLog.answered_at)
    context = db.session.get(Context, session.launch.context_fk or 0)
    links: list[Link] = []
    for course in courses:
        choice = of_course(picked, course).choice
        if context is None:
            # Outside of a course, the links describe themselves; their launch makes the activities.
            links += STRATEGIES[picked.strategy].links(course, choice)
        else:
            links += publish(
                session.platform, context, course, picked.strategy, choice, services().clock()
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
    log: Accepted | LaunchLog,
    picked: Picked,
    shown: offers.Offer,
    errors: list[str] | None = None,
    status: int = 200,
    advice: list[str] | None = None,
) -> Response:
    context = db.session.get(Context, log.context_fk or 0)
    return make_response(
        render_template(
            "picker/picker.html",
            session=session,
            picked=picked,
            offer=shown,
            errors=errors or [],
            advice=advice or [],
            context=context,
            missing=made.missing(context) if context and not shown.parts else [],
            most=offers.MOST_COURSES,
        ),
        status,
    )


def _unreachable(error: ServiceError) -> str:
    return _(
        "Coursera can't be reached just now (%(reason)s). Please try again in a moment.",
        reason=error.reason,
    )
