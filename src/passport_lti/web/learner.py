"""The learner's way out to Coursera."""

import logging

from flask import Blueprint, abort, redirect, render_template
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.coursera.links import course_url
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Platform
from passport_lti.web import sessions
from passport_lti.web.instructor import activity_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind

blueprint = Blueprint("learner", __name__)
logger = logging.getLogger(__name__)


@blueprint.get("/go/<int:activity_id>")
def go(activity_id: int) -> Response | tuple[str, int]:
    """To the course, or in option A to the item, signed in through the program."""
    session = sessions.load(Kind.LEARNER, Kind.INSTRUCTOR)
    if session.kind is Kind.LEARNER and session.activity_id != activity_id:
        abort(404)
    activity = activity_of(session, activity_id)
    try:
        return redirect(_address(activity, session.platform), 302)
    except (ServiceError, ValueError) as error:
        logger.warning("no address for activity=%s: %s", activity.id, error)
        return render_template("learner/unavailable.html", activity=activity), 503


def _address(activity: Activity, platform: Platform) -> str:
    """Raises ServiceError or ValueError where the program's address can't be found."""
    url = catalogue.program_url(activity.connection, activity.program_id)
    if not url:
        # A copied or restored activity may be the first we hear of its program.
        catalogue.read(services().coursera(activity.connection), services().clock())
        db.session.commit()
        url = catalogue.program_url(activity.connection, activity.program_id)
    item = None
    if activity.strategy == "granular_deep_linked" and len(activity.choice.items) == 1:
        item = activity.choice.items[0]
    return course_url(url, activity.course_id, item, settings_of(platform).sso.auth_provider)
