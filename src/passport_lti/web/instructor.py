"""The instructor's pages of an activity: what stands where, why not, and what to do."""

import logging
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from passport_lti.coursera import catalogue
from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.models import Activity, Context, Deployment, ProgramCourse
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import made, remedies
from passport_lti.sync.columns import doubles
from passport_lti.sync.people import privacy
from passport_lti.web import background, look, progress, sessions, table, who, wording
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind, PageSession

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
    wanted, now = look.asked(), services().clock()
    shown = table.of(found, wanted)
    return render_template(
        "instructor/activity.html",
        session=session.value,
        way=sessions.issue(Kind.LEARNER, session.launch, activity_id=found.id),
        activity=found,
        strategy=STRATEGIES[found.strategy],
        course=catalogue.known_course(found.connection, found.program_id, found.course_id),
        poll=poll_of(found),
        table=shown,
        look=wanted,
        left_over=who.left_over_of(found),
        hidden=privacy.hidden(found.context),
        doubled=doubles.of(found),
        missing=made.missing(found.context),
        running=background.is_running(found.id),
        began=now.isoformat(),
        names=wording.state_names(),
        reason_name=wording.reason_name,
        explain=wording.explain,
        note=request.args.get("note", ""),
    )


@blueprint.post("/look")
def choose(activity_id: int) -> Response:
    """The filters of a form as an address; posted, so that no log has a name."""
    session = sessions.load(Kind.INSTRUCTOR)
    return back(session, activity_of(session, activity_id).id)


@blueprint.post("/sync")
def sync(activity_id: int) -> Response:
    """Sync now: a page waits a while for the end; with `live` the answer is JSON, at once."""
    session = sessions.load(Kind.INSTRUCTOR)
    found = activity_of(session, activity_id)
    if "live" in request.form:
        background.start(found.id)
        return jsonify(since=services().clock().isoformat())
    return back(session, activity_id, background.sync(found.id))


@blueprint.get("/progress")
def follow(activity_id: int) -> Response:
    """How far a sync is, as JSON: `running`, a sentence `text`, cells `sent` and `due`."""
    session = sessions.load(Kind.INSTRUCTOR)
    found = activity_of(session, activity_id)
    return jsonify(progress.of(found, poll_of(found), progress.since(request.args.get("since"))))


@blueprint.post("/columns/<row:column_id>/make-again")
def make_again(activity_id: int, column_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    columns = table.columns_of(activity_of(session, activity_id))
    column = next((c for c in columns if c.id == column_id), None) or abort(404)
    remedies.make_again(column, services().clock())
    return back(session, activity_id, "again")


@blueprint.post("/forget-missing")
def forget_missing(activity_id: int) -> Response:
    """Activities of the context that the platform dropped are not needed."""
    session = sessions.load(Kind.INSTRUCTOR)
    made.forget_missing(activity_of(session, activity_id).context_fk)
    db.session.commit()
    return back(session, activity_id)


@blueprint.post("/columns/<row:column_id>/merge")
def merge(activity_id: int, column_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = doubles.of(activity_of(session, activity_id))
    doubled = next((d for d in found if d.kept.id == column_id), None) or abort(404)
    return back(session, activity_id, background.merge(activity_id, doubled.kept.resource_id))


def back(session: PageSession, activity_id: int, note: str = "") -> Response:
    """To the activity's table, as the person was looking at it."""
    place: dict[str, Any] = look.asked().args()
    if note:
        place["note"] = note
    address = url_for(
        "instructor.activity", activity_id=activity_id, session=session.value, **place
    )
    return redirect(address, 303)


def poll_of(found: Activity) -> ProgramCourse | None:
    """The course of an activity as its program offers it, with the times of its readings."""
    row: ProgramCourse | None = db.session.scalar(
        db.select(ProgramCourse)
        .join(ProgramCourse.program)
        .where(
            ProgramCourse.course_id == found.course_id,
            ProgramCourse.program.has(connection=found.connection, program_id=found.program_id),
        )
    )
    return row
