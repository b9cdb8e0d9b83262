"""Wanted scores, and which of them are news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from passport_lti.grades import Grade, LearnerGrades
from passport_lti.sync.poll.plan import Change, Known, Target, changed, wanted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIZ, EXAM, FINAL = Target(1, "quiz", 100.0), Target(2, "exam", 33.5), Target(3, None, 100.0)
ROW = LearnerGrades(
    external_id="amy",
    program_id="p",
    course_id="c",
    final=Grade(0.5),
    items={"quiz": Grade(0.9), "exam": Grade(1 / 3)},
    last_activity_at=NOON,
)


def planned(row: LearnerGrades, *targets: Target, in_progress: bool = True) -> dict[int, Change]:
    return {c.line_item_id: c for c in wanted(row, 7, targets, in_progress=in_progress)}


def test_a_row_fills_the_cells_of_its_member() -> None:
    assert planned(ROW, QUIZ, EXAM, FINAL) == {
        1: Change(1, 7, 90.0, 100.0, True, None, NOON),
        2: Change(2, 7, 11.16667, 33.5, True, None, NOON),
        3: Change(3, 7, 50.0, 100.0, False, None, NOON),
    }


def test_what_has_no_grade_has_no_cell() -> None:
    row = replace(ROW, final=None, items={})
    assert planned(row, QUIZ, EXAM, FINAL) == {}


def test_a_grade_of_zero_is_a_grade() -> None:
    row = replace(ROW, final=Grade(0.0), items={"quiz": Grade(0.0)})
    assert [c.given for c in planned(row, QUIZ, EXAM, FINAL).values()] == [0.0, 0.0]


def test_only_cells_of_the_asked_columns_are_wanted() -> None:
    assert set(planned(ROW, EXAM)) == {2}
    assert set(planned(ROW)) == set()


@pytest.mark.parametrize("course_completed", [False, True])
@pytest.mark.parametrize("in_progress", [False, True])
def test_completion(course_completed: bool, in_progress: bool) -> None:
    """An item with a grade is done; the course grade is once the course is."""
    row = replace(ROW, completed=course_completed)
    found = planned(row, QUIZ, FINAL, in_progress=in_progress)
    assert found[1].completed
    assert (3 in found) == (course_completed or in_progress)
    if 3 in found:
        assert found[3].completed == course_completed


def test_a_grade_of_unknown_scale_is_held_and_zero_is_not() -> None:
    row = replace(ROW, final=Grade(None), items={"quiz": Grade(None), "exam": Grade(0.0)})
    found = planned(row, QUIZ, EXAM, FINAL)
    assert (found[1].given, found[1].reason) == (None, "scale_unknown")
    assert (found[2].given, found[2].reason) == (0.0, None)
    assert (found[3].given, found[3].reason) == (None, "scale_unknown")


def news(cell: Change, before: Known | None, policy: str = "follow") -> bool:
    known = {(cell.line_item_id, cell.member_id): before} if before else {}
    found, ignored = changed([cell], known, policy=policy)
    assert found in ([], [cell]) and not (found and ignored)
    return bool(found)


CELL = Change(1, 7, 90.0, 100.0, True, None, NOON)
SAME = Known(90.0, 100.0, True, None, NOON)
HELD = Known(None, 100.0, True, "scale_unknown", NOON)
EARLIER, LATER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("case", "before", "follow", "best"),
    [
        ("never wanted", None, True, True),
        ("the same", SAME, False, False),
        ("the same, read later", replace(SAME, coursera_at=EARLIER), False, False),
        ("higher", replace(SAME, given=80.0), True, True),
        ("from zero", replace(SAME, given=0.0), True, True),
        ("lower", replace(SAME, given=95.0), True, False),
        ("completed now", replace(SAME, completed=False), True, True),
        ("on another maximum", replace(SAME, given=45.0, maximum=50.0), True, True),
        ("more points, lower share", replace(SAME, given=48.0, maximum=50.0), True, False),
        ("held before", HELD, True, True),
        ("held before, with an older row", replace(HELD, coursera_at=EARLIER), True, True),
        (
            "higher, but an older snapshot",
            replace(SAME, given=80.0, coursera_at=LATER),
            False,
            False,
        ),
        (
            "lower, but an older snapshot",
            replace(SAME, given=95.0, coursera_at=LATER),
            False,
            False,
        ),
        ("lower, time not known", replace(SAME, given=95.0, coursera_at=None), True, False),
    ],
)
def test_what_is_news(case: str, before: Known | None, follow: bool, best: bool) -> None:
    assert news(CELL, before) == follow, case
    assert news(CELL, before, "best") == best, case


def test_a_row_without_a_time_is_compared_by_value_alone() -> None:
    cell = replace(CELL, coursera_at=None)
    assert news(cell, replace(SAME, given=80.0, coursera_at=LATER))
    assert not news(cell, SAME)


def test_a_held_cell_is_news_once_and_never_replaces_a_value() -> None:
    held = replace(CELL, given=None, reason="scale_unknown")
    assert news(held, None)
    assert not news(held, HELD)
    assert news(held, replace(HELD, reason="not_enrolled"))
    assert not news(held, SAME)


def test_a_new_maximum_is_no_lower_grade_by_rounding() -> None:
    """A third of 20 points is 6.66667 of 20, a hair more than 33.33333 of 100."""
    row = replace(ROW, items={"quiz": Grade(1 / 3)})
    (before,) = wanted(row, 7, [Target(1, "quiz", 20.0)], in_progress=True)
    (cell,) = wanted(row, 7, [Target(1, "quiz", 100.0)], in_progress=True)
    known = Known(before.given, before.maximum, True, None, NOON)
    assert news(cell, known, "best")


def test_cells_are_compared_each_with_its_own() -> None:
    cells = [replace(CELL, line_item_id=n, member_id=m) for n in (1, 2) for m in (7, 8)]
    known = {(1, 7): SAME, (2, 8): SAME, (2, 7): replace(SAME, given=1.0)}
    found, ignored = changed(cells, known, policy="follow")
    assert [(c.line_item_id, c.member_id) for c in found] == [(1, 8), (2, 7)]
    assert ignored == set()


def test_of_whom_a_value_is_not_taken_is_said() -> None:
    lower = replace(CELL, given=CELL.given - 1, member_id=8)
    known = {(1, 7): SAME, (1, 8): SAME}
    assert changed([CELL, lower], known, policy="best") == ([], {8})
    later = {**known, (1, 8): replace(SAME, coursera_at=NOON + timedelta(hours=1))}
    assert changed([CELL, lower], later, policy="follow") == ([], {8})


def test_planning_twice_plans_nothing_the_second_time() -> None:
    cells = list(planned(ROW, QUIZ, EXAM, FINAL).values())
    known = {
        (c.line_item_id, c.member_id): Known(
            c.given, c.maximum, c.completed, c.reason, c.coursera_at
        )
        for c in cells
    }
    assert changed(cells, {}, policy="follow") == (cells, set())
    assert changed(cells, known, policy="follow") == ([], set())
    assert changed(cells, known, policy="best") == ([], set())
