"""What the charts of an activity show: how far its learners are, and what the syncs brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from passport_lti.extensions import db
from passport_lti.models import Cell, CellChange, LineItem

DAYS = 30
"""So far back the chart of syncs goes."""


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: its name and a number for each label."""

    name: str
    colour: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    labels: tuple[str, ...]
    series: tuple[Series, ...]


def by_column(
    columns: Sequence[LineItem], counts: Mapping[tuple[int, str], int], learners: int
) -> Chart:
    """For each column how many learners' grades are where."""

    def of(*states: str) -> tuple[int, ...]:
        return tuple(sum(counts.get((c.id, state), 0) for state in states) for c in columns)

    known = of("delivered", "due", "held", "rejected")
    return Chart(
        tuple(column.label or column.resource_id for column in columns),
        (
            Series(_("in the gradebook"), "good", of("delivered")),
            Series(_("on the way"), "going", of("due")),
            Series(_("held or refused"), "bad", of("held", "rejected")),
            Series(_("no grade yet"), "none", tuple(max(0, learners - n) for n in known)),
        ),
    )


def by_day(columns: Sequence[LineItem], now: datetime) -> Chart:
    """For each of the last days how many grades arrived in the gradebook, and how many did not."""
    ids = [column.id for column in columns]
    began = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [(began + timedelta(days=n)).date() for n in range(DAYS)]
    theirs = select(Cell.id).where(Cell.line_item_fk.in_(ids))
    # A cell that changed since keeps its earlier arrivals in its history, some several times.
    now_there = select(Cell.id, Cell.accepted_at).where(
        Cell.line_item_fk.in_(ids), Cell.accepted_at >= began
    )
    before = select(CellChange.cell_fk, CellChange.accepted_at).where(
        CellChange.cell_fk.in_(theirs), CellChange.accepted_at >= began
    )
    arrivals = now_there.union(before).subquery()
    arrived = _daily(arrivals.c.accepted_at)
    failed = _daily(
        CellChange.at,
        CellChange.cell_fk.in_(theirs), CellChange.at >= began,
        CellChange.cause.in_(("rejected", "waiting", "held")),
    )  # fmt: skip
    return Chart(
        tuple(format_date(day, "d MMM") for day in days),
        (
            Series(_("arrived"), "good",
                   tuple(arrived.get(day, 0) for day in days)),
            Series(_("held, refused or tried again"), "bad",
                   tuple(failed.get(day, 0) for day in days)),
        ),
    )  # fmt: skip


def _daily(moment: Any, *where: ColumnElement[bool]) -> dict[date, int]:
    is_sqlite = db.engine.dialect.name == "sqlite"
    day = func.date(moment if is_sqlite else func.timezone("UTC", moment))
    found = db.session.execute(select(day, func.count()).where(*where).group_by(day))
    # PostgreSQL answers with a date, SQLite with its text.
    return {date.fromisoformat(str(row[0])): row[1] for row in found}
