"""Polling: read a Coursera course once, and plan the cells of every context that uses it."""

import hashlib
import itertools
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from passport_lti.coursera import catalogue
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.items import Items, items_now
from passport_lti.coursera.scale import Scale
from passport_lti.coursera.scales import resolve_scale
from passport_lti.coursera.sweep import Sweep, sweep
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.lti.platforms import settings_of
from passport_lti.models import (
    Activity,
    Context,
    Program,
    ProgramCourse,
    UnmatchedLearner,
)
from passport_lti.models.activity import LACKING
from passport_lti.sync import columns, leases, outbox, people, roster
from passport_lti.sync.matching import match
from passport_lti.sync.plan import changed, wanted
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
BATCH = 200
"""Learners planned at a time: one query and a handful of bulk writes each."""


@dataclass(frozen=True, slots=True)
class CourseKey:
    """What is read in one sweep."""

    connection: str
    program_id: str
    course_id: str


def poll_course(
    services: Services, key: CourseKey, activities: Sequence[Activity], *, asked: bool = False
) -> int:
    """Read a course's report and plan the cells of its activities; returns cells changed.

    Raises typed errors of Coursera's side; nothing is planned from half a report.
    """
    client = services.coursera(key.connection)
    db.session.commit()
    if not catalogue.program_url(key.connection, key.program_id):
        catalogue.read(client, services.clock())
    with sweep(client, key.program_id, key.course_id, services.clock()) as found:
        known = catalogue.known_course(key.connection, key.program_id, key.course_id)
        items = items_now(client, found, known.slug if known else "")
        try:
            course, scale = _remember(client, key, items, found)
        except IntegrityError:
            # Another sync met the same news in the same moment: see what it has stored.
            db.session.rollback()
            course, scale = _remember(client, key, items, found)
        for problem in found.problems[:5]:
            log.warning("coursera %s course %s: %s", key.connection, key.course_id, problem)
        count = 0
        groups = itertools.groupby(
            sorted(activities, key=lambda a: (a.context_fk, a.id)), key=lambda a: a.context_fk
        )
        for context_fk, group in groups:
            context = db.session.get(Context, context_fk)
            assert context is not None
            count += _plan_context(services, context, list(group), course, found, scale, asked)
    return count


def _remember(
    client: CourseraClient, key: CourseKey, items: Items, found: Sweep
) -> tuple[Course, Scale | None]:
    """Store what a sweep says of the course itself; commits."""
    scale = resolve_scale(client, found)
    course = catalogue.store_items(
        key.connection, key.program_id, key.course_id, items, found.read_at, found.course_name
    )
    _note(key, found)
    db.session.commit()
    return course, scale


def _plan_context(
    services: Services,
    context: Context,
    activities: list[Activity],
    course: Course,
    found: Sweep,
    scale: Scale | None,
    asked: bool,
) -> int:
    """Bring columns and cells of one context in line with a sweep; 0 where nothing is news.

    One process at a time plans a context; the next one finds what it has stored.
    """
    arguments = (services, context, activities, course, found, scale, asked)
    if services.rehearsal:
        return _plan(*arguments) if _is_news(*arguments) else 0
    if not _is_news(*arguments):
        return 0
    db.session.commit()
    with leases.held(services, f"plan:{context.id}", secrets.token_hex(8), LEASE) as mine:
        db.session.expire_all()
        return _plan(*arguments) if mine and _is_news(*arguments) else 0


def _is_news(
    services: Services,
    context: Context,
    activities: list[Activity],
    course: Course,
    found: Sweep,
    scale: Scale | None,
    asked: bool,
) -> bool:
    """Whether anything of a context may have to change: grades, columns or people."""
    digest = _digest(services, course, found, scale)
    if not _is_planned(activities, digest) or _is_stale(services, context, course, asked):
        return True
    return any(activity.lacks_columns for activity in activities) and columns.differ(
        context, activities, course, services.clock()
    )


def _is_planned(activities: list[Activity], digest: str) -> bool:
    return all(a.planned_digest in (digest, digest + LACKING) for a in activities)


def _is_stale(services: Services, context: Context, course: Course, asked: bool) -> bool:
    unmatched = db.session.scalar(
        select(UnmatchedLearner.id).where(
            UnmatchedLearner.context_fk == context.id, UnmatchedLearner.course_id == course.id
        )
    )
    now = services.clock()
    return roster.is_stale(context, now, unmatched=unmatched is not None) or (
        asked and context.memberships_url is not None and outbox.waits_for_people(context.id)
    )


def _plan(
    services: Services,
    context: Context,
    activities: list[Activity],
    course: Course,
    found: Sweep,
    scale: Scale | None,
    asked: bool,
) -> int:
    """Read the roster where that may say something new, see to the columns, store the cells."""
    digest = _digest(services, course, found, scale)
    if not _is_planned(activities, digest) or _is_stale(services, context, course, asked):
        roster.refresh(services, context)
    complete = columns.ensure(services, context, activities, course)
    targets = columns.targets(activities, course)
    settings = settings_of(context.deployment.platform)
    rules = settings.identity.match_by
    matching = match(found.learners, roster.identities(context), rules)
    people.store(context, course, found, matching)
    strangers = set(matching.unmatched)
    left_over = [learner for learner in found.learners if learner.external_id in strangers]
    gone = match(left_over, roster.identities(context, gone=True), rules)
    count = 0
    sync = services.config.sync
    members = {row.casefold(): member for row, (member, _) in matching.members.items()}
    absent = {row.casefold(): member for row, (member, _) in gone.members.items()}
    away = set(absent.values())
    members = absent | members
    mine = (row for row in found.rows(scale) if row.external_id.casefold() in members)
    for batch in _batches(mine):
        ids = [members[row.external_id.casefold()] for row in batch]
        known = outbox.known([target.line_item_id for target in targets], ids)
        cells = (
            cell
            for row, member in zip(batch, ids, strict=True)
            for cell in wanted(
                row,
                member,
                targets,
                in_progress=sync.in_progress,
                held="not_enrolled" if member in away else None,
            )
            if member not in away or (cell.line_item_id, member) in known
        )
        count += outbox.enqueue(
            list(changed(cells, known, policy=sync.grade_policy)), found.read_at
        )
        db.session.commit()
    if context.roster_problem is None:
        for activity in activities:
            activity.planned_digest = digest if complete else digest + LACKING
    db.session.commit()
    return count


def _batches(rows: Iterator) -> Iterator[list]:  # type: ignore[type-arg]
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def _digest(services: Services, course: Course, found: Sweep, scale: Scale | None) -> str:
    """Stands for everything that a plan depends on besides the activity and the roster."""
    sync = services.config.sync
    text = repr((found.digest, scale, course.items, sync.grade_policy, sync.in_progress))
    return hashlib.sha256(text.encode()).hexdigest()[:63]


def _note(key: CourseKey, found: Sweep) -> None:
    row = _program_course(key)
    if row is not None:
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
