"""One row of a report, whatever shape its values have."""

from typing import Any

import pytest

from passport_lti.coursera.rows import gradebook, is_id, item_of, number, read, with_shares
from passport_lti.grades import GradableItem

ITEM = {"itemId": "q1", "itemGrade": 90, "itemName": "Quiz", "itemOrder": 4, "itemWeight": 20}
ROW = {
    "programId": "p",
    "courseId": "c",
    "externalId": "ana@uni.example",
    "fullName": "Ana Cruz",
    "email": "ana@home.example",
    "lastActivityAt": 1757911517000,
    "isCompleted": False,
    "overallCourseGrade": 54,
    "itemGradebooks": [ITEM, {"itemId": "q2", "itemGrade": None}, {"itemId": "q3"}],
}


def test_a_usual_row() -> None:
    row = read(ROW, "x", "y")
    assert row is not None
    assert (row.external_id, row.email) == ("ana@uni.example", "ana@home.example")
    assert row.full_name == "Ana Cruz"
    assert (row.program_id, row.course_id) == ("p", "c")
    assert (row.final, dict(row.items)) == (54.0, {"q1": 90.0})
    assert (row.completed, row.last_activity, row.problems) == (False, 1757911517000, ())


def test_what_is_missing_is_taken_from_the_question() -> None:
    row = read({"externalId": 413861904646}, "p", "c")
    assert row is not None
    assert (row.external_id, row.program_id, row.course_id) == ("413861904646", "p", "c")
    assert (row.final, row.items, row.completed, row.last_activity) == (None, {}, False, 0)


def test_the_email_stands_in_for_the_external_id() -> None:
    row = read({"email": " ana@uni.example ", "externalId": ""}, "p", "c")
    assert row is not None and row.external_id == "ana@uni.example"


@pytest.mark.parametrize(
    "change", [{"externalId": "", "email": None}, {"deletedAt": 1757911517000}]
)
def test_rows_of_nobody(change: dict[str, Any]) -> None:
    assert read({**ROW, **change}, "p", "c") is None


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        (54, 54.0), ("54", 54.0), ("0.5", 0.5), (0, 0.0), ("0", 0.0), (100, 100.0),
        (None, None), ("", None),
    ],
)  # fmt: skip
def test_grades(value: Any, grade: float | None) -> None:
    row = read({**ROW, "overallCourseGrade": value, "items": []}, "p", "c")
    assert row is not None
    assert row.final == grade
    assert row.problems == ()


@pytest.mark.parametrize("value", ["high", True, -1, 101, "NaN", float("inf"), [5], {}, "1e999"])
def test_grades_that_are_none(value: Any) -> None:
    items = [{"itemId": "q1", "itemGrade": value}]
    row = read({**ROW, "overallCourseGrade": value, "itemGradebooks": items}, "p", "c")
    assert row is not None
    assert (row.final, row.items) == (None, {})
    assert row.problems == (
        "item q1 has a grade that is none",
        "the course grade has a grade that is none",
    )


def test_a_missing_final_is_not_zero() -> None:
    row = read({k: v for k, v in ROW.items() if k != "overallCourseGrade"}, "p", "c")
    assert row is not None and row.final is None


@pytest.mark.parametrize(
    ("value", "completed"),
    [(True, True), ("true", True), ("false", False), (None, False), (1, False)],
)
def test_completion(value: Any, completed: bool) -> None:
    row = read({**ROW, "isCompleted": value}, "p", "c")
    assert row is not None and row.completed is completed


@pytest.mark.parametrize("value", [None, "soon", -1, 0, 1e15, True, float("nan")])
def test_times_that_are_none(value: Any) -> None:
    row = read({**ROW, "lastActivityAt": value}, "p", "c")
    assert row is not None and row.last_activity == 0


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ({"itemGradebooks": [ITEM]}, 1),
        ({"items": [ITEM, ITEM]}, 2),
        ({"itemGradebooks": None, "items": [ITEM]}, 1),
        ({"itemGradebooks": [], "items": [ITEM]}, 0),
        ({"itemGradebooks": [5, None, ITEM]}, 1),
        ({"itemGradebooks": "none"}, 0),
        ({}, 0),
    ],
)
def test_both_spellings(row: dict[str, Any], count: int) -> None:
    assert len(gradebook(row)) == count


def test_an_item() -> None:
    item = {**ITEM, "itemType": "EXAM", "moduleName": "Start"}
    assert item_of(item) == (GradableItem("q1", "Quiz", 4, None, "EXAM", "Start"), 20.0)
    assert item_of({"itemId": 5}) == (GradableItem("5", "5"), None)
    for broken in ("", "a b", "../x", "..", "a" * 65, None):
        assert item_of({"itemId": broken}) is None


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([20, 30, 50], [0.2, 0.3, 0.5]),
        ([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]),
        ([1, 99], [0.01, 0.99]),
        ([1], [1.0]),
        ([None, 0.5], [None, 0.5]),
        ([0, 0], [0, 0]),
        ([], []),
    ],
)
def test_the_scale_of_weights_is_decided_by_all_of_them(
    weights: list[float | None], shares: list[float | None]
) -> None:
    items = [(GradableItem(str(n), ""), weight) for n, weight in enumerate(weights)]
    assert [item.weight for item in with_shares(items)] == shares


def test_numbers_and_ids() -> None:
    assert (number("1.5"), number(" 2 "), number(True), number("x")) == (1.5, 2.0, None, None)
    assert number(10**400) is None
    assert is_id("y0TO1t4fEe2bIBLACu-NKQ") and is_id("Course~a.b_c")
    assert not is_id("") and not is_id("a/b") and not is_id("a\n")


def test_a_row_holds_nothing_that_a_database_refuses() -> None:
    row = read({**ROW, "externalId": "a" * 500, "fullName": "A\x00n\ud800a"}, "x", "y")
    assert row is not None
    assert (row.full_name, len(row.external_id)) == ("Ana", 320)


@pytest.mark.parametrize("order", [1e300, -(10**12), "1e99"])
def test_an_order_beyond_all_items_is_none(order: object) -> None:
    described = item_of({**ITEM, "itemOrder": order})
    assert described is not None
    assert described[0].order == 0
