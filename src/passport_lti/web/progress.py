"""How far a sync is, for a page that follows it."""

from datetime import UTC, datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, ProgramCourse
from passport_lti.web import background, table
from passport_lti.web.pages import when


def since(text: str | None) -> datetime:
    """The moment that a page began to follow; long ago where it names none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        moment = datetime(2000, 1, 1, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def of(activity: Activity, poll: ProgramCourse | None, began: datetime) -> dict[str, object]:
    """`running`, `text` for people, and the cells `sent` since it began and still `due`."""
    running = background.is_running(activity.id)
    columns = [column.id for column in table.columns_of(activity)]
    theirs = Cell.line_item_fk.in_(columns)
    count = select(func.count()).select_from(Cell).where(theirs)
    sent = db.session.scalar(count.where(Cell.accepted_at >= began)) or 0
    due = db.session.scalar(count.where(Cell.state == "due")) or 0
    is_read = poll is not None and poll.polled_at is not None and poll.polled_at >= began
    if not running:
        text = _finished(sent, due, columns)
    elif is_read and not sent and not due:
        text = _("Bringing the columns of the gradebook up to date …")
    elif is_read:
        text = _("Sending: %(sent)s in the gradebook, %(due)s on the way.", sent=sent, due=due)
    else:
        text = _("Reading what Coursera reports …")
    return {"running": running, "text": text, "sent": sent, "due": due}


def _finished(sent: int, due: int, columns: list[int]) -> str:
    done = ngettext(
        "Done: %(num)s grade is new in the gradebook.",
        "Done: %(num)s grades are new in the gradebook.",
        sent,
    )
    if due:
        done += " " + ngettext(
            "%(num)s waits and is tried again by itself.",
            "%(num)s wait and are tried again by themselves.",
            due,
        )
    return f"{done} {late(columns)}"


def late(columns: list[int]) -> str:
    """Why a grade may still be missing, in one sentence."""
    last = db.session.scalar(
        select(func.max(Cell.coursera_at)).where(Cell.line_item_fk.in_(columns))
    )
    if last is None:
        return _("Coursera's reports are up to 24 hours behind; no activity is recorded yet.")
    return _(
        "Coursera's reports are up to 24 hours behind; the last activity recorded is of %(time)s.",
        time=when(last),
    )
