"""A learner's place at Coursera, begun by their way out there or by an instructor.

Nobody waits for it for long.

Few threads of each process make the calls of an organisation, as many as it allows at once; what
they have not done when the process ends stands in the database, and the scheduler goes on.
"""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field

from flask import Flask, current_app

from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.models import Activity
from passport_lti.sync.seats import wishes, work
from passport_lti.web.pages import services
from passport_lti.web.sessions import PageSession

PATIENCE = 2.0
"""Seconds that a learner waits at most; whatever comes of it, they move on."""

logger = logging.getLogger(__name__)


@dataclass
class _Errand:
    member_id: int
    done: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Crew:
    """The threads of one organisation in one application, and what they have before them."""

    waiting: deque[_Errand] = field(default_factory=deque)
    at_work: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_crews_lock = threading.Lock()


def take(session: PageSession, activity: Activity) -> None:
    """Have the learner invited or enrolled, if the platform wants that and it was not done.

    Returns after `PATIENCE` seconds at the latest, and never raises: nothing of it may keep a
    learner from the course. Commits.
    """
    try:
        member_id = wishes.wanted(session.launch, activity, services().clock())
    except UNANSWERED as error:
        db.session.rollback()
        logger.error("provision: the database did not answer: %s", reason(error))
        return
    _see_to(member_id, activity.connection)


def give(member_id: int, activity: Activity) -> None:
    """Have somebody invited or enrolled because an instructor of the activity says so.

    As long as `take`; nothing happens for whoever may take no seat. Commits.
    """
    _see_to(wishes.by_hand(member_id, activity, services().clock()), activity.connection)


def _see_to(member_id: int | None, connection: str) -> None:
    if member_id is None:
        return
    errand = _send(connection, member_id)
    db.session.commit()  # no connection of the database is held while waiting
    if not errand.done.wait(PATIENCE):
        logger.info("provision member=%s goes on in the background", member_id)


def _send(connection: str, member_id: int) -> _Errand:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    crew = _crew(app, connection)
    settings = services().config.coursera.get(connection)
    most = settings.max_concurrency if settings else 1
    with crew.lock:
        errand = _Errand(member_id)
        crew.waiting.append(errand)
        if crew.at_work < most:
            crew.at_work += 1
            name = f"provision-{connection}-{crew.at_work}"
            threading.Thread(target=_work, args=(app, crew), name=name, daemon=True).start()
    return errand


def _crew(app: Flask, connection: str) -> _Crew:
    with _crews_lock:
        crews: dict[str, _Crew] = app.extensions.setdefault("passport_lti_seats", {})
        return crews.setdefault(connection, _Crew())


def _work(app: Flask, crew: _Crew) -> None:
    while True:
        with crew.lock:
            if not crew.waiting:
                crew.at_work -= 1
                return
            errand = crew.waiting.popleft()
        with app.app_context():
            try:
                if not services().ending.is_set():
                    work.provide(services(), errand.member_id)
            except UNANSWERED as error:
                logger.error("provision: the database did not answer: %s", reason(error))
            except Exception:
                # A thread has nobody to raise to; the scheduler finds what is still due.
                logger.exception("provision of member=%s broke", errand.member_id)
            finally:
                db.session.remove()
                errand.done.set()
