"""What the picker shows: courses that a search finds, their modules, the options' columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from rapidfuzz import fuzz

from passport_lti.config import PlatformSettings
from passport_lti.coursera.catalogue import Catalogue, CourseOffer, ProgramOffer
from passport_lti.coursera.judging import LinkVerdict
from passport_lti.grades import Choice, Column, Course, GradableItem
from passport_lti.strategies import STRATEGIES
from passport_lti.web.picked import Picked, of_course

MOST_COURSES = 60
"""Courses shown at once; a search narrows them."""
ALIKE = 80
"""Of 100: how near a mistyped word must come to a course's name."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One option as the picker shows it, with the columns that it makes of the present choice."""

    key: str
    title: str
    summary: str
    columns: tuple[Column, ...]
    activities: int


class Found(NamedTuple):
    """A course of a program as a search shows it."""

    course: CourseOffer
    program: ProgramOffer

    @property
    def place(self) -> str:
        return f"{self.program.id}/{self.course.id}"


@dataclass(frozen=True, slots=True)
class Module:
    """The gradable items of one module; of a course without modules, of the whole course."""

    name: str
    items: tuple[GradableItem, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One chosen course. `prefix` makes its fields its own where several are chosen."""

    course: Course
    found: Found | None
    modules: tuple[Module, ...]
    chosen: frozenset[str]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything the picker's page shows; `course` and `parts` once courses are chosen."""

    programs: tuple[ProgramOffer, ...]
    program: ProgramOffer | None
    courses: tuple[Found, ...]
    found: int
    course: Course | None
    previews: tuple[Preview, ...]
    read_at: datetime | None
    parts: tuple[Part, ...] = ()
    chosen: tuple[Found, ...] = ()
    alike: bool = False
    verdict: LinkVerdict | None = None


def offer(
    found: Catalogue,
    picked: Picked,
    course: Course | None,
    settings: PlatformSettings,
    further: Sequence[Course] = (),
) -> Offer:
    """What to show for a choice of courses, or without one for a search."""
    program = next((p for p in found.programs if p.id == picked.within), None)
    everywhere = [Found(course, place) for place in found.programs for course in place.courses]
    by_place = {(each.program.id, each.course.id): each for each in everywhere}
    courses = [course, *further] if course else []
    listed, alike = ([], False) if courses else _search(everywhere, program, picked.search)
    return Offer(
        programs=found.programs,
        program=program,
        courses=tuple(listed[:MOST_COURSES]),
        found=len(listed),
        course=course,
        previews=tuple(_previews(courses, picked, settings)) if courses else (),
        read_at=found.read_at,
        parts=tuple(
            _part(each, by_place.get((each.program_id, each.id)), picked, len(courses) > 1)
            for each in courses
        ),
        chosen=tuple(by_place[place] for place in picked.also if place in by_place),
        alike=alike,
    )


def _search(
    everywhere: Sequence[Found], program: ProgramOffer | None, search: str
) -> tuple[list[Found], bool]:
    """Courses in which every word stands, by name; else those nearest to it, marked so."""
    words = search.casefold().split()
    asked = [each for each in everywhere if program is None or each.program.id == program.id]
    asked.sort(key=lambda each: each.course.name.casefold())
    hits = [each for each in asked if all(word in _text(each) for word in words)]
    if words:
        # What stands in the name goes before what stands in the description.
        hits.sort(key=lambda each: not all(w in each.course.name.casefold() for w in words))
    if hits or not words:
        return hits, False
    near = [(fuzz.WRatio(search.casefold(), each.course.name.casefold()), each) for each in asked]
    near.sort(key=lambda pair: -pair[0])
    return [each for score, each in near if score >= ALIKE][:5], True


def _text(found: Found) -> str:
    course = found.course
    text = f"{course.name} {course.partner} {found.program.name} {course.description}"
    return text.casefold()


def _part(course: Course, found: Found | None, picked: Picked, is_one_of_many: bool) -> Part:
    own = of_course(picked, course)
    modules = tuple(
        Module(name, tuple(items)) for name, items in groupby(course.items, lambda i: i.module)
    )
    prefix = f"{course.id}/" if is_one_of_many else ""
    return Part(course, found, modules, frozenset(own.items), prefix)


def _previews(
    courses: Sequence[Course], picked: Picked, settings: PlatformSettings
) -> Iterator[Preview]:
    for key in settings.strategies:
        wanted = replace(picked, strategy=key)
        parts = [
            preview(key, course, usual(key, course, of_course(wanted, course), picked.strategy))
            for course in courses
        ]
        columns = tuple(column for part in parts for column in part.columns)
        strategy = STRATEGIES[key]
        yield Preview(
            key, strategy.title, strategy.summary, columns, sum(part.activities for part in parts)
        )


def usual(key: str, course: Course, picked: Picked, current: str | None = None) -> Choice:
    """An option's own usual choice, unless it is the one being chosen (`current`)."""
    choice = picked.choice
    if key != (picked.strategy if current is None else current):
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
