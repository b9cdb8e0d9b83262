"""What Coursera offers: read for the picker, remembered for everything else.

Flask-Caching only saves calls to Coursera; whatever a launch or a sync needs is in the database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from passport_lti.coursera import rows
from passport_lti.coursera.client import CourseraClient, Row
from passport_lti.coursera.sweep import sweep as read_sweep
from passport_lti.errors import Gone
from passport_lti.extensions import cache, db
from passport_lti.grades import Course, GradableItem
from passport_lti.models import CourseItem, Program, ProgramCourse

FRESH = 3600
"""Seconds that a reading of the catalogue or of an outline is used again."""


@dataclass(frozen=True, slots=True)
class CourseOffer:
    """A course in a program, as the picker lists it."""

    program_id: str
    id: str
    name: str
    slug: str
    partner: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ProgramOffer:
    id: str
    name: str
    courses: tuple[CourseOffer, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Programs with their courses; `read_at` is None where it was never read."""

    programs: tuple[ProgramOffer, ...] = ()
    read_at: datetime | None = None


def known(connection: str) -> Catalogue:
    """The catalogue as last read; never asks Coursera."""
    programs = db.session.scalars(
        select(Program).where(Program.connection == connection).order_by(Program.name)
    ).all()
    found = []
    for program in programs:
        courses = db.session.scalars(
            select(ProgramCourse)
            .where(ProgramCourse.program_fk == program.id)
            .order_by(ProgramCourse.name)
        )
        offers = tuple(
            CourseOffer(
                program.program_id, row.course_id, row.name, row.slug, row.partner, row.description
            )
            for row in courses
        )
        found.append(ProgramOffer(program.program_id, program.name, offers))
    return Catalogue(tuple(found), max((row.read_at for row in programs), default=None))


def read(client: CourseraClient, now: datetime, *, refresh: bool = False) -> Catalogue:
    """The catalogue, asked from Coursera unless that was done within the hour."""
    mark = f"catalogue:{client.name}:{client.connection.org_id}"
    if refresh or not cache.get(mark):
        _store(client, now)
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
        items = tuple(_outlined(client, program_id, course_id, offered.slug, now))
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
                connection=connection, program_id=program_id, name=program_id, read_at=now
            )
            db.session.add(program)
        row = ProgramCourse(program=program, course_id=course_id, name=name or course_id)
        row.read_at = now
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
        stored.name, stored.type, stored.module = item.name[:500], item.type[:64], item.module[:500]
        stored.position, stored.weight, stored.gone_at = item.order, item.weight, None
    if items:
        row.items_read_at = now
        for lost in kept.values():
            lost.gone_at = lost.gone_at or now
    db.session.flush()
    course = known_course(connection, program_id, course_id)
    assert course is not None
    return course


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


def _store(client: CourseraClient, now: datetime) -> None:
    """Read programs and contents whole, then write them in one go."""
    allowed = set(client.connection.programs)
    offered = [p for p in client.programs() if not allowed or _text(p, "id") in allowed]
    listed = {
        _text(program, "id"): {
            _text(content, "contentId")
            for content in program.get("contentIds") or ()
            if isinstance(content, dict)
        }
        for program in offered
    }
    contents = [c for c in client.contents() if c.get("contentType", "Course") == "Course"]
    programs: dict[str, Program] = {}
    for found in db.session.scalars(select(Program).where(Program.connection == client.name)):
        programs[found.program_id] = found
    for program in offered:
        program_id = _text(program, "id")
        row = programs.get(program_id)
        if row is None:
            row = programs[program_id] = Program(connection=client.name, program_id=program_id)
            db.session.add(row)
        slug = _text(program, "slug")
        row.name = _text(program, "name") or program_id
        row.url = _text(program, "url") or (
            f"https://www.coursera.org/programs/{slug}" if slug else row.url or ""
        )
        row.read_at = now
    db.session.flush()
    for content in contents:
        course_id = _text(content, "contentId") or _text(content, "id").rpartition("~")[2]
        places = {
            _text(place, "programId"): _text(place, "contentUrl")
            for place in content.get("programs") or ()
            if isinstance(place, dict)
        }
        for program_id, ids in listed.items():
            if course_id and (program_id in places or course_id in ids):
                _store_course(
                    programs[program_id], course_id, content, places.get(program_id, ""), now
                )
    db.session.commit()


def _store_course(program: Program, course_id: str, content: Row, url: str, now: datetime) -> None:
    row = db.session.scalar(
        select(ProgramCourse).where(
            ProgramCourse.program_fk == program.id, ProgramCourse.course_id == course_id
        )
    )
    if row is None:
        row = ProgramCourse(program_fk=program.id, course_id=course_id)
        db.session.add(row)
    row.name = _text(content, "name") or course_id
    row.slug, row.url = _text(content, "slug")[:255], url
    row.description = _text(content, "description")[:2000]
    partners = [p for p in content.get("partners") or () if isinstance(p, dict)]
    row.partner = ", ".join(filter(None, (_text(p, "name") for p in partners)))[:255]
    row.read_at = now
    db.session.flush()


def _outlined(
    client: CourseraClient, program_id: str, course_id: str, slug: str, now: datetime
) -> Iterator[GradableItem]:
    """Items from the outline if there is one (gradable ones only), else from the reports."""
    try:
        yield from _of_outline(client.outline(program_id, course_id, slug))
    except Gone:
        with read_sweep(client, program_id, course_id, now) as found:
            yield from found.items


UNGRADED = frozenset(
    (
        "video", "lecture", "supplement", "reading", "discussionprompt", "ungradedlti",
        "ungradedwidget", "ungradedlab", "ungradedassignment", "coach", "practicequiz",
    )
)  # fmt: skip
"""Item types that never have a grade (facts 3.15); whatever else appears is taken as gradable."""


def _of_outline(value: Any) -> Iterator[GradableItem]:
    elements = value.get("elements") if isinstance(value, dict) else None
    course = elements[0] if isinstance(elements, list) and elements else value
    modules = course.get("modules") if isinstance(course, dict) else None
    order = 0
    for module in modules if isinstance(modules, list) else ():
        for lesson in module.get("lessons") or () if isinstance(module, dict) else ():
            for item in lesson.get("items") or () if isinstance(lesson, dict) else ():
                order += 1
                kind = _text(item, "itemType") or _text(item, "type")
                item_id = _text(item, "id") or _text(item, "itemId")
                if (
                    item_id
                    and kind.lower().replace("_", "") not in UNGRADED
                    and item.get("isGraded") is not False
                ):
                    weight = rows.number(item.get("weight", item.get("itemWeight")))
                    yield GradableItem(
                        id=item_id,
                        name=_text(item, "name") or item_id,
                        order=order,
                        weight=weight / 100 if weight is not None and weight > 1 else weight,
                        type=kind,
                        module=_text(module, "name"),
                    )


def _text(row: Any, key: str) -> str:
    value = row.get(key) if hasattr(row, "get") else None
    return value.strip()[:1000] if isinstance(value, str) else ""
