"""What a person may do about a cell: try again, send anyway, make the column again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_

from passport_lti.extensions import db
from passport_lti.models import Cell, LineItem
from passport_lti.sync import history, holds, outbox
from passport_lti.sync.people.members import replan


def retry(cell: Cell, now: datetime) -> None:
    """Have a rejected or waiting cell sent at the next delivery; commits."""
    if cell.wanted_given is not None and cell.state in ("rejected", "due"):
        history.keep("retried", now, Cell.id == cell.id)
        cell.state, cell.due_at, cell.attempts = "due", now, 0
    db.session.commit()


def retry_all(line_items: Sequence[int], now: datetime) -> None:
    """The same for every rejected cell of these columns; commits."""
    theirs = and_(
        Cell.line_item_fk.in_(line_items), Cell.state == "rejected", Cell.wanted_given.is_not(None)
    )
    outbox.change("retried", now, theirs, state="due", due_at=now, attempts=0)
    db.session.commit()


def send_anyway(cell: Cell, now: datetime) -> None:
    """Replace what a teacher wrote in the gradebook, once; commits."""
    if cell.wanted_given is not None and cell.state == "held" and cell.reason == "overridden":
        history.keep("sent_anyway", now, Cell.id == cell.id)
        cell.state, cell.due_at, cell.reason, cell.forced = "due", now, None, True
        cell.version += 1
    db.session.commit()


def make_again(line_item: LineItem, now: datetime) -> None:
    """Forget a deleted column, so that the next poll makes it anew with all its grades; commits."""
    if line_item.state == "gone" and line_item.owner == "tool":
        holds.forget_column(line_item, now)
        replan(line_item.context_fk)
    db.session.commit()
