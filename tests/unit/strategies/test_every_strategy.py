"""One suite that every registered strategy must pass; a new strategy is tested by registering."""

import pytest

from passport_lti.grades import Choice, Column, Course, GradableItem, Owner, Points
from passport_lti.strategies import STRATEGIES, GradeSyncStrategy
from passport_lti.strategies.base import read_custom

WEIGHTS = (0.2, 0.335, 0.004, None, 1.7, 0.0)
ITEMS = tuple(
    GradableItem(f"it-{n}", f"Quiz {n}", order=n * 3, weight=weight)
    for n, weight in enumerate(WEIGHTS)
)
COURSE = Course("PrgAAAAAEe2bIBLACuNKQA", "CrsAAAAAEeeQ3gpuC4FsgA", "Python", "python", ITEMS)
LONG = Course(
    "prog",
    "course",
    "Ä " * 400,
    items=(
        GradableItem("a", "é" * 500),
        GradableItem("b", " two\n lines "),
        GradableItem("c", " "),
    ),
)
EMPTY = Course("prog", "course", "")
ONE = Course("prog", "course", "Other", items=(GradableItem("x", "X", weight=0.5),))
COURSES = {"course": COURSE, "long names": LONG, "no items": EMPTY, "one item": ONE}

CHOICES = {
    f"{which} final={final:d} points={points.value}": (which, final, points)
    for which in ("all", "some")
    for final in (False, True)
    for points in Points
}


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> GradeSyncStrategy:
    return STRATEGIES[request.param]


@pytest.fixture(params=COURSES)
def course(request: pytest.FixtureRequest) -> Course:
    return COURSES[request.param]


@pytest.fixture(params=CHOICES)
def choice(request: pytest.FixtureRequest, course: Course) -> Choice:
    which, final, points = CHOICES[request.param]
    ids = tuple(item.id for item in course.items)
    return Choice(ids if which == "all" else ids[1:3], final, points)


def by_resource(columns: list[Column]) -> dict[str, Column]:
    return {column.resource_id: column for column in columns}


def test_it_is_registered_under_its_own_name(strategy: GradeSyncStrategy) -> None:
    assert STRATEGIES[strategy.key] is strategy
    assert strategy.title and strategy.summary


def test_the_links_say_all_that_is_needed_to_serve_them(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    """What `columns` makes of the links' own words is what it makes of the choice."""
    found: dict[str, Column] = {}
    for link in strategy.links(course, choice):
        chosen = read_custom(link.custom)
        assert chosen is not None
        assert (chosen.program_id, chosen.course_id) == (course.program_id, course.id)
        assert (chosen.strategy, chosen.choice.points) == (strategy.key, choice.points)
        columns = strategy.columns(course, chosen.choice)
        assert not found.keys() & by_resource(columns).keys(), "no two links share a column"
        found |= by_resource(columns)
        owned = [column for column in columns if column.owner is Owner.PLATFORM]
        assert owned == ([link.column] if link.column else [])
    assert found == by_resource(strategy.columns(course, choice))


def test_custom_is_flat_text(strategy: GradeSyncStrategy, course: Course, choice: Choice) -> None:
    allowed = {
        "coursera_program", "coursera_course", "coursera_item",
        "strategy", "include_final", "points", "items",
    }  # fmt: skip
    for link in strategy.links(course, choice):
        assert set(link.custom) <= allowed
        assert {"coursera_program", "coursera_course", "strategy"} <= set(link.custom)
        assert link.custom["include_final"] in ("0", "1")
        assert link.custom["points"] in ("100", "weight")
        assert all(isinstance(v, str) and v and "\n" not in v for v in link.custom.values())


def test_columns_are_named_as_the_contract_says(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    columns = strategy.columns(course, choice)
    assert len(by_resource(columns)) == len(columns), "resource ids are unique"
    for column in columns:
        tail = f":{column.item_id}" if column.item_id else ""
        assert column.resource_id == f"coursera:{course.id}{tail}"
        assert column.tag == strategy.key
        assert len(column.resource_id) <= 255


def test_labels_and_titles_fit_everywhere(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    texts = [column.label for column in strategy.columns(course, choice)]
    texts += [link.title for link in strategy.links(course, choice)]
    for text in texts:
        assert 1 <= len(text) <= 255
        assert text == " ".join(text.split())
    assert all(link.text.strip() for link in strategy.links(course, choice))


def test_maxima_are_what_platforms_take(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    for column in strategy.columns(course, choice):
        assert column.maximum > 0
        if column.owner is Owner.PLATFORM:
            assert column.maximum in range(1, 101)
        if choice.points is Points.HUNDRED or column.item_id is None:
            assert column.maximum == 100


def test_columns_stand_in_course_order_and_the_course_grade_last(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    reversed_choice = Choice(choice.items[::-1], choice.include_final, choice.points)
    ids = [column.item_id for column in strategy.columns(course, reversed_choice)]
    order = [item.id for item in course.items if item.id in ids]
    assert ids in (order, [*order, None])


def test_the_course_grade_is_one_column_of_the_platform_at_most(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    finals = [c for c in strategy.columns(course, choice) if c.item_id is None]
    assert len(finals) <= 1
    assert all(column.owner is Owner.PLATFORM for column in finals)
    if choice.include_final:
        assert finals
        coupled = [link.column for link in strategy.links(course, choice)]
        assert finals[0] in coupled


def test_an_item_that_left_the_course_has_no_column(strategy: GradeSyncStrategy) -> None:
    choice = Choice(("it-1", "it-2"))
    before = by_resource(strategy.columns(COURSE, choice))
    shrunk = Course(COURSE.program_id, COURSE.id, COURSE.name, items=ITEMS[2:])
    after = by_resource(strategy.columns(shrunk, choice))
    lost = f"coursera:{COURSE.id}:it-1"
    assert after == {key: column for key, column in before.items() if key != lost}


def test_an_answer_never_depends_on_earlier_ones(
    strategy: GradeSyncStrategy, course: Course, choice: Choice
) -> None:
    first = strategy.columns(course, choice), strategy.links(course, choice)
    strategy.links(COURSE, Choice(("it-0",), True))
    assert (strategy.columns(course, choice), strategy.links(course, choice)) == first
