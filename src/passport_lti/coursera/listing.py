"""Programs and courses as Coursera lists them, written down whole or not at all."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from passport_lti.coursera.client import CourseraClient, Row
from passport_lti.coursera.rows import is_id, text
from passport_lti.extensions import db
from passport_lti.models import Program, ProgramCourse

UNLISTED = datetime(1970, 1, 1, tzinfo=UTC)
"""`read_at` of what the last listing did not show, e.g. of courses known from a copied activity."""


def store_listing(client: CourseraClient, now: datetime) -> None:
    """Read programs and contents whole, then write them in one go; commits.

    What it does not show any more is kept as unlisted, for the activities that use it. Must be
    called without an open write: the reading takes its time.
    """
    db.session.commit()
    allowed = set(client.connection.programs)
    named = (p for p in client.programs() if is_id(text(p.get("id"))))
    offered = [p for p in named if not allowed or text(p.get("id")) in allowed]
    listed = {
        text(program.get("id")): {
            text(content.get("contentId")) for content in _dicts(program.get("contentIds"))
        }
        for program in offered
    }
    contents = [c for c in client.contents() if c.get("contentType", "Course") == "Course"]
    _unlist(client.name)
    stored = db.session.scalars(select(Program).where(Program.connection == client.name))
    programs: dict[str, Program] = {row.program_id: row for row in stored}
    for program in offered:
        program_id = text(program.get("id"))
        row = programs.get(program_id)
        if row is None:
            row = programs[program_id] = Program(connection=client.name, program_id=program_id)
            db.session.add(row)
        slug = text(program.get("slug"))
        row.name = text(program.get("name")) or program_id
        row.url = text(program.get("url"), 1000) or (
            f"https://www.coursera.org/programs/{slug}" if slug else row.url or ""
        )
        row.read_at = now
    db.session.flush()
    stored_courses = db.session.scalars(
        select(ProgramCourse).join(Program).where(Program.connection == client.name)
    )
    # All of them at once: thousands of single looks would keep others from writing for seconds.
    rows = {(row.program_fk, row.course_id): row for row in stored_courses}
    for content in contents:
        course_id = text(content.get("contentId")) or text(content.get("id")).rpartition("~")[2]
        urls = {
            text(place.get("programId")): text(place.get("contentUrl"), 1000)
            for place in _dicts(content.get("programs"))
        }
        for program_id, ids in listed.items():
            if is_id(course_id) and (program_id in urls or course_id in ids):
                place = programs[program_id].id, course_id
                if place not in rows:
                    rows[place] = ProgramCourse(program_fk=place[0], course_id=course_id)
                    db.session.add(rows[place])
                _fill(rows[place], course_id, content, urls.get(program_id, ""), now)
    db.session.commit()


def _unlist(connection: str) -> None:
    ids = select(Program.id).where(Program.connection == connection)
    for table, key in ((Program, Program.id), (ProgramCourse, ProgramCourse.program_fk)):
        db.session.execute(
            update(table).where(key.in_(ids)).values(read_at=UNLISTED),
            execution_options={"synchronize_session": "fetch"},
        )


def _fill(row: ProgramCourse, course_id: str, content: Row, url: str, now: datetime) -> None:
    row.name = text(content.get("name")) or course_id
    row.slug, row.url = text(content.get("slug"), 255), url
    row.description = text(content.get("description"), 2000)
    partners = (text(partner.get("name")) for partner in _dicts(content.get("partners")))
    row.photo = _photo(content)
    row.partner = ", ".join(filter(None, partners))[:255]
    row.read_at = now


def _photo(content: Row) -> str:
    """The address of the course's picture; empty where it has none."""
    metadata = content.get("extraMetadata")
    definition = metadata.get("definition") if isinstance(metadata, dict) else None
    return text(definition.get("promoPhoto"), 1000) if isinstance(definition, dict) else ""


def _dicts(value: Any) -> Iterator[Row]:
    return (
        (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())
    )
