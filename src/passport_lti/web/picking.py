"""What an instructor picks, checked against what Coursera offers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from passport_lti.config import PlatformSettings
from passport_lti.coursera import catalogue
from passport_lti.coursera.client import CourseraClient
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.grades import Course, Points
from passport_lti.strategies import STRATEGIES
from passport_lti.web.offers import Offer, Preview, offer, preview, usual
from passport_lti.web.picked import Picked, of_course, read_form

__all__ = [
    "Offer", "Picked", "Preview", "all_problems", "course_of", "of_course", "offer", "preview",
    "problems", "read_form", "usual",
]  # fmt: skip

MOST_AT_ONCE = 20
"""Courses that are added in one go."""
_ID = re.compile(r"[A-Za-z0-9_~.-]{1,64}")


def course_of(client: CourseraClient, picked: Picked, now: datetime) -> Course | None:
    """The course with its items; None where the catalogue, read anew, does not offer it.

    Where Coursera does not answer, a course that we know serves as it was last read; else raises
    ServiceError.
    """
    if not (_ID.fullmatch(picked.program) and _ID.fullmatch(picked.course)):
        return None
    try:
        course = catalogue.outline(client, picked.program, picked.course, now)
        if course and any(course.item(item) is None for item in of_course(picked, course).items):
            course = catalogue.outline(client, picked.program, picked.course, now, refresh=True)
        return course
    except ServiceError:
        db.session.rollback()
        known = catalogue.known_course(client.name, picked.program, picked.course)
        if known is None:
            raise
        return known


def all_problems(
    picked: Picked,
    courses: Sequence[Course | None],
    settings: PlatformSettings,
    accept_multiple: bool,
) -> list[str]:
    """Why this choice can't be added; `courses` are those of `picked.places`, up to a lost one."""
    if len(picked.places) > MOST_AT_ONCE:
        return [_("Please add at most %(most)d courses at once.", most=MOST_AT_ONCE)]
    if len({course.id for course in courses if course}) < len([c for c in courses if c]):
        return [_("One course is chosen twice, from two programs. Choose it from one of them.")]
    found = []
    for (program, place), course in zip(
        picked.places or [("", "")], courses or [None], strict=False
    ):
        one = of_course(picked, course) if course else None
        asked = problems(one or replace(picked, program=program, course=place), course, settings)
        named = f"{course.name}: " if course and len(courses) > 1 else ""
        found += [named + problem for problem in asked]
    # A question about the whole form is asked once.
    found = list(dict.fromkeys(found))
    if not found and not accept_multiple:
        made = sum(
            len(STRATEGIES[picked.strategy].links(course, of_course(picked, course).choice))
            for course in courses
            if course
        )
        found = _too_many(made)
    return found


def problems(
    picked: Picked, course: Course | None, settings: PlatformSettings, accept_multiple: bool = True
) -> list[str]:
    """Why this choice can't be added, one sentence each; empty if it can."""
    if not picked.program or not picked.course:
        return [_("Please choose a course.")]
    if course is None:
        return [_("This course is not offered by the chosen program any more. Choose another one.")]
    if picked.strategy not in STRATEGIES:
        return [_("Please choose one of the grade options.")]
    if picked.strategy not in settings.strategies:
        return [_("This grade option is not offered for your platform. Choose another one.")]
    if picked.points not in set(Points):
        return [_("Please choose how many points a column is worth.")]
    found = []
    if any(course.item(item) is None for item in picked.choice.items):
        found.append(_("The course does not have a chosen item any more. Please choose again."))
    if picked.strategy == "granular_deep_linked" and not (picked.items or picked.include_final):
        found.append(_("Option A needs at least one item, or the course grade."))
    if not found and not accept_multiple:
        found = _too_many(len(STRATEGIES[picked.strategy].links(course, picked.choice)))
    return found


def _too_many(made: int) -> list[str]:
    if made < 2:
        return []
    return [
        ngettext(
            "Your platform takes one activity at a time here. Choose one item, or another option.",
            "Your platform takes one activity at a time here, and this makes %(num)d. "
            "Choose one item, or another option.",
            made,
        )
    ]
