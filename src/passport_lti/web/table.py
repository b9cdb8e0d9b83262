"""The instructor's view of one activity: columns, cells, counts. Reads only.

Plain tuples, not objects, and one statement for all counts: a large course has 40,000 cells.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem
from passport_lti.sync.reasons import STATES
from passport_lti.web.learners import Learner, chosen, learners_of
from passport_lti.web.look import Look

PAGE, WIDE_PAGE = 50, 25
"""Learners on one page; fewer where there are more than `WIDE` columns."""
WIDE = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as the table shows it: `given` is what is wanted, else what the gradebook got."""

    id: int
    state: str
    reason: str | None
    given: float | None
    maximum: float
    wanted: bool
    delivered_given: float | None
    coursera_at: datetime | None
    read_at: datetime | None
    accepted_at: datetime | None

    @property
    def level(self) -> int:
        """The grade in five steps, 0 to 4."""
        share = (self.given or 0.0) / self.maximum if self.maximum else 0.0
        return min(max(int(share * 5), 0), 4)

    @property
    def remedy(self) -> str:
        """What a person can do about it here: `retry`, `send-anyway` or nothing."""
        if not self.wanted:
            return ""
        if self.reason == "overridden":
            return "send-anyway"
        return "retry" if self.state == "rejected" else ""


@dataclass(frozen=True, slots=True)
class Row:
    """A learner with one cell (or none yet) for each column; `graded` columns have a grade."""

    learner: Learner
    cells: tuple[Shown | None, ...]
    graded: int


@dataclass(frozen=True, slots=True)
class Tallies:
    """Cells counted in one go, over all learners: by state, by reason and by column and state."""

    states: Mapping[str, int]
    reasons: Mapping[str, int]
    columns: Mapping[tuple[int, str], int]
    accepted_at: datetime | None
    coursera_at: datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[LineItem]
    rows: tuple[Row, ...]
    tallies: Tallies
    learners: int
    chosen: int
    unmatched: int
    lacking: int
    page: int
    pages: int


def of(activity: Activity, look: Look) -> Table:
    """One page of the learners of an activity's context that a look asks for, in its order."""
    columns = columns_of(activity)
    people = learners_of(activity)
    found = chosen(activity, look, columns, people)
    size = WIDE_PAGE if len(columns) > WIDE else PAGE
    pages = max(1, -(-len(found) // size))
    page = min(look.page, pages)
    tallied = tallies(columns)
    filled = sum(
        tallied.columns.get((c.id, state), 0) for c in columns for state in STATES
        if c.state == "active"
    )  # fmt: skip
    return Table(
        columns=columns,
        rows=rows(columns, found[(page - 1) * size : page * size]),
        tallies=tallied,
        learners=len(people),
        chosen=len(found),
        unmatched=sum(learner.match != "matched" for learner in people),
        lacking=max(0, len(people) * sum(c.state == "active" for c in columns) - filled),
        page=page,
        pages=pages,
    )


def rows(columns: Sequence[LineItem], learners: Sequence[Learner]) -> tuple[Row, ...]:
    """These learners with their cells."""
    ids, places = [c.id for c in columns], {c.id: place for place, c in enumerate(columns)}
    active = {place for place, c in enumerate(columns) if c.state == "active"}
    cells: dict[int, list[Shown | None]] = {x.id: [None] * len(ids) for x in learners}
    found = db.session.execute(
        select(
            Cell.member_fk, Cell.line_item_fk, Cell.id, Cell.state, Cell.reason,
            func.coalesce(Cell.wanted_given, Cell.delivered_given),
            Cell.wanted_maximum, Cell.wanted_given.is_not(None), Cell.delivered_given,
            Cell.coursera_at, Cell.read_at, Cell.accepted_at,
        ).where(Cell.line_item_fk.in_(ids), Cell.member_fk.in_(list(cells)))
    )  # fmt: skip
    for member, line_item, *shown in found:
        cells[member][places[line_item]] = Shown(*shown)
    return tuple(
        Row(
            learner,
            tuple(cells[learner.id]),
            sum(
                cell is not None and cell.given is not None and place in active
                for place, cell in enumerate(cells[learner.id])
            ),
        )
        for learner in learners
    )


def tallies(columns: Sequence[LineItem]) -> Tallies:
    """All that is counted over the cells of these columns."""
    found = db.session.execute(
        select(
            Cell.line_item_fk, Cell.state, Cell.reason, func.count(),
            func.max(Cell.accepted_at), func.max(Cell.coursera_at),
        )
        .where(Cell.line_item_fk.in_([column.id for column in columns]))
        .group_by(Cell.line_item_fk, Cell.state, Cell.reason)
    ).all()  # fmt: skip
    states, reasons, by_column = Counter[str](), Counter[str](), Counter[tuple[int, str]]()
    for line_item, state, reason, count, _, _ in found:
        states[state] += count
        by_column[line_item, state] += count
        if reason:
            reasons[reason] += count
    return Tallies(
        states, dict(reasons.most_common()), by_column,
        max((row[4] for row in found if row[4]), default=None),
        max((row[5] for row in found if row[5]), default=None),
    )  # fmt: skip


def columns_of(activity: Activity) -> Sequence[LineItem]:
    """The columns that show this activity's grades: its own, and those its course shares."""
    return db.session.scalars(
        select(LineItem)
        .where(
            LineItem.context_fk == activity.context_fk,
            LineItem.state != "double",
            _serves(activity),
        )
        .order_by(LineItem.state == "gone", LineItem.position, LineItem.id)
    ).all()


def cell_of(activity: Activity, cell_id: int) -> Cell | None:
    """A cell of one of this activity's columns."""
    return db.session.scalar(
        select(Cell).where(
            Cell.id == cell_id, Cell.line_item_fk.in_([item.id for item in columns_of(activity)])
        )
    )


def _serves(activity: Activity) -> ColumnElement[bool]:
    link = activity.resource_link
    coupled = LineItem.resource_link_id == link.resource_link_id if link else false()
    shared: ColumnElement[bool] = false()
    if activity.strategy == "granular_auto_columns":
        shared = LineItem.resource_id.startswith(f"coursera:{activity.course_id}:", autoescape=True)
    return or_(and_(LineItem.owner == "platform", coupled), and_(LineItem.owner == "tool", shared))
