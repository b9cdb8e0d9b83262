"""The instructor's view of one activity: columns, learners, cells, counts. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import ColumnElement, and_, false, func, or_, select

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem, Match, Member, Membership
from passport_lti.sync.reasons import REMEDIES

PAGE = 50
"""Learners on one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A learner with one cell (or none yet) for each column, and how the person was found."""

    member: Member
    cells: tuple[Cell | None, ...]
    match: str


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[LineItem]
    rows: tuple[Row, ...]
    counts: dict[str, int]
    learners: int
    page: int
    pages: int
    accepted_at: datetime | None
    read_at: datetime | None


def of(activity: Activity, page: int) -> Table:
    """The page-th fifty learners of an activity's context, by name."""
    columns = columns_of(activity)
    ids = [column.id for column in columns]
    people = (
        select(Member)
        .join(Membership, Membership.member_fk == Member.id)
        .where(
            Membership.context_fk == activity.context_fk,
            Membership.role == "learner",
            Membership.state == "active",
        )
    )
    learners = db.session.scalar(select(func.count()).select_from(people.subquery())) or 0
    pages = max(1, -(-learners // PAGE))
    page = min(max(page, 1), pages)
    members = db.session.scalars(
        people.order_by(Member.name, Member.id).offset((page - 1) * PAGE).limit(PAGE)
    ).all()
    counts = db.session.execute(
        select(Cell.state, func.count()).where(Cell.line_item_fk.in_(ids)).group_by(Cell.state)
    )
    times = db.session.execute(
        select(func.max(Cell.accepted_at), func.max(Cell.read_at)).where(Cell.line_item_fk.in_(ids))
    ).one()
    return Table(
        columns, _rows(activity, members, ids), {row[0]: row[1] for row in counts}, learners,
        page, pages, times[0], times[1],
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


def explain(reason: str | None) -> str:
    """What a reason code means and what to do about it."""
    return gettext(REMEDIES[reason]) if reason in REMEDIES else ""


def _serves(activity: Activity) -> ColumnElement[bool]:
    link = activity.resource_link
    coupled = LineItem.resource_link_id == link.resource_link_id if link else false()
    shared: ColumnElement[bool] = false()
    if activity.strategy == "granular_auto_columns":
        shared = LineItem.resource_id.startswith(f"coursera:{activity.course_id}:", autoescape=True)
    return or_(and_(LineItem.owner == "platform", coupled), and_(LineItem.owner == "tool", shared))


def _rows(
    activity: Activity, members: Sequence[Member], line_items: Sequence[int]
) -> tuple[Row, ...]:
    ids = [member.id for member in members]
    cells = {
        (cell.member_fk, cell.line_item_fk): cell
        for cell in db.session.scalars(
            select(Cell).where(Cell.line_item_fk.in_(line_items), Cell.member_fk.in_(ids))
        )
    }
    matches = dict(
        db.session.execute(
            select(Match.member_fk, Match.state)
            .where(
                Match.context_fk == activity.context_fk,
                Match.program_id == activity.program_id,
                Match.course_id == activity.course_id,
                Match.member_fk.in_(ids),
            )
        ).all()
    )  # fmt: skip
    return tuple(
        Row(
            member,
            tuple(cells.get((member.id, line_item)) for line_item in line_items),
            matches.get(member.id, "unmatched"),
        )
        for member in members
    )
