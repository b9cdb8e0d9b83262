"""Several courses in one answer, all items, and modules: the picker's further fields."""

from typing import Any

import jwt
import pytest

from passport_lti.sandbox.reading import read_page
from passport_lti.web.picked import Picked, of_course

ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"


def _place(world: Any, name: str) -> str:
    return f"{world.school.program.id}/{world.school.courses[name].id}"


def _links(world: Any, answer: Any) -> list[dict[str, Any]]:
    token = read_page(world.url, answer).form().fields["JWT"][0]
    found: list[dict[str, Any]] = jwt.decode(token, options={"verify_signature": False})[ITEMS]
    return found


def _fields(world: Any, **changed: object) -> dict[str, object]:
    first = world.school.courses["linked"]
    return {
        "session": world.opened(),
        "program": world.school.program.id,
        "course": first.id,
        "strategy": "granular_deep_linked",
        "points": "100",
    } | changed


def test_further_courses_come_with_the_same_option(world: Any) -> None:
    also = [_place(world, "final"), _place(world, "columns")]
    answer = world.picker(**_fields(world, strategy="final_grade", also=also))
    titles = [link["title"] for link in _links(world, answer)]
    assert titles == ["Charts That Speak", "Python Basics", "Everyday Statistics"]


def test_items_belong_to_the_course_that_they_name(world: Any) -> None:
    linked, columns = world.school.courses["linked"], world.school.courses["columns"]
    item = [linked.items[0].id, f"{columns.id}/{columns.items[2].id}"]
    answer = world.picker(**_fields(world, item=item, also=_place(world, "columns")))
    assert [link["title"] for link in _links(world, answer)] == ["Reading charts", "Case study"]


def test_a_course_without_its_items_is_named_and_nothing_is_added(world: Any) -> None:
    linked = world.school.courses["linked"]
    fields = _fields(world, item=[linked.items[0].id], also=_place(world, "columns"))
    answer = world.picker(**fields)
    assert answer.status_code == 400
    assert "Everyday Statistics: Option A needs at least one item" in answer.text
    assert world.picker(**(fields | {"all_items": "1", "item": []})).status_code == 200


@pytest.mark.parametrize(
    ("also", "complaint"),
    [
        ("nowhere/nothing", "not offered by the chosen program"),
        ("../x y", "not offered by the chosen program"),
        ("{program}", "Please choose a course"),
    ],
)
def test_a_further_course_that_is_none(world: Any, also: str, complaint: str) -> None:
    named = also.format(program=world.school.program.id)
    answer = world.picker(**_fields(world, strategy="final_grade", also=named))
    assert answer.status_code == 400 and complaint in answer.text


def test_one_course_from_two_programs_is_added_once(world: Any) -> None:
    other = world.coursera.add_program("Second program")
    world.coursera.share_course(world.school.courses["linked"], other)
    place = f"{other.id}/{world.school.courses['linked'].id}"
    answer = world.picker(**_fields(world, strategy="final_grade", also=place))
    assert answer.status_code == 400 and "chosen twice" in answer.text


def test_there_is_an_end_to_several(world: Any) -> None:
    also = [f"{world.school.program.id}/c{number}" for number in range(400)]
    answer = world.picker(**_fields(world, strategy="final_grade", also=also))
    assert answer.status_code == 400 and "at most 20 courses" in answer.text
    assert world.coursera.count("gradebook") == 0


def test_a_platform_that_takes_one_link_gets_no_two_courses(world: Any) -> None:
    settings = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"

    def one(header: dict, claims: dict, key: object) -> tuple[dict, dict]:  # type: ignore[type-arg]
        return header, claims | {settings: claims[settings] | {"accept_multiple": False}}

    world.campus.on_id_token = one
    also = _place(world, "final")
    answer = world.picker(**_fields(world, strategy="final_grade", also=also))
    assert answer.status_code == 400 and "one activity at a time" in answer.text


def test_all_items_mean_all_only_where_no_single_ones_are_ticked(world: Any) -> None:
    linked = world.school.courses["linked"]
    answer = world.picker(**_fields(world, all_items="1"))
    assert len(_links(world, answer)) == 3
    answer = world.picker(**_fields(world, all_items="1", item=[linked.items[1].id]))
    assert [link["title"] for link in _links(world, answer)] == ["Colour and form"]


def test_option_b_with_all_items_gets_later_ones_too(world: Any) -> None:
    every = [item.id for item in world.school.courses["linked"].items]
    fields = {"strategy": "granular_auto_columns", "item": every}
    [link] = _links(world, world.picker(**_fields(world, all_items="1", **fields)))
    assert "items" not in link["custom"]
    [link] = _links(world, world.picker(**_fields(world, **fields)))
    assert link["custom"]["items"] == ",".join(every)


def test_a_module_stands_for_its_items(world: Any) -> None:
    answer = world.picker(**_fields(world, module=["Module 2", "No such module"]))
    assert [link["title"] for link in _links(world, answer)] == ["Colour and form"]


def test_what_is_spelt_out_for_one_course_is_not_of_another() -> None:
    from passport_lti.grades import Course, GradableItem

    course = Course("p", "c1", "One", items=(GradableItem("i1", "1"), GradableItem("i2", "2")))
    picked = Picked("p", "c0", items=("i1", "c1/i2"), also=(("p", "c1"),))
    assert of_course(picked, course).items == ("i2",)
