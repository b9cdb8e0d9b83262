"""The grades of an activity as a file for a spreadsheet: all that its page shows, in its order."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from flask import Blueprint, Response, stream_with_context
from flask_babel import gettext as _

from passport_lti.extensions import db
from passport_lti.models import Activity, LineItem
from passport_lti.web import look, sessions, table, wording
from passport_lti.web.instructor import activity_of
from passport_lti.web.learners import Learner, chosen, learners_of
from passport_lti.web.pages import points
from passport_lti.web.sessions import Kind
from passport_lti.web.table import Row

AT_ONCE = 100
"""Learners read by one statement; what was read is sent before the next ones are."""
MARK = "\ufeff"
"""Tells Excel that the text is UTF-8."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""

blueprint = Blueprint("export", __name__, url_prefix="/activities/<row:activity_id>")


@blueprint.get("/grades.csv")
def wide(activity_id: int) -> Response:
    """A line for each learner, as the page shows them."""
    activity, columns, people = _chosen(activity_id)
    names = wording.state_names()
    heads = [part for column in columns for part in _column_heads(column)]
    head = [_("Learner"), _("E-mail address"), _("At Coursera"), _("Graded"), *heads]
    found = {"matched": _("found"), "ambiguous": _("not clear"), "unmatched": _("not found")}

    def line(row: Row) -> list[str]:
        who = row.learner
        values = [who.title, who.email, found[who.match], str(row.graded)]
        for cell in row.cells:
            reason = wording.reason_name(cell.reason) if cell else ""
            state = names[cell.state] if cell else ""
            values += [points(cell.given) if cell else "", ": ".join(filter(None, (state, reason)))]
        return values

    rows = ([line(row)] for row in _rows(columns, people))
    return _file(f"grades-{activity.id}.csv", head, rows)


@blueprint.get("/cells.csv")
def long(activity_id: int) -> Response:
    """A line for each cell, with what is known of it: values, state, reason and the three times."""
    activity, columns, people = _chosen(activity_id)
    names = wording.state_names()
    head = [
        _("Learner"), _("E-mail address"), _("Column"), _("Points possible"), _("Coursera says"),
        _("Sent to the gradebook"), _("State"), _("Reason"), _("Recorded by Coursera"),
        _("Read from Coursera"), _("Accepted by the platform"),
    ]  # fmt: skip

    def lines(row: Row) -> list[list[str]]:
        return [
            [
                row.learner.title, row.learner.email, column.label or column.resource_id,
                points(column.maximum), points(cell.given if cell.wanted else None),
                points(cell.delivered_given), names[cell.state], wording.reason_name(cell.reason),
                _time(cell.coursera_at), _time(cell.read_at), _time(cell.accepted_at),
            ]
            for column, cell in zip(columns, row.cells, strict=True)
            if cell is not None
        ]  # fmt: skip

    return _file(f"cells-{activity.id}.csv", head, map(lines, _rows(columns, people)))


def _chosen(activity_id: int) -> tuple[Activity, Sequence[LineItem], list[Learner]]:
    activity = activity_of(sessions.load(Kind.INSTRUCTOR), activity_id)
    columns = table.columns_of(activity)
    people = chosen(activity, look.asked(), columns, learners_of(activity))
    return activity, columns, people


def _rows(columns: Sequence[LineItem], people: Sequence[Learner]) -> Iterator[Row]:
    # Looked at before the first commit, after which every attribute would be read anew.
    db.session.expunge_all()
    for first in range(0, len(people), AT_ONCE):
        found = table.rows(columns, people[first : first + AT_ONCE])
        # However slowly the file is taken, no transaction stays open.
        db.session.rollback()
        yield from found


def _file(name: str, head: list[str], rows: Iterator[list[list[str]]]) -> Response:
    def chunks() -> Iterator[str]:
        yield MARK + _text([head])
        for lines in rows:
            yield _text(lines)

    answer = Response(stream_with_context(chunks()), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _text(lines: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([guarded(value) for value in line] for line in lines)
    return out.getvalue()


def guarded(value: str) -> str:
    """A value that no spreadsheet takes for a formula: an apostrophe stands before one."""
    return f"'{value}" if value.lstrip(" ").startswith(FORMULA) else value


def _column_heads(column: LineItem) -> list[str]:
    label = f"{column.label or column.resource_id} / {points(column.maximum)}"
    return [label, _("%(column)s: state", column=column.label or column.resource_id)]


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
