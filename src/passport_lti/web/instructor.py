"""The instructor's pages of an activity: what stands where, why not, and what to do."""

import logging
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.models import Activity, Context, Deployment, ProgramCourse
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import history, remedies
from passport_lti.sync.columns import doubles
from passport_lti.sync.people import privacy
from passport_lti.web import background, sessions, table
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind, PageSession
from passport_lti.web.who import Who

logger = logging.getLogger(__name__)
blueprint = Blueprint("instructor", __name__, url_prefix="/activities/<row:activity_id>")


def activity_of(session: PageSession, activity_id: int) -> Activity:
    """The activity that a session was issued for. Raises LaunchRefused `session` for another one.

    What is another platform's does not even exist (404).
    """
    activity: Activity | None = db.session.scalar(
        db.select(Activity)
        .join(Context, Context.id == Activity.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .where(Activity.id == activity_id, Deployment.platform_id == session.platform.id)
    )
    if activity is None or session.activity_id != activity_id:
        logger.warning(
            "a session of launch=%s asked for activity=%s", session.launch.id, activity_id
        )
        if activity is None:
            abort(404)
        raise LaunchRefused("session", "this page's session is for another activity", 403)
    return activity


@blueprint.get("")
def activity(activity_id: int) -> str:
    session = sessions.load(Kind.INSTRUCTOR)
    found = activity_of(session, activity_id)
    page = request.args.get("page", 1, type=int)
    return render_template(
        "instructor/activity.html",
        session=session.value,
        way=sessions.issue(Kind.LEARNER, session.launch, activity_id=found.id),
        activity=found,
        strategy=STRATEGIES[found.strategy],
        course=catalogue.known_course(found.connection, found.program_id, found.course_id),
        poll=_poll_of(found),
        table=table.of(found, page),
        who=Who(found),
        hidden=privacy.hidden(found.context),
        doubled=doubles.of(found),
        explain=table.explain,
        note=request.args.get("note", ""),
    )


@blueprint.post("/sync")
def sync(activity_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = activity_of(session, activity_id)
    note = background.sync(found.id)
    return _back(session, activity_id, note)


@blueprint.get("/cells/<row:cell_id>")
def cell(activity_id: int, cell_id: int) -> str:
    """The story of one cell."""
    session = sessions.load(Kind.INSTRUCTOR)
    found = activity_of(session, activity_id)
    shown = table.cell_of(found, cell_id) or abort(404)
    return render_template(
        "instructor/cell.html",
        session=session.value,
        activity=found,
        cell=shown,
        events=history.of(shown),
        causes=history.CAUSES,
        explain=table.explain,
        page=request.args.get("page", 1, type=int),
        note=request.args.get("note", ""),
    )


@blueprint.post("/cells/<row:cell_id>/retry")
def retry(activity_id: int, cell_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = table.cell_of(activity_of(session, activity_id), cell_id) or abort(404)
    remedies.retry(found, services().clock())
    return _back(session, activity_id, "retry", cell_id)


@blueprint.post("/cells/<row:cell_id>/send-anyway")
def send_anyway(activity_id: int, cell_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = table.cell_of(activity_of(session, activity_id), cell_id) or abort(404)
    remedies.send_anyway(found, services().clock())
    return _back(session, activity_id, "retry", cell_id)


@blueprint.post("/columns/<row:column_id>/make-again")
def make_again(activity_id: int, column_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    columns = table.columns_of(activity_of(session, activity_id))
    column = next((c for c in columns if c.id == column_id), None) or abort(404)
    remedies.make_again(column, services().clock())
    return _back(session, activity_id, "again")


@blueprint.post("/columns/<row:column_id>/merge")
def merge(activity_id: int, column_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = doubles.of(activity_of(session, activity_id))
    doubled = next((d for d in found if d.kept.id == column_id), None) or abort(404)
    return _back(session, activity_id, background.merge(activity_id, doubled.kept.resource_id))


def _back(
    session: PageSession, activity_id: int, note: str, cell_id: int | None = None
) -> Response:
    """To the page that the button was on: the activity's table, or a cell's story."""
    page = request.form.get("page", 1, type=int)
    place: dict[str, Any] = {
        "activity_id": activity_id,
        "session": session.value,
        "note": note,
        "page": page,
    }
    if cell_id is not None and request.form.get("on") == "cell":
        return redirect(url_for(".cell", cell_id=cell_id, **place), 303)
    return redirect(url_for(".activity", **place), 303)


def _poll_of(found: Activity) -> ProgramCourse | None:
    row: ProgramCourse | None = db.session.scalar(
        db.select(ProgramCourse)
        .join(ProgramCourse.program)
        .where(
            ProgramCourse.course_id == found.course_id,
            ProgramCourse.program.has(connection=found.connection, program_id=found.program_id),
        )
    )
    return row
