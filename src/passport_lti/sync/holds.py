"""What becomes of cells when their column or their member goes, comes back or proves another."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, and_, or_, select

from passport_lti.extensions import db
from passport_lti.models import Cell, LineItem, Membership
from passport_lti.sync import outbox
from passport_lti.sync.people.members import replan
from passport_lti.sync.poll import planned


def hold_column(line_item_id: int, now: datetime) -> None:
    """A column that is gone: its cells wait until a person asks for the column. Flushes only."""
    theirs = and_(
        Cell.line_item_fk == line_item_id, Cell.state.in_(("due", "rejected", "delivered"))
    )
    outbox.change("column_gone", now, theirs, state="held", reason="column_gone", due_at=None)


def release_column(line_item_id: int, now: datetime) -> None:
    """A column that was thought to be gone is there: send what differs. Flushes only."""
    theirs = and_(
        Cell.line_item_fk == line_item_id,
        Cell.reason == "column_gone",
        Cell.wanted_given.is_not(None),
    )
    outbox.change("column_back", now, theirs, state="due", reason=None, due_at=now)


def forget_column(line_item: LineItem, now: datetime) -> None:
    """Another column takes the place of one that is gone. Flushes only."""
    theirs = Cell.line_item_fk == line_item.id
    outbox.change("made_again", now, theirs, state="superseded", reason="column_gone", due_at=None)
    line_item.resource_id = f"gone:{line_item.id}"


def waits_for_people(context_id: int) -> bool:
    """Whether news of a context's roster could release a cell."""
    found = select(Cell.id).where(
        Cell.line_item_fk.in_(_columns(context_id)),
        Cell.reason.in_(("not_enrolled", "not_gradable")),
    )
    return db.session.scalar(found.limit(1)) is not None


def follow_roster(context_id: int, now: datetime, members: Sequence[int] | None = None) -> None:
    """After news about who is in a context: hold what belongs to nobody there, revive the rest.

    A cell that the platform refused for its member is tried again. Flushes only. The cells are
    those of these members, or of all: in a large course, the few that one launch is about are
    found at once, while a look at all of them keeps others from writing for seconds.
    """
    present = select(Membership.member_fk).where(
        Membership.context_fk == context_id,
        Membership.role == "learner",
        Membership.state == "active",
    )
    theirs = [Cell.line_item_fk.in_(_columns(context_id))]
    if members is not None:
        theirs.append(Cell.member_fk.in_(members))
        present = present.where(Membership.member_fk.in_(members))
    left = and_(*theirs, Cell.state.in_(("due", "rejected")), Cell.member_fk.not_in(present))
    outbox.change("left", now, left, state="held", reason="not_enrolled", due_at=None)
    returned = and_(
        *theirs,
        Cell.member_fk.in_(present),
        or_(
            and_(Cell.state == "held", Cell.reason == "not_enrolled"),
            and_(Cell.state == "rejected", Cell.reason == "not_gradable"),
        ),
    )
    outbox.change("returned", now, returned, state="due", reason=None, due_at=now)


def withdraw(context_id: int, course_id: str, members: Sequence[int], now: datetime) -> None:
    """The row that fed these members' cells of a course is not theirs: nothing is wanted of them.

    What the gradebook holds stays. Whatever is read next for them is taken, however old or low
    it is, also where another program reports them as before. Flushes only.
    """
    if not members:
        return
    whole = f"coursera:{course_id}"
    columns = _columns(context_id).where(
        or_(
            LineItem.resource_id == whole,
            LineItem.resource_id.startswith(f"{whole}:", autoescape=True),
        ),
    )
    outbox.change(
        "not_matched",
        now,
        and_(Cell.line_item_fk.in_(columns), Cell.member_fk.in_(members)),
        state="superseded",
        reason="not_matched",
        due_at=None,
        coursera_at=None,
        forced=False,
        # What is being sent at this moment must not count as wanted once it has arrived.
        version=Cell.version + 1,
    )
    # Cells first, then matches, then activities, as plans go.
    planned.forget_members(context_id, course_id, members)
    replan(context_id)


def _columns(context_id: int) -> Select[int]:
    return select(LineItem.id).where(LineItem.context_fk == context_id)
