"""Whether grades are 0 to 1 or 0 to 100: decided per connection, never per value."""

from typing import Any

import pytest

from passport_lti.coursera.scale import Evidence, compare, decide


def seen(*grades: float) -> Evidence:
    evidence = Evidence()
    for grade in grades:
        evidence.see(grade)
    return evidence


@pytest.mark.parametrize(
    ("setting", "stored", "grades", "compared", "expected"),
    [
        ("auto", None, [], None, None),
        ("auto", None, [0, 1, 0, 1], None, None),
        ("auto", None, [0, 0.5, 1], None, "unit"),
        ("auto", None, [0, 1, 2], None, "percent"),
        ("auto", None, [0.5, 1, 54], None, "percent"),
        ("auto", None, [0, 1], "unit", "unit"),
        ("auto", None, [0, 1], "percent", "percent"),
        ("auto", None, [0.5], "percent", "percent"),
        ("auto", "unit", [0, 1], None, "unit"),
        ("auto", "percent", [0.5, 1], None, "percent"),
        ("auto", "percent", [0.5], "unit", "percent"),
        ("auto", "unit", [90], "unit", "percent"),
        ("unit", "percent", [90], "percent", "unit"),
        ("percent", "unit", [0.5], "unit", "percent"),
    ],
)
def test_the_decision(
    setting: Any, stored: Any, grades: list[float], compared: Any, expected: str | None
) -> None:
    assert decide(setting, stored, seen(*grades), compared) == expected


@pytest.mark.parametrize(
    ("overall", "reported", "expected"),
    [
        (0.92, 0.922300033569336, "unit"),
        (92, 0.922300033569336, "percent"),
        (92.23, 0.9223, "percent"),
        (100, 1.0, "percent"),
        (1, 0.01, "percent"),
        (0.5, 0.005, "percent"),
        (0.98, 0.977, "unit"),
        (1, 1.0, None),
        (0, 0.5, None),
        (50, 0, None),
        (50, 0.7, None),
        (0.01, 0.0001, None),
        (0.005, 0.005, None),
    ],
)
def test_the_comparison_with_the_enrollment_report(
    overall: float, reported: float, expected: str | None
) -> None:
    assert compare(overall, reported) == expected
