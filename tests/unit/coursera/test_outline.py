"""Gradable items of a course outline."""

from typing import Any

import pytest

from passport_lti.coursera.outline import gradable_items
from passport_lti.grades import GradableItem


def outline(*items: Any) -> dict[str, Any]:
    return {"id": "c", "modules": [{"name": "Start", "lessons": [{"items": list(items)}]}]}


def test_gradable_items_in_order_with_their_module() -> None:
    value = outline(
        {"id": "v", "name": "Hello", "itemType": "VIDEO"},
        {"id": "q", "name": "Quiz", "itemType": "EXAM", "weight": 40},
        {"itemId": "p", "name": "Project", "type": "phasedPeer", "itemWeight": 60},
        {"id": "u", "name": "Practice", "itemType": "UNGRADED_LTI"},
        {"id": "n", "name": "Reading along", "itemType": "NEW_KIND", "isGraded": False},
    )
    expected = (
        GradableItem("q", "Quiz", 2, 0.4, "EXAM", "Start"),
        GradableItem("p", "Project", 3, 0.6, "phasedPeer", "Start"),
    )
    assert gradable_items(value) == expected
    assert gradable_items({"elements": [value], "paging": {}}) == expected


def test_the_scale_of_weights_is_not_decided_per_item() -> None:
    items = [
        {"id": "a", "itemType": "EXAM", "weight": 1},
        {"id": "b", "itemType": "EXAM", "weight": 99},
    ]
    assert [item.weight for item in gradable_items(outline(*items))] == [0.01, 0.99]


def test_an_item_that_stands_twice_counts_once() -> None:
    found = gradable_items(outline({"id": "a", "name": "A"}, {"id": "a", "name": "B"}))
    assert [(item.id, item.name) for item in found] == [("a", "A")]


@pytest.mark.parametrize(
    "value",
    [
        None, [], 5, "text", {}, {"elements": []}, {"elements": [5]}, {"modules": 5},
        {"modules": [5]}, {"modules": [{"lessons": 5}]}, {"modules": [{"lessons": [{"items": 7}]}]},
        outline(5, None, "x", {}, {"id": ""}, {"id": "a b"}, {"id": ["x"]}),
    ],
)  # fmt: skip
def test_what_is_no_outline_has_no_items(value: Any) -> None:
    assert gradable_items(value) == ()
