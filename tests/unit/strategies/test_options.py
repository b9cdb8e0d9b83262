"""What sets the three strategies apart, and the `custom` values of their links."""

import pytest

from passport_lti.grades import Choice, Course, GradableItem, Owner, Points
from passport_lti.strategies import FinalGrade, GranularAutoColumns, GranularDeepLinked
from passport_lti.strategies.base import Chosen, read_custom, shortened

QUIZ = GradableItem("quiz", "Quiz", 1, 0.335)
EXAM = GradableItem("exam", "Exam", 2, 0.004)
COURSE = Course("prog", "crs", "Python Basics", items=(QUIZ, EXAM))
LATER = Course("prog", "crs", "Python Basics", items=(QUIZ, EXAM, GradableItem("new", "New", 3)))


def ids(columns: list) -> list[str]:  # type: ignore[type-arg]
    return [column.resource_id for column in columns]


def test_final_grade_is_one_link_with_one_column() -> None:
    (link,) = FinalGrade().links(COURSE, Choice())
    assert link.title == "Python Basics"
    assert link.column is not None
    assert link.column.resource_id == "coursera:crs"
    assert link.column.maximum == 100
    assert dict(link.custom) == {
        "coursera_program": "prog",
        "coursera_course": "crs",
        "strategy": "final_grade",
        "include_final": "0",
        "points": "100",
    }


def test_option_a_is_a_link_for_each_item() -> None:
    quiz, exam = GranularDeepLinked().links(COURSE, Choice(("exam", "quiz")))
    assert (quiz.title, exam.title) == ("Quiz", "Exam")
    assert quiz.custom["coursera_item"] == "quiz"
    assert "items" not in quiz.custom
    assert quiz.column is not None and quiz.column.owner is Owner.PLATFORM
    assert quiz.column.resource_id == "coursera:crs:quiz"


def test_option_a_with_the_final_grade_adds_the_course_itself() -> None:
    quiz, course = GranularDeepLinked().links(COURSE, Choice(("quiz",), include_final=True))
    assert quiz.custom["include_final"] == "0"
    assert "coursera_item" not in course.custom
    assert course.custom["include_final"] == "1"
    assert course.column is not None and course.column.resource_id == "coursera:crs"


def test_option_a_without_items_has_no_item_columns_even_later() -> None:
    assert GranularDeepLinked().columns(LATER, Choice()) == []
    assert ids(GranularDeepLinked().columns(LATER, Choice(include_final=True))) == ["coursera:crs"]


def test_option_b_is_one_link_and_the_tools_own_columns() -> None:
    (link,) = GranularAutoColumns().links(COURSE, Choice())
    assert link.column is None
    assert "items" not in link.custom
    columns = GranularAutoColumns().columns(COURSE, Choice())
    assert ids(columns) == ["coursera:crs:quiz", "coursera:crs:exam"]
    assert {column.owner for column in columns} == {Owner.TOOL}


def test_option_b_with_the_final_grade_couples_it_to_its_link() -> None:
    (link,) = GranularAutoColumns().links(COURSE, Choice(include_final=True))
    assert link.column is not None and link.column.resource_id == "coursera:crs"
    columns = GranularAutoColumns().columns(COURSE, Choice(include_final=True))
    assert ids(columns) == ["coursera:crs:quiz", "coursera:crs:exam", "coursera:crs"]


def test_option_b_follows_new_items_unless_items_were_chosen() -> None:
    assert ids(GranularAutoColumns().columns(LATER, Choice()))[-1] == "coursera:crs:new"
    chosen = Choice(("exam", "quiz"))
    assert ids(GranularAutoColumns().columns(LATER, chosen)) == [
        "coursera:crs:quiz",
        "coursera:crs:exam",
    ]
    (link,) = GranularAutoColumns().links(COURSE, chosen)
    assert link.custom["items"] == "exam,quiz"


@pytest.mark.parametrize(
    ("weight", "coupled", "own"),
    [
        (0.2, 20, 20.0),
        (0.335, 34, 33.5),
        (0.333333, 33, 33.3333),
        (0.004, 1, 0.4),
        (0.0, 1, 1.0),
        (1.0, 100, 100.0),
        (1.7, 100, 170.0),
        (None, 100, 100.0),
    ],
)
def test_points_by_weight(weight: float | None, coupled: int, own: float) -> None:
    course = Course("p", "c", "C", items=(GradableItem("i", "I", 1, weight),))
    choice = Choice(("i",), points=Points.WEIGHT)
    assert GranularDeepLinked().columns(course, choice)[0].maximum == coupled
    assert GranularAutoColumns().columns(course, choice)[0].maximum == own


CUSTOM = {"coursera_program": "p", "coursera_course": "c", "strategy": "final_grade"}


def test_custom_is_read_back() -> None:
    whole = Chosen("p", "c", "final_grade", Choice())
    assert read_custom(CUSTOM) == whole
    assert read_custom({**CUSTOM, "id": "7", "x": "y"}) == whole
    read = read_custom({**CUSTOM, "items": "a,b", "include_final": "1", "points": "weight"})
    assert read == Chosen("p", "c", "final_grade", Choice(("a", "b"), True, Points.WEIGHT))
    assert read_custom({**CUSTOM, "coursera_item": "a"}) == Chosen(
        "p", "c", "final_grade", Choice(("a",))
    )


def test_a_link_without_content_is_none_yet() -> None:
    assert read_custom({}) is None
    assert read_custom({"strategy": "final_grade"}) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"coursera_program": ""},
        {"coursera_course": ""},
        {"coursera_course": "../x"},
        {"coursera_course": "a/b"},
        {"coursera_course": "a" * 65},
        {"coursera_course": "a\n"},
        {"coursera_course": ".."},
        {"coursera_program": "$Context.id"},
        {"strategy": ""},
        {"coursera_item": "a b"},
        {"items": "a,b c"},
        {"items": "a, b"},
        {"points": "50"},
    ],
)
def test_values_that_we_never_wrote_are_refused(broken: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        read_custom({**CUSTOM, **broken})


def test_long_titles_are_cut_with_a_mark() -> None:
    assert shortened("a" * 255) == "a" * 255
    assert shortened("a" * 256) == "a" * 254 + "…"
    assert shortened("  a \t\n b ") == "a b"
