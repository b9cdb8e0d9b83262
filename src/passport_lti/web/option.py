"""Changing the option of a standing activity, without a new one in the platform."""

from dataclasses import replace

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from passport_lti.config import PlatformSettings
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.grades import Choice, Course
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import options
from passport_lti.sync.activities import change_option
from passport_lti.web import picking, sessions
from passport_lti.web.instructor import activity_of
from passport_lti.web.picking import Picked
from passport_lti.web.sessions import Kind, PageSession

blueprint = Blueprint("option", __name__, url_prefix="/activities/<row:activity_id>/option")


@blueprint.get("")
def option(activity_id: int) -> Response:
    session, activity, course = _chosen(activity_id)
    choice = activity.choice
    now = Picked(
        activity.program_id, activity.course_id, activity.strategy, choice.items,
        choice.include_final, choice.points.value,
    )  # fmt: skip
    return _page(session, activity, course, now)


@blueprint.post("")
def change(activity_id: int) -> Response:
    """With `step=preview` only says what would change; else changes the option."""
    session, activity, course = _chosen(activity_id)
    picked = picking.read_form(request.form, activity.strategy)
    picked = _fitted(activity, picking.of_course(picked, course))
    errors = picking.problems(picked, course, _settings(session, activity), accept_multiple=False)
    refusal = options.refusal(activity, picked.strategy, picked.choice)
    if errors or refusal:
        return _page(
            session, activity, course, picked, errors or ([gettext(refusal)] if refusal else [])
        )
    if picked.step == "preview":
        return _preview(session, activity, course, picked)
    change_option(activity, picked.strategy, picked.choice)
    db.session.commit()
    back = url_for(
        "instructor.activity", activity_id=activity_id, session=session.value, note="changed"
    )
    return make_response(redirect(back, 303))


def _chosen(activity_id: int) -> tuple[PageSession, Activity, Course]:
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    course = catalogue.known_course(activity.connection, activity.program_id, activity.course_id)
    return session, activity, course or abort(404)


def _fitted(activity: Activity, picked: Picked) -> Picked:
    choice = options.fitted(activity, picked.strategy, picked.choice)
    return replace(
        picked, items=choice.items, include_final=choice.include_final, points=choice.points.value
    )


def _usual(activity: Activity, key: str, course: Course, picked: Picked) -> Choice:
    """What an option would be like for this activity."""
    choice = options.fitted(activity, key, picking.usual(key, course, picked))
    return (
        choice
        if options.refusal(activity, key, choice) is None
        else replace(choice, include_final=False)
    )


def _settings(session: PageSession, activity: Activity) -> PlatformSettings:
    """The platform's settings with only the options that this activity can have."""
    settings, possible = settings_of(session.platform), options.offered(activity)
    offered = tuple(
        key for key in settings.strategies if key in possible or key == activity.strategy
    )
    return settings.model_copy(update={"strategies": offered})


def _preview(session: PageSession, activity: Activity, course: Course, picked: Picked) -> Response:
    """What would appear, stay and fall idle, with a button that does it."""
    return make_response(
        render_template(
            "instructor/changes.html",
            session=session.value,
            activity=activity,
            picked=picked,
            before=STRATEGIES[activity.strategy],
            after=STRATEGIES[picked.strategy],
            outlook=options.outlook(activity, course, picked.strategy, picked.choice),
        )
    )


def _page(
    session: PageSession,
    activity: Activity,
    course: Course,
    picked: Picked,
    errors: list[str] | None = None,
) -> Response:
    settings = _settings(session, activity)
    offer = picking.offer(catalogue.Catalogue(), picked, course, settings)
    item = options.item_of(activity)
    previews = tuple(
        picking.preview(key, course, _usual(activity, key, course, picked))
        for key in settings.strategies
    )
    return make_response(
        render_template(
            "instructor/option.html",
            session=session.value,
            activity=activity,
            offer=replace(offer, previews=previews),
            picked=picked,
            item=item and (course.item(item) or item),
            errors=errors or [],
        ),
        400 if errors else 200,
    )
