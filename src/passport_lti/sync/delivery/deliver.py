"""Delivery: the columns with something due, platforms side by side, a few calls at a time."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import func, or_, select

from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Cell, Context, Deployment, LineItem, Platform
from passport_lti.sync.delivery import claims
from passport_lti.sync.delivery.outcomes import Column, Outcomes
from passport_lti.sync.delivery.sending import Round
from passport_lti.sync.delivery.slots import Slots
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 8
"""Platforms that are delivered to at the same time; the columns of others wait for their turn."""


def deliver(
    services: Services,
    outcomes: Outcomes,
    app_context: Callable[[], AbstractContextManager[object]],
    *,
    line_items: Sequence[int] | None = None,
    platform_id: int | None = None,
    patience: float | None = None,
) -> bool:
    """Send everything that is due now (in these columns, to this platform), platforms side by side.

    Returns when nothing is left, or after `patience` seconds and at least one batch on each
    connection; True where something was left for then.
    """
    began = time.monotonic()
    until = math.inf if patience is None else began + patience
    due = _due_columns(services, line_items, platform_id)
    by_platform: dict[int, list[Column]] = {}
    for column in due:
        by_platform.setdefault(column.platform_id, []).append(column)
    allowed = {id: settings_of(db.session.get_one(Platform, id)).connections for id in by_platform}
    db.session.commit()
    jobs = []
    living: list[Round | Slots] = []
    workers = max(1, sum(sorted(allowed.values())[-SIDE_BY_SIDE:]))
    with _renewed(app_context, living), ThreadPoolExecutor(workers) as pool:
        for platform_id, columns in by_platform.items():
            platform, connections = db.session.get_one(Platform, platform_id), allowed[platform_id]
            round_ = Round(
                services, services.platform(platform), outcomes.share(platform.id),
                connections=connections, due=sum(column.due for column in columns),
            )  # fmt: skip
            slots = Slots(services, platform.id, round_.holder, connections)
            living += [round_, slots]
            queue = list(columns)
            lock = threading.Lock()
            round_.is_probe = platform.failures > 0
            for number in range(connections):
                job = pool.submit(_work, app_context, round_, slots, number, queue, lock, until)
                jobs.append(job)
        db.session.commit()
        left = [job.result() for job in jobs]
    return any(left)


@contextmanager
def _renewed(
    app_context: Callable[[], AbstractContextManager[object]], living: Sequence[Round | Slots]
) -> Iterator[None]:
    """Renew what is claimed and taken while the block runs, however slow a platform is."""
    done = threading.Event()

    def renew() -> None:
        with app_context():
            while not done.wait(claims.LEASE.total_seconds() / 4):
                try:
                    for one in living:
                        one.renew()
                except UNANSWERED as error:
                    # Claims that run out are left alone by the rounds themselves.
                    db.session.rollback()
                    log.warning("claims could not be renewed: %s", reason(error))

    renewal = threading.Thread(target=renew, daemon=True)
    renewal.start()
    try:
        yield
    finally:
        done.set()
        renewal.join()


def _due_columns(
    services: Services, line_items: Sequence[int] | None, platform_id: int | None
) -> list[Column]:
    now = services.clock()
    waiting = (
        select(Cell.line_item_fk, func.count().label("due"))
        .where(claims.ready(now))
        .group_by(Cell.line_item_fk)
        .subquery()
    )
    query = (
        select(LineItem.id, LineItem.url, LineItem.context_fk, Platform.id, waiting.c.due)
        .join(waiting, waiting.c.line_item_fk == LineItem.id)
        .join(Context, Context.id == LineItem.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(
            LineItem.state == "active",
            Platform.state == "active",
            or_(Platform.paused_until.is_(None), Platform.paused_until <= now),
        )
        .order_by(LineItem.id)
    )
    if line_items is not None:
        query = query.where(LineItem.id.in_(line_items))
    if platform_id is not None:
        query = query.where(Platform.id == platform_id)
    return [Column(*row) for row in db.session.execute(query)]


def _work(
    app_context: Callable[[], AbstractContextManager[object]],
    round_: Round,
    slots: Slots,
    number: int,
    queue: list[Column],
    lock: threading.Lock,
    until: float,
) -> bool:
    """One connection's share: a batch of each column in turn, so that none waits for another.

    Without a place among the calls of all processes there is none. It ends with the queue, with
    the platform's failure or the process, or at `until`: then something is left.
    Where the platform has failed before, the others wait until the first has made one call.
    """
    with app_context(), _place(slots, number) as has_place:
        if not has_place:
            round_.outcomes.note_crowd()
            if number == 0:
                round_.leave_probe()
            return False
        if number != 0:
            round_.wait_for_probe()
        elif round_.is_probe:
            # Not always the same: it may be the one column that the platform fails on.
            round_.probe(random.choice(queue))
        while not round_.is_over and slots.has(number):
            with lock:
                if not queue:
                    return False
                column = queue.pop(0)
                queue.append(column)
            if not round_.send_some(column):
                with lock:
                    if column in queue:
                        queue.remove(column)
            elif time.monotonic() > until:
                return True
        return False


@contextmanager
def _place(slots: Slots, number: int) -> Iterator[bool]:
    has_place = slots.take(number)
    try:
        yield has_place
    finally:
        slots.give_back(number)
