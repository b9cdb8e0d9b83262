"""Pictures of an activity, each an SVG at an address of its own: no page needs inline styles."""

from flask import Blueprint, Response, request

from passport_lti.web import figures, sessions, table
from passport_lti.web.figures import Chart
from passport_lti.web.instructor import activity_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind

blueprint = Blueprint("charts", __name__, url_prefix="/activities/<row:activity_id>")


@blueprint.get("/progress.svg")
def progress(activity_id: int) -> Response:
    activity = activity_of(sessions.load(Kind.INSTRUCTOR), activity_id)
    columns = table.columns_of(activity)
    learners = len(table.learners_of(activity))
    chart = figures.by_column(columns, table.tallies(columns).columns, learners)
    return _drawn(chart, lying=True)


@blueprint.get("/syncs.svg")
def syncs(activity_id: int) -> Response:
    activity = activity_of(sessions.load(Kind.INSTRUCTOR), activity_id)
    return _drawn(figures.by_day(table.columns_of(activity), services().clock()), lying=False)


def _drawn(chart: Chart, *, lying: bool) -> Response:
    # Not at the top: drawing is what few requests need, and it loads much.
    from passport_lti.web.drawing import draw

    picture = draw(
        chart,
        lying=lying,
        dark=request.args.get("shade") == "dark",
        narrow=request.args.get("size") == "narrow",
    )
    return Response(picture, content_type="image/svg+xml")
