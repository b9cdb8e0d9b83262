"""What a learner would see of an activity, shown to its instructor.

Nothing here leads to Coursera or tells it of anybody: looking takes no seat.
"""

import logging

from flask import Blueprint, render_template

from passport_lti.errors import ServiceError
from passport_lti.web import learner, sessions, standing, table
from passport_lti.web.instructor import activity_of
from passport_lti.web.sessions import Kind

logger = logging.getLogger(__name__)
blueprint = Blueprint("preview", __name__, url_prefix="/activities/<row:activity_id>")


@blueprint.get("/preview")
def preview(activity_id: int) -> str:
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    try:
        address = learner.address_of(activity, session.platform)
    except (ServiceError, ValueError) as error:
        logger.info("no address for activity=%s: %s", activity.id, error)
        address = ""
    columns = [column for column in table.columns_of(activity) if column.state == "active"]
    return render_template(
        "instructor/preview.html",
        session=session.value, activity=activity, address=address, columns=columns,
        standing=standing.address_of(activity),
    )  # fmt: skip
