"""What gradebooks should hold, worked out without the product: from the practice servers alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from passport_lti.sandbox.campus.state import Activity, Context, LineItem, Person
from passport_lti.sandbox.story import School


class Place(NamedTuple):
    """A cell: `column` is the activity of a coupled column, or the resource id of another."""

    platform: str
    context: str
    column: str
    sub: str


@dataclass(frozen=True)
class Seat:
    """A campus under the name that the tool has for it, and its part of the story."""

    platform: str
    school: School
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    """What instructors have chosen since on the page of an activity, by its id."""
    learners: dict[str, dict[str, Person]] = field(default_factory=lambda: defaultdict(dict))
    """Everybody who was seen as a learner of a context, by its id and theirs."""


def truth(seats: list[Seat]) -> dict[Place, float]:
    """Every cell that should hold something now, as a fraction; those who left count too."""
    return {place: value for seat in seats for place, value in _of(seat)}


def column_of(item: LineItem) -> str:
    return f"activity {item.activity.id}" if item.activity else item.resource_id


def _of(seat: Seat) -> Iterator[tuple[Place, float]]:
    for context in list(seat.school.campus.contexts.values()):
        for activity in list(context.activities):
            custom = _custom(activity) | seat.changed.get(activity.id, {})
            if "coursera_course" in custom:
                yield from _of_activity(seat, context, activity, custom)


def _of_activity(
    seat: Seat, context: Context, activity: Activity, custom: dict[str, str]
) -> Iterator[tuple[Place, float]]:
    coursera = seat.school.coursera
    course = coursera.courses[custom["coursera_course"]]
    coupled, strategy = f"activity {activity.id}", custom["strategy"]
    learners = seat.learners[context.id]
    for place in list(context.enrolments.values()):
        if place.role == "learner":
            learners[place.person.id] = place.person
    for person in learners.values():
        account = _account(coursera, person)
        found = coursera.enrollments(course=course, person=account) if account else []
        if not found:
            continue
        grades = found[0].standing.grades
        wanted: dict[str, float | None] = {}
        if strategy == "final_grade" or custom.get("include_final") == "1":
            wanted[coupled] = course.overall(grades)
        if strategy == "granular_deep_linked" and "coursera_item" in custom:
            wanted[coupled] = grades.get(custom["coursera_item"])
        if strategy == "granular_auto_columns":
            chosen = [i for i in custom.get("items", "").split(",") if i]
            for item in course.items:
                if not chosen or item.id in chosen:
                    wanted[f"coursera:{course.id}:{item.id}"] = grades.get(item.id)
        for column, value in wanted.items():
            if value is not None:
                yield Place(seat.platform, context.id, column, person.id), value


def _account(coursera: Any, person: Person) -> Any:
    """Coursera knows people by the e-mail address that the campus has for them."""
    return coursera.find(person.email) if person.email else None


def _custom(activity: Activity) -> dict[str, str]:
    lines = (line.partition("=") for line in activity.custom.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
