"""Which courses are to be read now, by how much each is used."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.models import Activity, PollFailure, Program, ProgramCourse
from passport_lti.sync.poll.course import CourseKey
from passport_lti.sync.poll.courses import activities, key_of
from passport_lti.sync.poll.pace import Failures, Signs, is_due
from passport_lti.sync.services import Services


def due_activities(
    services: Services, now: datetime, connection: str | None = None
) -> list[Activity]:
    """The activities of the courses that are due, of one organisation or of all."""
    every = services.config.sync.poll_every
    courses: dict[CourseKey, list[Activity]] = {}
    for activity in activities():
        courses.setdefault(key_of(activity), []).append(activity)
    stored, failures = _stored(), _failures()
    return [
        activity
        for key, group in courses.items()
        if connection in (None, key.connection)
        and is_due(_signs(group, stored.get(key)), every, now, failures.get(key))
        for activity in group
    ]


def note_failures(due: Sequence[Activity], failed: Sequence[CourseKey], now: datetime) -> None:
    """Remember which of the courses that were due could not be read. Flushes only."""
    for key in {key_of(activity) for activity in due}:
        row = db.session.get(PollFailure, (key.connection, key.program_id, key.course_id))
        if key not in failed:
            if row is not None:
                db.session.delete(row)
        elif row is None:
            db.session.add(PollFailure(**asdict(key), count=1, at=now))
        else:
            row.count, row.at = row.count + 1, now


def _failures() -> dict[CourseKey, Failures]:
    return {
        CourseKey(row.connection, row.program_id, row.course_id): Failures(row.count, row.at)
        for row in db.session.scalars(select(PollFailure))
    }


def _stored() -> dict[CourseKey, ProgramCourse]:
    rows = db.session.execute(
        select(Program.connection, Program.program_id, ProgramCourse)
        .join(Program, Program.id == ProgramCourse.program_fk)
        .where(ProgramCourse.polled_at.is_not(None))
    )
    return {CourseKey(row[0], row[1], row[2].course_id): row[2] for row in rows}


def _signs(group: Sequence[Activity], course: ProgramCourse | None) -> Signs:
    called = [activity.created_at for activity in group]
    for activity in group:
        link = activity.resource_link
        if link is not None and link.launched_at is not None:
            called.append(link.launched_at)
    if course is not None and course.asked_at is not None:
        called.append(course.asked_at)
    waiting = [a.created_at for a in group if not a.planned_digest or a.lacks_columns]
    return Signs(
        polled_at=course.polled_at if course else None,
        called_at=max(called),
        changed_at=course.changed_at if course else None,
        waits_since=max(waiting, default=None),
    )
