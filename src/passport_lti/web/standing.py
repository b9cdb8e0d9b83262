"""The standing address of *My grades*: for a bookmark, or for a link in the course.

It carries no session and names nobody. It notes in the browser, for some minutes, that the next
launch of the activity wants the grades instead of Coursera, and leads back to the activity: who
the person is, the platform says, as always. docs/decisions/0013-the-first-time.md.
"""

from datetime import timedelta
from urllib.parse import SplitResult, urlencode, urlsplit

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from itsdangerous import BadData
from werkzeug.wrappers import Response

from passport_lti import signed
from passport_lti.extensions import db
from passport_lti.models import Activity, LaunchLog, Platform
from passport_lti.sync.familiar import Accepted
from passport_lti.web import sessions
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind

blueprint = Blueprint("standing", __name__)

WITHIN = timedelta(minutes=10)
"""How long the wish waits for its launch."""
COOKIE = "passport-lti-grades"
MOODLE = "/mod/lti/auth.php"
"""Where a Moodle's login address ends; its activities have addresses beside it."""


def address_of(activity: Activity) -> str:
    """The address for the learners of an activity; always the same."""
    mark = signed.dumps(services().tool.secret, "my grades", activity.id)
    return f"{services().config.tool.base_url.rstrip('/')}/my-grades/{mark}"


@blueprint.get("/my-grades/<mark>")
def page(mark: str) -> Response:
    try:
        number = int(signed.loads(services().tool.secret, "my grades", mark))
    except BadData:
        abort(404)
    activity = db.session.get(Activity, number) or abort(404)
    platform = activity.context.deployment.platform
    if platform.state != "active":
        abort(404)
    response = make_response(
        render_template("learner/standing.html", activity=activity, way=_way(activity, platform))
    )
    secure = _base().scheme == "https"
    response.set_cookie(
        COOKIE,
        str(activity.id),
        max_age=WITHIN,
        path=_path(),
        httponly=True,
        secure=secure,
        samesite="None" if secure else "Lax",
    )
    return response


def is_wanted(activity_id: int | None) -> bool:
    """Whether this browser was at the standing address of this activity a moment ago."""
    return activity_id is not None and request.cookies.get(COOKIE) == str(activity_id)


def lead(launch: Accepted | LaunchLog) -> Response:
    """To the grades of the person who has launched, this once."""
    value = sessions.issue(Kind.LEARNER, launch)
    way = url_for("my_grades.grades", activity_id=launch.activity_fk, session=value)
    response = redirect(way, 303)
    response.delete_cookie(COOKIE, path=_path())
    return response


def _way(activity: Activity, platform: Platform) -> str:
    """The activity's page at a Moodle; empty where that can't be told."""
    link = activity.resource_link
    if link is None or not platform.auth_login_url.endswith(MOODLE):
        return ""
    site = platform.auth_login_url.removesuffix(MOODLE)
    return f"{site}/mod/lti/view.php?{urlencode({'l': link.resource_link_id})}"


def _base() -> SplitResult:
    return urlsplit(services().config.tool.base_url)


def _path() -> str:
    return _base().path.rstrip("/") or "/"
