"""What was last planned says which cells have to be looked at, and never too few."""

import math
from dataclasses import replace

import pytest

from passport_lti.coursera.rows import RawRow
from passport_lti.sync.poll.plan import Target
from passport_lti.sync.poll.planned import Basis

QUIZ, EXAM, FINAL = Target(1, "quiz", 100.0), Target(2, "exam", 100.0), Target(3, None, 100.0)
ROW = RawRow("amy", "amy@uni.example", "Amy", "p", "c", 80.0, {"quiz": 90.0}, True, 5)


def basis(*targets: Target, policy: str = "follow", in_progress: bool = False) -> Basis:
    return Basis(targets or (QUIZ, EXAM, FINAL), "percent", in_progress=in_progress, policy=policy)


def differing(before: RawRow, now: RawRow, **options: bool) -> list[Target]:
    on = basis(**options)  # type: ignore[arg-type]
    return list(on.differing(on.planned(before), on.planned(now)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"full_name": "Amy A.", "last_activity": 9}, []),
        ({"items": {"quiz": 91.0}}, [QUIZ]),
        ({"items": {"quiz": 90.0, "exam": 0.0}}, [EXAM]),
        ({"items": {"quiz": 90.0, "other": 7.0}}, []),
        ({"items": {}}, [QUIZ]),
        ({"final": 81.0}, [FINAL]),
        ({"final": None}, [FINAL]),
        ({"completed": False}, [FINAL]),
        ({"items": {"quiz": 1.0, "exam": 2.0}, "final": 3.0}, [QUIZ, EXAM, FINAL]),
    ],
)
def test_only_what_another_grade_fills_is_looked_at(
    change: dict[str, object], expected: list[Target]
) -> None:
    assert differing(ROW, replace(ROW, **change)) == expected  # type: ignore[arg-type]


def test_in_progress_the_course_grade_counts_before_the_course_is_completed() -> None:
    running = replace(ROW, completed=False)
    assert differing(running, replace(running, final=81.0)) == []
    assert differing(running, replace(running, final=81.0), in_progress=True) == [FINAL]
    assert differing(running, ROW, in_progress=True) == [FINAL]


def test_on_another_basis_everything_is_looked_at() -> None:
    on = basis()
    others = (
        basis(QUIZ, EXAM),
        basis(QUIZ, EXAM, replace(FINAL, line_item_id=9)),
        basis(QUIZ, EXAM, replace(FINAL, maximum=10.0)),
        basis(replace(QUIZ, held="column_gone"), EXAM, FINAL),
        basis(policy="best"),
        basis(in_progress=True),
        Basis((QUIZ, EXAM, FINAL), None, in_progress=False, policy="follow"),
    )
    for other in others:
        assert list(on.differing(other.planned(ROW), on.planned(ROW))) == [QUIZ, EXAM, FINAL]
        assert other.mark(b"same") != on.mark(b"same")
    assert list(on.differing(None, on.planned(ROW))) == [QUIZ, EXAM, FINAL]
    assert on.mark(b"same") == basis().mark(b"same") != on.mark(b"other")


def test_nothing_and_not_a_number_are_no_news_of_each_other() -> None:
    nothing = replace(ROW, items={})
    assert differing(nothing, replace(ROW, items={"quiz": math.nan})) == []
