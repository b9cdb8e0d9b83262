"""Pictures of an activity, each an SVG at an address of its own: no page needs inline styles.

Their figures as tables, too, for whoever can't see them.
"""

from flask import Blueprint, Response, render_template, request

from passport_lti.models import Activity
from passport_lti.web import security, sessions, table
from passport_lti.web.figures import Chart, by_column, by_day
from passport_lti.web.instructor import activity_of
from passport_lti.web.learners import learners_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind

blueprint = Blueprint("charts", __name__, url_prefix="/activities/<row:activity_id>")


@blueprint.get("/progress.svg")
def progress(activity_id: int) -> Response:
    return _drawn(_by_column(activity_of(sessions.load(Kind.INSTRUCTOR), activity_id)), lying=True)


@blueprint.get("/syncs.svg")
def syncs(activity_id: int) -> Response:
    return _drawn(_by_day(activity_of(sessions.load(Kind.INSTRUCTOR), activity_id)), lying=False)


@blueprint.get("/figures")
def figures(activity_id: int) -> str:
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    return render_template(
        "instructor/figures.html",
        session=session.value,
        activity=activity,
        by_column=_by_column(activity),
        by_day=_by_day(activity),
    )


def _by_column(activity: Activity) -> Chart:
    columns = table.columns_of(activity)
    learners = len(learners_of(activity))
    return by_column(columns, table.tallies(columns).columns, learners)


def _by_day(activity: Activity) -> Chart:
    return by_day(table.columns_of(activity), services().clock())


def _drawn(chart: Chart, *, lying: bool) -> Response:
    # Not at the top: few requests draw, and what draws takes memory in every process.
    from passport_lti.web.drawing import draw

    picture = draw(
        chart,
        lying=lying,
        dark=request.args.get("shade") == "dark",
        narrow=request.args.get("size") == "narrow",
    )
    security.allow_own_styles()
    return Response(picture, content_type="image/svg+xml")
