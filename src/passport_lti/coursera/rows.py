"""One row of a gradebook report, read defensively: two spellings, numbers as text, gaps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passport_lti.grades import GradableItem


@dataclass(frozen=True, slots=True)
class RawRow:
    """A learner in a course with grades as Coursera gave them, on a scale not decided here."""

    external_id: str
    email: str
    full_name: str
    program_id: str
    course_id: str
    final: float | None
    items: Mapping[str, float]
    completed: bool
    last_activity: int
    """Epoch milliseconds, 0 where Coursera says none."""
    problems: tuple[str, ...] = field(default=())


def read(row: Mapping[str, Any], program_id: str, course_id: str) -> RawRow | None:
    """A row, or None for one that names nobody or whose member was deleted."""
    email = _text(row.get("email"))
    external_id = _text(row.get("externalId")) or email
    if not external_id or row.get("deletedAt"):
        return None
    problems: list[str] = []
    items: dict[str, float] = {}
    for item in gradebook(row):
        item_id = _text(item.get("itemId"))
        if item_id:
            grade = _grade(item.get("itemGrade"), f"item {item_id}", problems)
            if grade is not None:
                items[item_id] = grade
    completed = row.get("isCompleted")
    return RawRow(
        external_id=external_id,
        email=email,
        full_name=_text(row.get("fullName")),
        program_id=_text(row.get("programId")) or program_id,
        course_id=_text(row.get("courseId")) or course_id,
        final=_grade(row.get("overallCourseGrade"), "the course grade", problems),
        items=items,
        completed=completed is True or completed == "true",
        last_activity=_milliseconds(row.get("lastActivityAt")),
        problems=tuple(problems),
    )


def gradebook(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a row, under either of the names that were seen."""
    found = row.get("itemGradebooks")
    found = found if isinstance(found, list) else row.get("items")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def item_of(item: Mapping[str, Any]) -> tuple[GradableItem, float | None] | None:
    """An item as the gradebook describes it, and its weight as given (0-1 or 0-100)."""
    item_id = _text(item.get("itemId"))
    if not item_id:
        return None
    order = number(item.get("itemOrder"))
    found = GradableItem(
        id=item_id,
        name=_text(item.get("itemName")) or item_id,
        order=int(order) if order is not None else 0,
        type=_text(item.get("itemType")),
        module=_text(item.get("moduleName")),
    )
    return found, number(item.get("itemWeight"))


def number(value: object) -> float | None:
    """A finite number, also as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _grade(value: object, what: str, problems: list[str]) -> float | None:
    if value is None or value == "":
        return None
    grade = number(value)
    if grade is None or not 0 <= grade <= 100.0001:
        problems.append(f"{what} has a grade that is none")
        return None
    return grade


def _milliseconds(value: object) -> int:
    found = number(value)
    return int(found) if found is not None and 0 < found < 1e14 else 0


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip()[:500] if isinstance(value, str) else ""
