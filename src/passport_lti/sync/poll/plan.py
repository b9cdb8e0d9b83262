"""Wanted scores, and which of them are news. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passport_lti.grades import LearnerGrades, Score

ROUNDING = 0.00001
"""Points: scores have five decimals."""


@dataclass(frozen=True, slots=True)
class Target:
    """A line item to fill: with an item's grade, or with the course grade (no item id)."""

    line_item_id: int
    item_id: str | None
    maximum: float
    held: str | None = None
    """Why nothing is sent to it, e.g. `column_gone`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a cell was last wanted to hold; `given` is None while it is held without a value."""

    given: float | None
    maximum: float
    completed: bool
    reason: str | None
    coursera_at: datetime | None
    cell_id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A cell's new wanted value; one with a `reason` is held, and so is a None `given`."""

    line_item_id: int
    member_id: int
    given: float | None
    maximum: float
    completed: bool
    reason: str | None
    coursera_at: datetime | None


def wanted(
    grades: LearnerGrades,
    member_id: int,
    targets: Sequence[Target],
    *,
    in_progress: bool,
    held: str | None = None,
) -> Iterator[Change]:
    """The cells that one row fills.

    An item with a grade is completed work; the course grade is once the course is, and before
    that wanted only where `in_progress` says so. No grade: no cell, and never an empty one.
    `held` is why nothing is sent to this member.
    """
    for target in targets:
        if target.item_id is None:
            grade, completed = grades.final, grades.completed
            if not completed and not in_progress:
                continue
        else:
            grade, completed = grades.items.get(target.item_id), True
        if grade is None:
            continue
        score = (
            None if grade.fraction is None else Score.of(grade.fraction, target.maximum, completed)
        )
        yield Change(
            line_item_id=target.line_item_id,
            member_id=member_id,
            given=score.given if score else None,
            maximum=target.maximum,
            completed=completed,
            reason=target.held or held or (None if score else "scale_unknown"),
            coursera_at=grades.last_activity_at,
        )


def changed(
    cells: Iterable[Change], known: Mapping[tuple[int, int], Known], *, policy: str
) -> tuple[list[Change], set[int]]:
    """Those whose wanted value is news, compared with what was last wanted.

    A row that is older than what we have already read is ignored; `best` never goes down. The
    members for whom another value was ignored come second.
    """
    news: list[Change] = []
    ignored: set[int] = set()
    for cell in cells:
        before = known.get((cell.line_item_id, cell.member_id))
        if before is None or _is_news(cell, before, policy):
            news.append(cell)
        elif cell.given is None or _value(cell) != _value(before):
            ignored.add(cell.member_id)
    return news, ignored


def _value(cell: Change | Known) -> tuple[float | None, float, bool]:
    return cell.given, cell.maximum, cell.completed


def _is_news(cell: Change, before: Known, policy: str) -> bool:
    if before.coursera_at and cell.coursera_at and cell.coursera_at < before.coursera_at:
        return False
    if cell.given is None:
        # Before the scale is known only 0 is sent, so only 0 gives way to what has no value yet.
        return not before.given and before.reason != cell.reason
    if before.given is None:
        return True
    if policy == "best" and _is_lower(cell.given, cell.maximum, before.given, before.maximum):
        return False
    return _value(cell) != _value(before)


def _is_lower(given: float, maximum: float, before: float, before_maximum: float) -> bool:
    """Compare shares; on two maxima, a difference that rounding points makes is none."""
    if maximum == before_maximum:
        return given < before
    return given / maximum < before / before_maximum - ROUNDING / min(maximum, before_maximum)
