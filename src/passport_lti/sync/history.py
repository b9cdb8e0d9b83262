"""The story of a cell: kept in bulk before each change, told from what was kept.

A change copies what the cell was, in the same transaction and in one statement however many cells
it meets. Reading and delivering a first value copies nothing: the cell itself tells that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, String, insert, literal, select

from passport_lti.extensions import db
from passport_lti.models import Cell, CellChange
from passport_lti.models.types import Moment
from passport_lti.words import N_

CHUNK = 500
"""Cells named in one statement; older SQLite takes 999 values."""

KEPT = (
    "wanted_given", "wanted_maximum", "delivered_given", "delivered_maximum", "state", "reason",
    "coursera_at", "read_at", "accepted_at",
)  # fmt: skip

CAUSES = {
    "read": N_("Read from Coursera"),
    "delivered": N_("In the gradebook"),
    "held": N_("Held"),
    "rejected": N_("Refused by the platform"),
    "waiting": N_("Could not be sent, waits for another try"),
    "recognised": N_("Found in the gradebook after a lost answer"),
    "retried": N_("Tried again by an instructor"),
    "sent_anyway": N_("Sent anyway by an instructor"),
    "column_gone": N_("The column was deleted in the platform"),
    "column_back": N_("The column is there again"),
    "merged": N_("A column that stood twice was merged into this one"),
    "not_matched": N_("The Coursera account turned out to be somebody else's"),
    "made_again": N_("The column is made again, asked by an instructor"),
    "column_idle": N_("No activity uses the column any more"),
    "left": N_("The member left the course"),
    "returned": N_("The list of participants changed"),
}
"""What happened to a cell, for people."""

QUIET = "overtaken"
"""Cause of a row that only keeps an arrival: a newer value was wanted before it was recorded."""


@dataclass(frozen=True, slots=True)
class Points:
    given: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Event:
    """One change: what the cell was wanted to hold, or held (`delivered`), before and after."""

    at: datetime | None
    cause: str
    before: Points | None
    after: Points | None
    reason: str | None = None
    coursera_at: datetime | None = None


def keep(cause: str, at: datetime, *where: ColumnElement[bool], because: str | None = None) -> None:
    """Copy what these cells are now, before a statement changes them. Flushes only."""
    columns = [getattr(Cell, name) for name in KEPT]
    chosen = select(
        Cell.id, literal(at, Moment), literal(cause), literal(because, String), *columns
    ).where(*where)
    db.session.execute(
        insert(CellChange).from_select(["cell_fk", "at", "cause", "because", *KEPT], chosen),
        execution_options={"synchronize_session": False},
    )


def keep_all(cause: str, at: datetime, ids: Sequence[int], *where: ColumnElement[bool]) -> None:
    """The same for cells named by their ids, however many. Flushes only."""
    for first in range(0, len(ids), CHUNK):
        keep(cause, at, Cell.id.in_(ids[first : first + CHUNK]), *where)


def of(cell: Cell) -> list[Event]:
    """All that is known to have happened to a cell, oldest first."""
    rows = db.session.scalars(
        select(CellChange).where(CellChange.cell_fk == cell.id).order_by(CellChange.id)
    )
    return list(events([*rows, cell]))


def events(stages: Sequence[Any]) -> Iterator[Event]:
    """Tell a story from what a cell was, stage after stage, the last being the cell. Pure."""
    first = stages[0]
    yield _change(first.read_at, "read", None, first)
    if first.accepted_at is not None:
        yield Event(first.accepted_at, "delivered", None, _delivered(first))
    for before, after in pairwise(stages):
        if before.cause == "recognised":
            yield Event(before.at, before.cause, _delivered(before), _delivered(after))
        elif before.cause != QUIET:
            yield _change(before.at, before.cause, before, after, before.because)
        if after.accepted_at != before.accepted_at:
            yield Event(after.accepted_at, "delivered", _delivered(before), _delivered(after))


def _change(
    at: datetime | None, cause: str, before: Any, after: Any, because: str | None = None
) -> Event:
    old = _points(before.wanted_given, before.wanted_maximum) if before else None
    new = _points(after.wanted_given, after.wanted_maximum)
    coursera_at = after.coursera_at if cause == "read" else None
    return Event(at, cause, old, new, because or after.reason, coursera_at)


def _delivered(stage: Any) -> Points | None:
    return _points(stage.delivered_given, stage.delivered_maximum)


def _points(given: float | None, maximum: float | None) -> Points | None:
    return None if given is None else Points(given, maximum or 0.0)
