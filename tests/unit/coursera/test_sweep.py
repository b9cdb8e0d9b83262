"""A complete reading of a course's report."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from passport_lti.coursera import sweep as module
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.scale import Scale
from passport_lti.coursera.sweep import Sweep, sweep
from passport_lti.errors import RetryLater
from passport_lti.grades import Grade, LearnerGrades

from .conftest import NOW, Fake

MOMENT = 1_757_911_517_000


def row(who: str, final: Any = None, at: int = MOMENT, **items: Any) -> dict[str, Any]:
    described = [
        {"itemId": key, "itemName": key.upper(), "itemOrder": n, "itemWeight": 50, "itemGrade": g}
        for n, (key, g) in enumerate(items.items(), 1)
    ]
    return {
        "externalId": who,
        "courseId": "c",
        "courseName": "Python",
        "lastActivityAt": at,
        "overallCourseGrade": final,
        "itemGradebooks": described,
    }


def read(*rows: dict[str, Any]) -> Sweep:
    found = Sweep("p", "c", NOW)
    found.add(rows)
    return found


def grades(found: Sweep, scale: Scale | None = "percent") -> dict[str, LearnerGrades]:
    rows = list(found.rows(scale))
    assert len({r.external_id.casefold() for r in rows}) == len(rows)
    return {r.external_id: r for r in rows}


def test_rows_are_grades_as_fractions() -> None:
    with read(row("ana", 54, quiz=90, exam=None), row("ben", 0)) as found:
        by_name = grades(found)
        assert by_name["ana"].final == Grade(0.54)
        assert by_name["ana"].items == {"quiz": Grade(0.9)}
        assert by_name["ana"].last_activity_at == datetime.fromtimestamp(MOMENT / 1000, UTC)
        assert by_name["ben"].final == Grade(0.0)
        assert (found.course_name, len(list(found.learners))) == ("Python", 2)


@pytest.mark.parametrize(
    ("scale", "value", "fraction"),
    [
        ("percent", 90, 0.9), ("percent", 1, 0.01), ("percent", 100.0001, 1.0),
        ("unit", 0.9, 0.9), ("unit", 1, 1.0), ("unit", 1.0001, 1.0),
        (None, 0, 0.0), (None, 1, None),
    ],
)  # fmt: skip
def test_scales(scale: Scale | None, value: float, fraction: float | None) -> None:
    with read(row("ana", value, quiz=value)) as found:
        assert grades(found, scale)["ana"].final == Grade(fraction)
        assert grades(found, scale)["ana"].items == {"quiz": Grade(fraction)}


def test_a_grade_beyond_a_scale_that_was_set_is_no_grade() -> None:
    with read(row("ana", 90, quiz=90)) as found:
        assert grades(found, "unit")["ana"].final is None
        assert grades(found, "unit")["ana"].items == {}


def test_rows_can_be_read_again() -> None:
    with read(*(row(f"p{n}", n % 100) for n in range(300))) as found:
        first = list(found.rows("percent"))
        assert len(first) == 300
        assert list(found.rows("percent")) == first


def test_of_several_rows_for_one_learner_the_latest_activity_counts() -> None:
    rows = [
        row("Ana@uni", 80, at=MOMENT + 5),
        row("ana@UNI", 60, at=MOMENT),
        row("ana@uni", 70, at=0),
    ]
    for order in itertools.permutations(rows):
        with read(*order) as found:
            assert [r.final for r in found.rows("percent")] == [Grade(0.8)]
            assert [learner.external_id for learner in found.learners] == ["Ana@uni"]


@pytest.mark.parametrize("final", range(8))
def test_rows_of_the_same_moment_give_the_same_learner_in_any_order(final: int) -> None:
    """The one with most grades; among equals any, but always the same."""
    few, more, equal = row("ana", 90), row("ana", final, quiz=7), row("ana", 80 + final, quiz=8)
    with read(few, more) as first, read(more, few) as second:
        assert grades(first)["ana"].final == grades(second)["ana"].final == Grade(final / 100)
    with read(more, equal) as first, read(equal, more) as second:
        assert grades(first) == grades(second)


def test_the_digest_is_that_of_the_content() -> None:
    rows = [row("ana", 54, quiz=90), row("ben", 1, at=MOMENT + 1, quiz=2), row("cat", 3)]
    renamed = row("dan", 5, at=MOMENT + 1, quiz=7)
    renamed["itemGradebooks"][0]["itemName"] = "Quiz, renamed"
    rows.append(renamed)
    digests = set()
    for order in itertools.permutations(rows):
        with read(*order) as found:
            digests.add(found.digest)
    assert len(digests) == 1
    anew = [row("ana", 54, quiz=90), *rows[1:3], row("dan", 5, at=MOMENT + 1, quiz=7)]
    for change in (
        anew,
        [row("ana", 54, quiz=91), *rows[1:]],
        [row("ana", 55, quiz=90), *rows[1:]],
        [row("ana", 54, at=MOMENT + 9, quiz=90), *rows[1:]],
        [row("anna", 54, quiz=90), *rows[1:]],
        rows[1:],
        [],
    ):
        with read(*change) as found:
            assert found.digest not in digests
            digests.add(found.digest)


def test_items_in_course_order_as_the_latest_row_names_them() -> None:
    old, new = row("ana", 1, quiz=1, exam=2), row("ben", 1, at=MOMENT + 1, quiz=1)
    new["itemGradebooks"][0] |= {"itemName": "Renamed", "itemOrder": 9}
    for order in ([old, new], [new, old]):
        with read(*order) as found:
            assert [(i.id, i.name, i.weight) for i in found.items] == [
                ("exam", "EXAM", 0.5),
                ("quiz", "Renamed", 0.5),
            ]


def test_rows_of_another_course_or_of_nobody_are_left_out() -> None:
    other = {**row("ana", 5), "courseId": "other"}
    deleted = {**row("ben", 5), "deletedAt": MOMENT}
    with read(other, deleted, {"courseId": "c"}) as found:
        assert list(found.rows("percent")) == []
        assert list(found.learners) == []


def test_evidence_and_sample_for_the_scale() -> None:
    with read(*(row(f"P{n}", 0.5 if n else 0) for n in range(80))) as found:
        assert (found.evidence.above_one, found.evidence.between) == (False, True)
        assert len(found.sample) == 50
        assert found.sample[0] == ("p1", 0.5)


def test_problems_are_collected_but_not_without_end() -> None:
    with read(*(row(f"p{n}", "bad", a="bad", b="bad", d="bad") for n in range(1000))) as found:
        assert found.problems[0] == "item a has a grade that is none"
        assert 10 < len(found.problems) < 100


def test_a_large_report_lies_in_a_file_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 1000)
    with read(*(row(f"p{n}", 50) for n in range(500))) as found:
        assert found._file._rolled  # type: ignore[attr-defined]
        assert len(grades(found)) == 500
    assert found._file.closed


def test_over_http(client: CourseraClient, fake: Fake) -> None:
    fake.answers["courseGradebookReports"] = [
        {"elements": [row("ana", 54)], "paging": {"next": "1"}},
        {"elements": [row("ben", 60)], "paging": {}},
    ]
    with sweep(client, "p", "c", NOW) as found:
        assert set(grades(found)) == {"ana", "ben"}
        assert found.read_at == NOW


def test_half_a_report_is_none(client: CourseraClient, fake: Fake) -> None:
    fake.answers["courseGradebookReports"] = [
        {"elements": [row("ana", 54)], "paging": {"next": "1"}},
        {"paging": {}},
    ]
    with pytest.raises(RetryLater):
        sweep(client, "p", "c", NOW)
