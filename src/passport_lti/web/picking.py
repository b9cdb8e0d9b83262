"""What an instructor picks: the form as a value, checked against what Coursera offers."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from werkzeug.datastructures import MultiDict

from passport_lti.config import PlatformSettings
from passport_lti.coursera import catalogue
from passport_lti.coursera.catalogue import CourseOffer, ProgramOffer
from passport_lti.coursera.client import CourseraClient
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Choice, Column, Course, Points
from passport_lti.strategies import STRATEGIES

MOST_COURSES = 60
"""Courses shown at once; a search narrows them."""
_ID = re.compile(r"[A-Za-z0-9_~.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Picked:
    """The picker's fields. `step` is the button that was pressed; empty for *Add to course*."""

    program: str = ""
    course: str = ""
    strategy: str = ""
    items: tuple[str, ...] = ()
    include_final: bool = False
    points: str = ""
    search: str = ""
    step: str = ""

    @property
    def choice(self) -> Choice:
        """The choice as far as it is sound; a final grade has no items to choose."""
        items = () if self.strategy == "final_grade" else self.items
        points = Points.WEIGHT if self.points == Points.WEIGHT else Points.HUNDRED
        return Choice(items, self.include_final, points)


@dataclass(frozen=True, slots=True)
class Preview:
    """One option as the picker shows it, with the columns that it makes of the present choice."""

    key: str
    title: str
    summary: str
    columns: tuple[Column, ...]
    activities: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything the picker's page shows; `course` once one is chosen."""

    programs: tuple[ProgramOffer, ...]
    program: ProgramOffer | None
    courses: tuple[CourseOffer, ...]
    found: int
    course: Course | None
    previews: tuple[Preview, ...]
    read_at: datetime | None


def read_form(fields: MultiDict[str, str], default: str) -> Picked:
    """The picker's fields, with defaults where the page asks for the options of a course."""
    strategy = fields.get("strategy", "")
    picked = Picked(
        program=fields.get("program", ""),
        course=fields.get("course", ""),
        strategy=strategy,
        items=tuple(dict.fromkeys(filter(None, fields.getlist("item")))),
        include_final=fields.get("include_final") == "1",
        points=fields.get("points", "100"),
        search=fields.get("q", "")[:100].strip(),
        step=fields.get("step", ""),
    )
    if not strategy and picked.step:
        return replace(picked, strategy=default, include_final=default == "granular_auto_columns")
    return picked


def of_course(picked: Picked, course: Course) -> Picked:
    """The same choice for a course that stands already."""
    return replace(picked, program=course.program_id, course=course.id)


def course_of(client: CourseraClient, picked: Picked, now: datetime) -> Course | None:
    """The course with its items; None where the catalogue, read anew, does not offer it.

    Where Coursera does not answer, a course that we know serves as it was last read; else raises
    ServiceError.
    """
    if not (_ID.fullmatch(picked.program) and _ID.fullmatch(picked.course)):
        return None
    try:
        course = catalogue.outline(client, picked.program, picked.course, now)
        if course and any(course.item(item) is None for item in picked.items):
            course = catalogue.outline(client, picked.program, picked.course, now, refresh=True)
        return course
    except ServiceError:
        db.session.rollback()
        known = catalogue.known_course(client.name, picked.program, picked.course)
        if known is None:
            raise
        return known


def problems(
    picked: Picked, course: Course | None, settings: PlatformSettings, accept_multiple: bool
) -> list[str]:
    """Why this choice can't be added, one sentence each; empty if it can."""
    if not picked.program or not picked.course:
        return ["Please choose a course."]
    if course is None:
        return ["This course is not offered by the chosen program any more. Choose another one."]
    if picked.strategy not in STRATEGIES:
        return ["Please choose one of the grade options."]
    if picked.strategy not in settings.strategies:
        return ["This grade option is not offered for your platform. Choose another one."]
    if picked.points not in set(Points):
        return ["Please choose how many points a column is worth."]
    found = []
    unknown = [item for item in picked.choice.items if course.item(item) is None]
    if unknown:
        found.append("The course does not have a chosen item any more. Please choose again.")
    if picked.strategy == "granular_deep_linked" and not (picked.items or picked.include_final):
        found.append("Option A needs at least one item, or the course grade.")
    links = [] if found else STRATEGIES[picked.strategy].links(course, picked.choice)
    if len(links) > 1 and not accept_multiple:
        found.append(
            f"Your platform takes one activity at a time here, and this makes {len(links)}. "
            "Choose one item, or another option."
        )
    return found


def offer(
    found: catalogue.Catalogue, picked: Picked, course: Course | None, settings: PlatformSettings
) -> Offer:
    """What to show for a choice."""
    program = next((p for p in found.programs if p.id == picked.program), None)
    if program is None and found.programs:
        program = found.programs[0]
    words = picked.search.casefold().split()
    matching = [
        offered
        for offered in (program.courses if program else ())
        if all(word in f"{offered.name} {offered.partner}".casefold() for word in words)
    ]
    previews = (
        tuple(preview(key, course, usual(key, course, picked)) for key in settings.strategies)
        if course
        else ()
    )
    return Offer(
        found.programs, program, tuple(matching[:MOST_COURSES]), len(matching), course, previews,
        found.read_at,
    )  # fmt: skip


def usual(key: str, course: Course, picked: Picked) -> Choice:
    """An option's own usual choice, unless it is the one being chosen."""
    choice = picked.choice
    if key != picked.strategy:
        choice = replace(choice, include_final=key == "granular_auto_columns", items=picked.items)
    if key == "granular_deep_linked" and not choice.items:
        choice = replace(choice, items=tuple(item.id for item in course.items))
    return choice


def preview(key: str, course: Course, choice: Choice) -> Preview:
    """An option as the page shows it."""
    strategy = STRATEGIES[key]
    columns = tuple(strategy.columns(course, choice))
    return Preview(
        key, strategy.title, strategy.summary, columns, len(strategy.links(course, choice))
    )
