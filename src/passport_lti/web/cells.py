"""The story of one cell of the gradebook, and what a person can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Cell, LineItem
from passport_lti.sync import history, remedies
from passport_lti.sync.reasons import SEATS
from passport_lti.sync.seats import report, who
from passport_lti.sync.seats.report import Done, Trouble
from passport_lti.web import look, seats, sessions, table, wording
from passport_lti.web.instructor import activity_of, back, poll_of
from passport_lti.web.learners import Learner, learners_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind, PageSession


@dataclass(frozen=True, slots=True)
class Place:
    """What of a place at Coursera a learner without a grade has, by a launch or by hand.

    `mode` is the platform's `provisioning`; `wanted`: a place is lacking and may be the remedy;
    `open`: this person may be given one.
    """

    mode: str
    done: Sequence[Done]
    trouble: Trouble | None
    wanted: bool
    open: bool


blueprint = Blueprint("cells", __name__, url_prefix="/activities/<row:activity_id>")


@blueprint.get("/cells/<row:cell_id>")
def cell(activity_id: int, cell_id: int) -> str:
    """What is known of a cell: values, times, history, reason, remedy."""
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    shown = table.cell_of(activity, cell_id) or abort(404)
    return _story(session, activity, shown.line_item, _learner(activity, shown.member_fk), shown)


@blueprint.get("/learners/<row:member_id>/columns/<row:column_id>")
def empty(activity_id: int, member_id: int, column_id: int) -> str:
    """Why there is no grade at all for a learner in a column."""
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    column = next((c for c in table.columns_of(activity) if c.id == column_id), None) or abort(404)
    learner = _learner(activity, member_id) or abort(404)
    shown = db.session.scalar(
        select(Cell).where(Cell.line_item_fk == column.id, Cell.member_fk == member_id)
    )
    return _story(session, activity, column, learner, shown)


@blueprint.post("/cells/<row:cell_id>/retry")
def retry(activity_id: int, cell_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = table.cell_of(activity_of(session, activity_id), cell_id) or abort(404)
    remedies.retry(found, services().clock())
    return _back(session, activity_id, cell_id)


@blueprint.post("/retry-all")
def retry_all(activity_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    columns = table.columns_of(activity_of(session, activity_id))
    remedies.retry_all([column.id for column in columns], services().clock())
    return back(session, activity_id, "retry-all")


@blueprint.post("/cells/<row:cell_id>/send-anyway")
def send_anyway(activity_id: int, cell_id: int) -> Response:
    session = sessions.load(Kind.INSTRUCTOR)
    found = table.cell_of(activity_of(session, activity_id), cell_id) or abort(404)
    remedies.send_anyway(found, services().clock())
    return _back(session, activity_id, cell_id)


@blueprint.post("/learners/<row:member_id>/columns/<row:column_id>/invite")
def invite(activity_id: int, member_id: int, column_id: int) -> Response:
    """Give a learner whom Coursera does not know a place there, as the platform's setting says."""
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    learner = _learner(activity, member_id) or abort(404)
    seats.give(learner.id, activity)
    place: dict[str, Any] = look.asked().args()
    address = url_for(
        ".empty", activity_id=activity_id, member_id=member_id, column_id=column_id,
        session=session.value, **place,
    )  # fmt: skip
    return redirect(address, 303)


def _story(
    session: PageSession,
    activity: Activity,
    column: LineItem,
    learner: Learner | None,
    shown: Cell | None,
) -> str:
    return render_template(
        "instructor/cell.html",
        session=session.value,
        activity=activity,
        column=column,
        learner=learner,
        person=learner or (shown and shown.member),
        cell=shown,
        events=history.of(shown) if shown else [],
        causes=history.CAUSES,
        names=wording.state_names(),
        explain=wording.explain,
        poll=poll_of(activity),
        active_at=_active_at(activity, learner.id) if learner else None,
        place=_place(session, activity, learner) if learner and shown is None else None,
        look=look.asked(),
        why=SEATS,
        note=request.args.get("note", ""),
    )


def _back(session: PageSession, activity_id: int, cell_id: int) -> Response:
    """To the page that the button was on: the cell's story, or the activity's table."""
    if request.form.get("on") != "cell":
        return back(session, activity_id, "retry")
    place: dict[str, Any] = look.asked().args()
    address = url_for(
        ".cell", activity_id=activity_id, cell_id=cell_id, session=session.value, note="retry",
        **place,
    )  # fmt: skip
    return redirect(address, 303)


def _learner(activity: Activity, member_id: int) -> Learner | None:
    """A learner of the activity's context; None for somebody who has left."""
    return next((x for x in learners_of(activity) if x.id == member_id), None)


def _place(session: PageSession, activity: Activity, learner: Learner) -> Place:
    mode = settings_of(session.platform).provisioning
    done = report.done_for(learner.id, activity)
    trouble = next((t for t in report.troubles(activity) if t.member_id == learner.id), None)
    lacks = {step.step for step in done}.isdisjoint(("invite", "join")) or trouble is not None
    wanted = lacks and learner.match == "unmatched"
    return Place(mode, done, trouble, wanted, wanted and who.learns(learner.id, activity.context))


def _active_at(activity: Activity, member_id: int) -> Any:
    """The last activity that Coursera has recorded for a learner in this activity's columns."""
    columns = [column.id for column in table.columns_of(activity)]
    return db.session.scalar(
        select(func.max(Cell.coursera_at)).where(
            Cell.member_fk == member_id, Cell.line_item_fk.in_(columns)
        )
    )
