"""What Coursera offers: read for the picker, remembered for everything else.

Flask-Caching only saves calls to Coursera; whatever a launch or a sync needs is in the database.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.items import outlined
from passport_lti.coursera.judging import LinkVerdict, judge
from passport_lti.coursera.listing import UNLISTED, store_listing
from passport_lti.extensions import cache, db
from passport_lti.grades import Course, GradableItem
from passport_lti.models import CourseItem, Program, ProgramCourse

FRESH = 3600
"""Seconds that a reading of the catalogue or of an outline is used again."""


class CourseOffer(NamedTuple):
    """A course in a program, as the picker lists it."""

    program_id: str
    id: str
    name: str
    slug: str
    partner: str = ""
    description: str = ""
    photo: str = ""


@dataclass(frozen=True, slots=True)
class ProgramOffer:
    id: str
    name: str
    courses: tuple[CourseOffer, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Programs with their courses; `read_at` is None where it was never read."""

    programs: tuple[ProgramOffer, ...] = ()
    read_at: datetime | None = None


def known(connection: str) -> Catalogue:
    """What the last reading of the catalogue found; never asks Coursera."""
    programs = db.session.scalars(
        select(Program)
        .where(Program.connection == connection, Program.read_at > UNLISTED)
        .order_by(Program.name)
    ).all()
    # Thousands of them, for each page of the picker: plain rows, no objects of the session.
    courses = db.session.execute(
        select(
            Program.program_id, ProgramCourse.course_id, ProgramCourse.name, ProgramCourse.slug,
            ProgramCourse.partner, ProgramCourse.description, ProgramCourse.photo,
        )
        .join(Program)
        .where(
            Program.connection == connection,
            Program.read_at > UNLISTED,
            ProgramCourse.read_at > UNLISTED,
        )
        .order_by(ProgramCourse.name)
    )  # fmt: skip
    offers: dict[str, list[CourseOffer]] = {program.program_id: [] for program in programs}
    for course in map(CourseOffer._make, courses):
        offers[course.program_id].append(course)
    found = (
        ProgramOffer(p.program_id, p.name, tuple(offers[p.program_id]), p.url) for p in programs
    )
    return Catalogue(tuple(found), max((row.read_at for row in programs), default=None))


def read(client: CourseraClient, now: datetime, *, refresh: bool = False) -> Catalogue:
    """The catalogue, asked from Coursera unless that was done within the hour."""
    offered = ",".join(sorted(client.connection.programs))
    mark = f"catalogue:{client.name}:{client.connection.org_id}:{offered}"
    if refresh or not cache.get(mark):
        store_listing(client, now)
        cache.set(mark, now.isoformat(), timeout=FRESH)
    return known(client.name)


def outline(
    client: CourseraClient, program_id: str, course_id: str, now: datetime, *, refresh: bool = False
) -> Course | None:
    """A course with its gradable items; None where the program does not offer it.

    From the organisation's outline, else from the items that the gradebook report shows, which
    is empty until a first learner has enrolled.
    """
    mark = f"outline:{client.name}:{program_id}:{course_id}"
    offered = _row(client.name, program_id, course_id)
    if offered is None:
        read(client, now, refresh=True)
        offered = _row(client.name, program_id, course_id)
        if offered is None:
            return None
    if refresh or not cache.get(mark):
        slug = offered.slug
        db.session.commit()
        items = outlined(client, program_id, course_id, slug, now)
        store_items(client.name, program_id, course_id, items, now)
        db.session.commit()
        cache.set(mark, now.isoformat(), timeout=FRESH)
    return known_course(client.name, program_id, course_id)


def known_course(connection: str, program_id: str, course_id: str) -> Course | None:
    """A course as last read, with the items that it still has; never asks Coursera."""
    row = _row(connection, program_id, course_id)
    if row is None:
        return None
    items = db.session.scalars(
        select(CourseItem)
        .where(CourseItem.program_course_fk == row.id, CourseItem.gone_at.is_(None))
        .order_by(CourseItem.position, CourseItem.item_id)
    )
    return Course(
        program_id=program_id,
        id=course_id,
        name=row.name,
        slug=row.slug,
        items=tuple(
            GradableItem(i.item_id, i.name, i.position, i.weight, i.type, i.module) for i in items
        ),
    )


def store_items(
    connection: str,
    program_id: str,
    course_id: str,
    items: tuple[GradableItem, ...],
    now: datetime,
    name: str = "",
) -> Course:
    """Remember the items a course has now; those it lost are kept as gone. Flushes only.

    An empty reading says nothing: nobody has enrolled yet, and absence is not deletion.
    """
    row = _row(connection, program_id, course_id)
    if row is None:
        program = db.session.scalar(
            select(Program).where(
                Program.connection == connection, Program.program_id == program_id
            )
        )
        if program is None:
            program = Program(
                connection=connection, program_id=program_id, name=program_id, read_at=UNLISTED
            )
            db.session.add(program)
        name = name[:500] or course_id
        row = ProgramCourse(program=program, course_id=course_id, name=name, read_at=UNLISTED)
        db.session.add(row)
        db.session.flush()
    kept = {
        item.item_id: item
        for item in db.session.scalars(
            select(CourseItem).where(CourseItem.program_course_fk == row.id)
        )
    }
    for item in items:
        stored = kept.pop(item.id, None)
        if stored is None:
            stored = CourseItem(program_course_fk=row.id, item_id=item.id)
            db.session.add(stored)
        stored.name, stored.position, stored.gone_at = item.name[:500], item.order, None
        # The outline knows no weights and the reports no lessons: neither erases the other.
        stored.type = item.type[:64] or stored.type or ""
        stored.module = item.module[:500] or stored.module or ""
        stored.weight = stored.weight if item.weight is None else item.weight
    if items:
        row.items_read_at = now
        for lost in kept.values():
            lost.gone_at = lost.gone_at or now
    db.session.flush()
    course = known_course(connection, program_id, course_id)
    assert course is not None
    return course


def judge_link(connection: str, text: str, program_id: str = "") -> LinkVerdict:
    """What a pasted address is good for, by what is known of a connection; never asks Coursera.

    A course whose items were not read yet makes an item `item_unverified`: read its `outline`
    and judge again. `program_id` is the program that somebody has chosen, if any.
    """
    return judge(
        text,
        known(connection).programs,
        lambda program, course: known_course(connection, program, course),
        program_id,
    )


def program_url(connection: str, program_id: str) -> str:
    """The public address of a program as Coursera gave it; empty where it is not known."""
    url = db.session.scalar(
        select(Program.url).where(
            Program.connection == connection, Program.program_id == program_id
        )
    )
    return url or ""


def _row(connection: str, program_id: str, course_id: str) -> ProgramCourse | None:
    return db.session.scalar(
        select(ProgramCourse)
        .join(Program)
        .where(
            Program.connection == connection,
            Program.program_id == program_id,
            ProgramCourse.course_id == course_id,
        )
    )
