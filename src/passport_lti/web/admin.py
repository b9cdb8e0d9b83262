"""The administrator's pages: how the platform of their launch is, and what to change.

They show nothing of other platforms, and no secrets; the whole server is the commands' view.
"""

import logging

from flask import Blueprint, Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Deployment, LaunchLog
from passport_lti.sync.familiar import Accepted
from passport_lti.sync.reasons import SEATS
from passport_lti.sync.seats import report
from passport_lti.web import condition, examining, journal, sessions, tally, wording
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind, PageSession

logger = logging.getLogger(__name__)
blueprint = Blueprint("admin", __name__, url_prefix="/admin")

SHORT = 5
"""Rows of a log on the first page."""


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"administration": _way})


def _way() -> str | None:
    """From other pages to these, for those whom their platform calls an administrator."""
    launch: Accepted | LaunchLog | None = g.get("launch")
    if launch is None or not launch.administers or g.get("page_kind") in (Kind.ADMIN, Kind.LEARNER):
        return None
    return url_for("admin.overview", session=sessions.issue(Kind.ADMIN, launch))


@blueprint.get("")
def overview() -> str:
    session, now = _loaded(), services().clock()
    platform = session.platform
    return _page(
        "admin/overview.html",
        session,
        condition=condition.of(platform, now),
        keys=condition.signing_keys(now),
        reasons=tally.of(platform),
        refusals=journal.refusals(platform),
        claims=journal.claims(platform, now),
        launches=journal.launches(platform, size=SHORT),
        runs=journal.runs(platform, size=SHORT),
        seats=report.seats(settings_of(platform).coursera, platform),
        seats_explained=SEATS,
        examination=examining.last(platform.id),
        now=now,
        note=request.args.get("note", ""),
    )


@blueprint.get("/launches")
def launches() -> str:
    session = _loaded()
    number = request.args.get("page", 1, type=int)
    return _page("admin/launches.html", session, page=journal.launches(session.platform, number))


@blueprint.get("/runs")
def runs() -> str:
    session = _loaded()
    number = request.args.get("page", 1, type=int)
    return _page("admin/runs.html", session, page=journal.runs(session.platform, number))


@blueprint.post("/deployments/<row:row>/approve")
def approve(row: int) -> Response:
    session = _loaded()
    found = db.session.get(Deployment, row)
    if found is None or found.platform_id != session.platform.id:
        abort(404)
    found.state = "approved"
    db.session.commit()
    logger.info(
        "deployment=%s of platform=%s approved by launch=%s",
        found.deployment_id, session.platform.name, session.launch.id,
    )  # fmt: skip
    return _back(session, "approved")


@blueprint.post("/examination")
def examine() -> Response:
    session = _loaded()
    goes_on = examining.begin(session.platform.id)
    return _back(session, "examining" if goes_on else "examined", "check")


def _loaded() -> PageSession:
    session = sessions.load(Kind.ADMIN)
    if not session.launch.administers:
        raise LaunchRefused("session", "the launch was not an administrator's", 403)
    return session


def _page(template: str, session: PageSession, **values: object) -> str:
    def opened(activity: Activity) -> str:
        value = sessions.issue(Kind.INSTRUCTOR, session.launch, activity_id=activity.id)
        return url_for("instructor.activity", activity_id=activity.id, session=value)

    return render_template(
        template,
        session=session.value,
        platform=session.platform,
        activities=tally.activities_of(session.platform),
        opened=opened,
        here=session.activity_id,
        explain=wording.explain,
        explained=journal.explained,
        **values,
    )


def _back(session: PageSession, note: str, part: str = "") -> Response:
    return redirect(
        url_for(".overview", session=session.value, note=note, _anchor=part or None), 303
    )
