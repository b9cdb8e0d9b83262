"""Rows of the two reports, as the traps want them."""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from passport_lti.sandbox.coursera.state import PASS_MARK, Course, Enrollment, Person, Standing
from passport_lti.sandbox.coursera.traps import Traps


def names(person: Person, traps: Traps) -> tuple[str, str]:
    """(external id, e-mail) as the API says them: without an external id the e-mail is it."""
    external = "" if traps.external_id_empty else person.external_id
    external = external or person.email
    if not traps.mixed_case:
        return external, person.email
    return external.title() if "@" in external else external, person.email.title()


def gradebook_rows(
    enrollments: Iterable[tuple[Enrollment, int | None]], cutoff: float, traps: Traps
) -> str:
    """Rows of courseGradebookReports as JSON, separated by commas.

    Each comes with the moment at which the membership was deleted, if it was. Text is put
    together from pieces made once for each course: a thousand learners are read in moments.
    """
    written: dict[Course, Callable[[dict[str, float]], str]] = {}
    rows = []
    for enrollment, deleted_at in enrollments:
        standing = enrollment.as_of(cutoff)
        course = enrollment.course
        if course not in written:
            written[course] = _items_of(course, traps)
        head = json.dumps(_gradebook_head(enrollment, standing, deleted_at, traps))
        rows.append(f'{head[:-1]},"{traps.items_key}":[{written[course](standing.grades)}]}}')
    return ",".join(rows)


def _gradebook_head(
    enrollment: Enrollment, standing: Standing, deleted_at: int | None, traps: Traps
) -> dict[str, Any]:
    external_id, email = names(enrollment.person, traps)
    overall = enrollment.course.overall(standing.grades)
    if overall is None and traps.ungraded_overall == "zero":
        overall = 0.0
    row = {
        "programId": enrollment.program.id,
        "courseId": enrollment.course.id,
        "courseName": enrollment.course.name,
        "externalId": external_id,
        "fullName": enrollment.person.name,
        "email": email,
        "enrolledAt": enrollment.enrolled_at,
        "lastActivityAt": standing.last_activity,
        "completedAt": standing.completed_at,
        "isCompleted": standing.completed_at is not None,
        "overallProgress": enrollment.progress(standing),
        "overallCourseGrade": None if overall is None else _scaled(overall, traps),
        "approxTotalLearningHrs": 7.3,
        "riskFlags": [],
        "collectionName": "",
    }
    if traps.email_absent:
        del row["email"]
    if traps.missing_grade == "absent":
        row = {key: value for key, value in row.items() if value is not None}
    if deleted_at is not None:
        row["deletedAt"] = deleted_at
    return row


def _items_of(course: Course, traps: Traps) -> Callable[[dict[str, float]], str]:
    """A function that writes the items of one learner's row."""
    pieces = []
    for item in course.items:
        assert item.module is not None and item.lesson is not None
        weight = item.weight if traps.scale == "percent" else item.weight / 100
        about = {
            "itemId": item.id,
            "itemName": item.name,
            "itemType": item.type,
            "itemOrder": item.order,
            "itemWeight": _number(weight, traps.numbers_as_text),
            "itemDeadline": None,
            "itemRiskFlags": [],
            "moduleId": item.module.id,
            "moduleName": item.module.name,
            "lessonId": item.lesson.id,
            "lessonName": item.lesson.name,
        }
        start = json.dumps(about)[:-1]
        missing = ',"itemGrade":null' if traps.missing_grade == "null" else ""
        pieces.append((item.id, start, f'{start}{missing},"isItemPassed":false}}'))
    unit, text = traps.scale == "unit", traps.numbers_as_text

    def write(grades: dict[str, float]) -> str:
        return ",".join(
            start + _ending(grades[key], unit, text) if key in grades else ungraded
            for key, start, ungraded in pieces
        )

    return write


@lru_cache(20_000)
def _ending(fraction: float, unit: bool, text: bool) -> str:
    value = json.dumps(_number(fraction if unit else fraction * 100, text))
    return f',"itemGrade":{value},"isItemPassed":{json.dumps(fraction >= PASS_MARK)}}}'


def _scaled(fraction: float, traps: Traps) -> float | int | str:
    return _number(fraction * (1 if traps.scale == "unit" else 100), traps.numbers_as_text)


def _number(value: float, text: bool) -> float | int | str:
    """Whole numbers without a point, as JSON of a typed language would have them."""
    rounded = round(value, 6)
    plain = int(rounded) if rounded == int(rounded) else rounded
    return str(plain) if text else plain


def enrollment_row(
    enrollment: Enrollment, deleted_at: int | None, cutoff: float, traps: Traps
) -> dict[str, Any]:
    """A row of enrollmentReports, whose grade is 0 to 1 whatever the gradebook's scale."""
    standing = enrollment.as_of(cutoff)
    external_id, email = names(enrollment.person, traps)
    program, course = enrollment.program, enrollment.course
    row = {
        "id": f"{external_id}~{program.id}~Course~{course.id}",
        "programId": program.id,
        "programName": program.name,
        "programSlug": program.slug,
        "externalId": external_id,
        "email": email,
        "fullName": enrollment.person.name,
        "contentId": course.id,
        "contentType": "Course",
        "contentName": course.name,
        "contentSlug": course.slug,
        "partnerNames": [course.partner],
        "enrolledAt": enrollment.enrolled_at,
        "lastActivityAt": standing.last_activity,
        "updatedAt": standing.last_activity,
        "completedAt": standing.completed_at,
        "isCompleted": standing.completed_at is not None,
        "overallProgress": enrollment.progress(standing),
        "grade": course.overall(standing.grades),
        "approxTotalCourseHrs": 7.3,
        "membershipState": "MEMBER" if deleted_at is None else "NOT_MEMBER",
        "deletedAt": deleted_at,
    }
    return {key: value for key, value in row.items() if value is not None}
