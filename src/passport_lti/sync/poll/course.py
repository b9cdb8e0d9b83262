"""Polling: read a Coursera course once, and plan the cells of every context that uses it."""

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from passport_lti.coursera import catalogue
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.items import Items, items_now
from passport_lti.coursera.scale import Scale
from passport_lti.coursera.scales import resolve_scale
from passport_lti.coursera.sweep import Sweep
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.models import Activity, Context, Program, ProgramCourse
from passport_lti.sync import leases
from passport_lti.sync.poll.planning import Planning
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CourseKey:
    """What is read in one sweep."""

    connection: str
    program_id: str
    course_id: str


@dataclass(frozen=True)
class Planned:
    """Cells changed by platform; sentences about contexts left for the next poll, with theirs."""

    changed: Counter[int] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)


def poll_course(
    services: Services,
    key: CourseKey,
    activities: Sequence[Activity],
    read: Callable[[], Sweep],
    *,
    began: datetime,
    asked: bool = False,
) -> Planned:
    """Plan the cells of a course's activities by its report.

    `read` gives the sweep, or raises what kept it from being read. `began` is when this run
    began: a roster read since is fresh. Raises typed errors of Coursera's side; nothing is planned
    from half a report.
    """
    client = services.coursera(key.connection)
    db.session.commit()
    if not catalogue.program_url(key.connection, key.program_id):
        catalogue.read(client, services.clock())
    db.session.commit()
    with read() as found:
        known = catalogue.known_course(key.connection, key.program_id, key.course_id)
        db.session.commit()
        items = items_now(client, found, known.slug if known else "")
        try:
            course, scale = _remember(client, key, items, found, asked)
        except IntegrityError:
            # Another sync met the same news in the same moment: see what it has stored.
            db.session.rollback()
            course, scale = _remember(client, key, items, found, asked)
        for problem in found.problems[:5]:
            log.warning("coursera %s course %s: %s", key.connection, key.course_id, problem)
        planning = Planning(services, client, course, found, scale, began, asked)
        done = Planned()
        groups = itertools.groupby(
            sorted(activities, key=lambda a: (a.context_fk, a.id)), key=lambda a: a.context_fk
        )
        for context_fk, group in groups:
            context = db.session.get(Context, context_fk)
            assert context is not None
            platform_id = context.deployment.platform_id
            try:
                done.changed[platform_id] += planning.plan(context, list(group))
            except leases.Lost as error:
                db.session.rollback()
                problem = f"context {context_fk} is not planned: {error}"
                log.warning("course %s: %s", key.course_id, problem)
                done.problems.append((platform_id, f"Coursera course {key.course_id}: {problem}"))
    return done


def _remember(
    client: CourseraClient, key: CourseKey, items: Items, found: Sweep, asked: bool
) -> tuple[Course, Scale | None]:
    """Store what a sweep says of the course itself; commits."""
    scale = resolve_scale(client, found)
    course = catalogue.store_items(
        key.connection, key.program_id, key.course_id, items, found.read_at, found.course_name
    )
    _note(key, found, asked)
    db.session.commit()
    return course, scale


def _note(key: CourseKey, found: Sweep, asked: bool) -> None:
    row = _program_course(key)
    if row is not None:
        if row.digest != found.digest:
            row.changed_at = found.read_at
        if asked:
            row.asked_at = found.read_at
        row.polled_at, row.poll_problem, row.digest = found.read_at, None, found.digest


def note_problem(key: CourseKey, error: ServiceError) -> None:
    """Remember on the course why it could not be read; commits."""
    row = _program_course(key)
    if row is not None:
        row.poll_problem = str(error)[:255]
    db.session.commit()


def _program_course(key: CourseKey) -> ProgramCourse | None:
    return db.session.scalar(
        select(ProgramCourse)
        .join(Program)
        .where(
            Program.connection == key.connection,
            Program.program_id == key.program_id,
            ProgramCourse.course_id == key.course_id,
        )
    )
