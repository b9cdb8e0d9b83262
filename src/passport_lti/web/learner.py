"""The learner's way out to Coursera."""

import logging

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.coursera.links import course_url
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Platform
from passport_lti.web import seats, sessions, sign_on, welcome
from passport_lti.web.instructor import activity_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind

blueprint = Blueprint("learner", __name__)
logger = logging.getLogger(__name__)


@blueprint.get("/go/<row:activity_id>")
def go(activity_id: int) -> Response | tuple[str, int]:
    """To the course, or in option A to the item, signed in through the program."""
    session = sessions.load(Kind.LEARNER)
    activity = activity_of(session, activity_id)
    if "seen" in request.args:
        welcome.note_seen(session)
    try:
        if not _is_offered(activity):
            logger.warning("activity=%s names a course that its program lacks", activity.id)
            return render_template("learner/unavailable.html", activity=activity, lacks=True), 404
        seats.take(session, activity)
        return sign_on.leave(session, activity, address_of(activity, session.platform))
    except (ServiceError, ValueError) as error:
        logger.warning("no address for activity=%s: %s", activity.id, error)
        return render_template("learner/unavailable.html", activity=activity), 503


def _is_offered(activity: Activity) -> bool:
    """Whether the program has ever had the course; one that it lost is still open to its learners.

    Raises ServiceError.
    """
    place = (activity.connection, activity.program_id, activity.course_id)
    if catalogue.known_course(*place) is None:
        # A copied or restored activity may be the first we hear of its program.
        catalogue.read(services().coursera(activity.connection), services().clock())
        db.session.commit()
    return catalogue.known_course(*place) is not None


def address_of(activity: Activity, platform: Platform) -> str:
    """Where an activity leads a learner. Raises ValueError where the program has no address."""
    url = catalogue.program_url(activity.connection, activity.program_id)
    item = None
    if activity.strategy == "granular_deep_linked" and len(activity.choice.items) == 1:
        item = activity.choice.items[0]
    return course_url(url, activity.course_id, item, settings_of(platform).sso.auth_provider)
