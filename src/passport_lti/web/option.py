"""Changing the option of a standing activity, without a new one in the platform."""

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from passport_lti.config import PlatformSettings
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity
from passport_lti.sync.activities import change_option
from passport_lti.web import picking, sessions
from passport_lti.web.instructor import CHANGEABLE, activity_of
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
    session, activity, course = _chosen(activity_id)
    picked = picking.read_form(request.form, activity.strategy)
    picked = picking.of_course(picked, course)
    errors = picking.problems(picked, course, _settings(session), accept_multiple=False)
    if errors:
        return _page(session, activity, course, picked, errors)
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
    if course is None or activity.strategy not in CHANGEABLE:
        abort(404)
    return session, activity, course


def _settings(session: PageSession) -> PlatformSettings:
    """The platform's settings with only the options that one activity can have."""
    settings = settings_of(session.platform)
    offered = tuple(key for key in settings.strategies if key in CHANGEABLE)
    return settings.model_copy(update={"strategies": offered})


def _page(
    session: PageSession,
    activity: Activity,
    course: Course,
    picked: Picked,
    errors: list[str] | None = None,
) -> Response:
    offer = picking.offer(catalogue.Catalogue(), picked, course, _settings(session))
    return make_response(
        render_template(
            "instructor/option.html",
            session=session.value,
            activity=activity,
            offer=offer,
            picked=picked,
            errors=errors or [],
        ),
        400 if errors else 200,
    )
