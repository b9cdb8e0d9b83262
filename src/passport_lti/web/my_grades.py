"""A learner's own page: what Coursera says, what the gradebook has, and when."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem, Match, Member
from passport_lti.web import sessions, standing, table
from passport_lti.web.instructor import activity_of, poll_of
from passport_lti.web.sessions import Kind

blueprint = Blueprint("my_grades", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One column as its learner sees it; `state` is a cell's or empty, `words` say it."""

    label: str
    maximum: float
    state: str
    words: str
    coursera: float | None = None
    gradebook: float | None = None
    recorded_at: datetime | None = None
    read_at: datetime | None = None
    accepted_at: datetime | None = None


@blueprint.get("/grades/<row:activity_id>")
def grades(activity_id: int) -> str:
    """Nobody's grades but those of the person who has launched."""
    session = sessions.load(Kind.LEARNER)
    activity = activity_of(session, activity_id)
    launch = session.launch
    member = db.session.get(Member, launch.member_fk) if launch.member_fk else None
    learns = launch.role == "learner" and member is not None
    lines = _lines(activity, member.id) if member is not None and learns else []
    return render_template(
        "learner/grades.html",
        activity=activity,
        learns=learns,
        lines=lines,
        is_found=member is not None and _is_found(activity, member.id),
        active_at=max((x.recorded_at for x in lines if x.recorded_at), default=None),
        poll=poll_of(activity),
        standing=standing.address_of(activity),
        way=url_for("learner.go", activity_id=activity.id, session=session.value),
    )


def _lines(activity: Activity, member_id: int) -> list[Line]:
    columns = [c for c in table.columns_of(activity) if c.state != "gone"]
    cells = {
        cell.line_item_fk: cell
        for cell in db.session.scalars(
            select(Cell).where(
                Cell.member_fk == member_id, Cell.line_item_fk.in_([c.id for c in columns])
            )
        )
    }
    # An idle column is worth a line only where it holds something.
    return [
        _line(column, cells.get(column.id))
        for column in columns
        if column.state == "active" or column.id in cells
    ]


def _line(column: LineItem, cell: Cell | None) -> Line:
    label = column.label or column.resource_id
    if cell is None:
        return Line(label, column.maximum, "", _("no grade yet"))
    # What a teacher has written there is theirs to tell.
    theirs = cell.reason == "overridden"
    return Line(
        label, column.maximum, cell.state, _words(cell), cell.wanted_given,
        None if theirs else cell.delivered_given, cell.coursera_at, cell.read_at,
        None if theirs else cell.accepted_at,
    )  # fmt: skip


def _words(cell: Cell) -> str:
    if cell.reason == "overridden":
        return _("your teacher has entered another grade")
    if cell.state in ("held", "rejected"):
        return _("not in the gradebook; your teacher can see why")
    return {
        "delivered": _("in the gradebook"),
        "due": _("on the way to the gradebook"),
    }.get(cell.state, _("not counted any more"))


def _is_found(activity: Activity, member_id: int) -> bool:
    state = db.session.scalar(
        select(Match.state).where(
            Match.context_fk == activity.context_fk,
            Match.member_fk == member_id,
            Match.program_id == activity.program_id,
            Match.course_id == activity.course_id,
        )
    )
    return state == "matched"
