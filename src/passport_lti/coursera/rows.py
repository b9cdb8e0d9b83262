"""What Coursera answers, read defensively: two spellings, numbers as text, gaps. Pure."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from passport_lti.grades import GradableItem

_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_~.-]{1,64}")

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no database and no UTF-8 answer takes: NUL and half characters."""
_LONGEST_ID = 320
"""An e-mail address may stand in the place of an external id."""
_MOST = 1_000_000
"""Items of a course; whatever is numbered beyond has no place in it."""


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
    email = text(row.get("email"), _LONGEST_ID)
    external_id = text(row.get("externalId"), _LONGEST_ID) or email
    if not external_id or row.get("deletedAt"):
        return None
    problems: list[str] = []
    items: dict[str, float] = {}
    for item in gradebook(row):
        item_id = text(item.get("itemId"))
        if is_id(item_id):
            grade = _grade(item.get("itemGrade"), f"item {item_id}", problems)
            if grade is not None:
                items[item_id] = grade
    completed = row.get("isCompleted")
    return RawRow(
        external_id=external_id,
        email=email,
        full_name=text(row.get("fullName")),
        program_id=text(row.get("programId")) or program_id,
        course_id=text(row.get("courseId")) or course_id,
        final=_grade(row.get("overallCourseGrade"), "the course grade", problems),
        items=items,
        completed=completed is True or completed == "true",
        last_activity=last_activity(row),
        problems=tuple(problems),
    )


def gradebook(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a row, under either of the names that were seen."""
    found = row.get("itemGradebooks")
    found = found if isinstance(found, list) else row.get("items")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def item_of(item: Mapping[str, Any]) -> tuple[GradableItem, float | None] | None:
    """An item as the gradebook describes it, and its weight as given (0-1 or 0-100)."""
    item_id = text(item.get("itemId"))
    if not is_id(item_id):
        return None
    order = number(item.get("itemOrder"))
    found = GradableItem(
        id=item_id,
        name=text(item.get("itemName")) or item_id,
        order=int(order) if order is not None and abs(order) < _MOST else 0,
        type=text(item.get("itemType")),
        module=text(item.get("moduleName")),
    )
    return found, number(item.get("itemWeight"))


def with_shares(items: Iterable[tuple[GradableItem, float | None]]) -> list[GradableItem]:
    """The items with weights as shares of 1; all of them together show what scale they have."""
    found = list(items)
    parts = 100.0 if sum(weight for _, weight in found if weight is not None) > 1.5 else 1.0
    return [
        replace(item, weight=None if weight is None else round(weight / parts, 6))
        for item, weight in found
    ]


def is_id(value: str) -> bool:
    """Whether a text can be one of Coursera's ids; ids become parts of addresses."""
    return _ID.fullmatch(value) is not None


def last_activity(row: Mapping[str, Any]) -> int:
    """Epoch milliseconds, 0 where Coursera says none."""
    found = number(row.get("lastActivityAt"))
    return int(found) if found is not None and 0 < found < 1e14 else 0


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


def key(name: str) -> str:
    """What two spellings of one external id or e-mail address have in common."""
    return name.strip().casefold()


def text(value: object, longest: int = 500) -> str:
    """One value as text that can be stored, also a bare number; empty for everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:longest]
    if not isinstance(value, str):
        return ""
    return _UNSTORABLE.sub("", value).strip()[:longest]
