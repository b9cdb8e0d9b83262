"""Finding what a path or a query names."""

from typing import TYPE_CHECKING

from passport_lti.sandbox.coursera.errors import ApiError
from passport_lti.sandbox.coursera.state import Course, Program

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera


def program_of(coursera: "PracticeCoursera", program_id: str) -> Program:
    """Raises ApiError 400 for a slug, 404 for an unknown id."""
    for program in coursera.programs:
        if program.id == program_id:
            return program
        if program.slug == program_id:
            raise ApiError(400, "BAD_REQUEST", "The program is asked for by its slug, not its id")
    raise ApiError(404, "NOT_FOUND", "Unknown program")


def course_of(coursera: "PracticeCoursera", content_id: str) -> Course:
    """A course by its id or by `Course~<id>`. Raises ApiError 404."""
    found = coursera.courses.get(content_id.removeprefix("Course~"))
    if found is None:
        raise ApiError(404, "NOT_FOUND", "Unknown course")
    return found
