"""Polling many courses: organisations side by side, the reports of each read ahead.

Of one organisation `max_concurrency` reports are read at the same time, and what they say is
planned in the order of the activities: what comes out does not depend on who answers first.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from passport_lti.coursera.sweep import Sweep, sweep
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.models import Activity, Context, Deployment, Platform
from passport_lti.sync.poll.course import CourseKey, Planned, note_problem, poll_course
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 8
"""Organisations that are polled at the same time; further ones wait for their turn."""

AppContext = Callable[[], AbstractContextManager[object]]
Reading = Callable[[], Sweep]


@dataclass
class Polled:
    """What a poll did; `problems` are sentences about what could not be read or planned.

    `shares` is the same by platform: a course that several use counts for each of them.
    """

    courses: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)
    failed: list[CourseKey] = field(default_factory=list)
    shares: dict[int, "Polled"] = field(default_factory=dict)

    def share(self, platform_id: int) -> "Polled":
        return self.shares.setdefault(platform_id, Polled())

    def add(self, other: "Polled") -> None:
        for platform_id, share in other.shares.items():
            self.share(platform_id).add(share)
        self.courses += other.courses
        self.changed += other.changed
        self.problems += other.problems
        self.failed += other.failed


def activities(platform: str | None = None, activity: int | None = None) -> list[Activity]:
    """The activities of active platforms that are not given up, oldest first."""
    query = (
        select(Activity)
        .join(Context, Context.id == Activity.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .join(Platform, Platform.id == Deployment.platform_id)
        .where(Platform.state == "active", Activity.state != "retired")
        .order_by(Activity.id)
    )
    if platform is not None:
        query = query.where(Platform.name == platform)
    if activity is not None:
        query = query.where(Activity.id == activity)
    return list(db.session.scalars(query))


def key_of(activity: Activity) -> CourseKey:
    return CourseKey(activity.connection, activity.program_id, activity.course_id)


def poll(
    services: Services,
    app_context: AppContext,
    chosen: Sequence[Activity],
    *,
    asked: bool = False,
) -> Polled:
    """Read each course of these activities once, and plan their cells. Commits.

    `asked`: by a person, who may know of news about people that Coursera does not report.

    Activities of the same course in the same contexts are planned together, whoever was chosen:
    they share columns. A course that can't be read is noted, and the others go on.
    """
    began, total = services.clock(), Polled()
    seen: set[int] = set()
    # Once more for what the columns of a copied context have told of; what people publish
    # meanwhile waits for the next poll, or there would be no end to it.
    for _ in range(2):
        places = {row.context_fk for row in chosen}
        standing = activities()
        seen |= {row.id for row in standing}
        organisations = _organisations(standing, chosen)
        db.session.commit()
        for part in _side_by_side(services, app_context, organisations, began, asked):
            total.add(part)
        db.session.expire_all()
        chosen = [row for row in activities() if row.id not in seen and row.context_fk in places]
    return total


def _organisations(
    standing: Sequence[Activity], chosen: Sequence[Activity]
) -> list[dict[CourseKey, list[int]]]:
    """For each organisation its courses, with the activities that are planned with the chosen."""
    wanted = {(key_of(row), row.context_fk) for row in chosen}
    found: dict[str, dict[CourseKey, list[int]]] = {}
    for row in standing:
        key = key_of(row)
        if (key, row.context_fk) in wanted:
            found.setdefault(key.connection, {}).setdefault(key, []).append(row.id)
    return list(found.values())


def _side_by_side(
    services: Services,
    app_context: AppContext,
    organisations: Sequence[Mapping[CourseKey, Sequence[int]]],
    began: datetime,
    asked: bool,
) -> list[Polled]:
    work = [(services, courses, began, asked) for courses in organisations]
    # A rehearsal lives in one database connection, which threads can't share.
    if len(work) < 2 or services.rehearsal:
        return [_poll_organisation(nullcontext, *each) for each in work]
    with ThreadPoolExecutor(min(len(work), SIDE_BY_SIDE)) as pool:
        jobs = [pool.submit(_poll_organisation, app_context, *each) for each in work]
    return [job.result() for job in jobs]


def _poll_organisation(
    app_context: AppContext,
    services: Services,
    courses: Mapping[CourseKey, Sequence[int]],
    began: datetime,
    asked: bool,
) -> Polled:
    """The courses of one organisation, one after the other."""
    found = Polled()
    with app_context(), _read_ahead(services, list(courses)) as readings:
        for key, read in readings:
            if services.ending.is_set():
                break
            query = select(Activity).where(Activity.id.in_(courses[key])).order_by(Activity.id)
            rows = db.session.scalars(query).all()
            try:
                _count(poll_course(services, key, rows, read, began=began, asked=asked), found)
            except ServiceError as error:
                _give_up(key, courses[key], error, found)
            except Exception as error:
                # One course's trouble must not keep the others from their grades.
                log.debug("unexpected", exc_info=True)
                _give_up(key, courses[key], ServiceError("unexpected", type(error).__name__), found)
    return found


def _count(done: Planned, found: Polled) -> None:
    found.courses += 1
    found.changed += sum(done.changed.values())
    for platform_id, count in done.changed.items():
        share = found.share(platform_id)
        share.courses += 1
        share.changed += count
    for platform_id, problem in done.problems:
        found.problems.append(problem)
        found.share(platform_id).problems.append(problem)


def _give_up(key: CourseKey, ids: Sequence[int], error: ServiceError, found: Polled) -> None:
    db.session.rollback()
    note_problem(key, error)
    found.failed.append(key)
    problem = f"Coursera course {key.course_id}: {error}"
    found.problems.append(problem)
    for platform_id in _platforms(ids):
        found.share(platform_id).problems.append(problem)
    log.warning("poll of course %s failed: %s", key.course_id, error)


def _platforms(activity_ids: Sequence[int]) -> Sequence[int]:
    """The platforms that these activities stand in."""
    return db.session.scalars(
        select(Deployment.platform_id)
        .join(Context, Context.deployment_fk == Deployment.id)
        .join(Activity, Activity.context_fk == Context.id)
        .where(Activity.id.in_(activity_ids))
        .distinct()
    ).all()


@contextmanager
def _read_ahead(
    services: Services, keys: Sequence[CourseKey]
) -> Iterator[Iterator[tuple[CourseKey, Reading]]]:
    """Each course with what gives its sweep, which was begun as soon as there was room for it."""
    connection = services.config.coursera.get(keys[0].connection)
    if len(keys) == 1 or connection is None or connection.max_concurrency == 1:
        yield ((key, _reading(services, key)) for key in keys)
        return
    ahead: deque[Future[Sweep]] = deque()
    waiting = iter(keys)
    with ThreadPoolExecutor(connection.max_concurrency) as readers:

        def readings() -> Iterator[tuple[CourseKey, Reading]]:
            for key in keys:
                while len(ahead) < connection.max_concurrency:
                    following = next(waiting, None)
                    if following is None:
                        break
                    ahead.append(readers.submit(_reading(services, following)))
                yield key, ahead[0].result
                _close(ahead.popleft())

        try:
            yield readings()
        finally:
            for future in ahead:
                _close(future)


def _close(future: Future[Sweep]) -> None:
    """Give back what a reading holds, whether or not anybody used it."""
    if not future.cancel() and future.exception() is None:
        future.result().close()


def _reading(services: Services, key: CourseKey) -> Reading:
    def read() -> Sweep:
        client = services.coursera(key.connection)
        return sweep(client, key.program_id, key.course_id, services.clock())

    return read
