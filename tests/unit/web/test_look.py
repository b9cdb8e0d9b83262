"""What a table shows, as an address carries it: nothing lost, no name to be read."""

from collections.abc import Iterator
from typing import Any

import pytest

from passport_lti.web import look
from passport_lti.web.look import Look


@pytest.fixture
def request_of(world: Any) -> Iterator[Any]:
    with world.app.app_context():
        yield world.app.test_request_context


def test_an_address_brings_back_what_it_was_made_of(request_of: Any) -> None:
    wanted = Look("held", "overridden", "Ådams & co", "-17", 3)
    with request_of("/"):
        parameters = wanted.args()
    assert "dams" not in str(parameters)
    with request_of("/", query_string=parameters):
        assert look.asked() == wanted


def test_another_filter_begins_on_the_first_page(request_of: Any) -> None:
    with request_of("/"):
        assert Look(page=4).args(state="due") == {"state": "due"}
        assert Look(page=4, state="due").args(page=5) == {"state": "due", "page": 5}
        assert Look().args() == {}


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "name;drop"}, {"sort": "²"}, {"sort": "--"}, {"page": "-3"}, {"page": "x"},
        {"who": "not sealed by us"}, {"who": "ü"},
    ],
)  # fmt: skip
def test_nonsense_is_left_out(request_of: Any, query: dict[str, str]) -> None:
    with request_of("/", query_string=query):
        assert look.asked() == Look()


def test_a_heading_pressed_twice_turns_the_order_round() -> None:
    assert Look().turned("7") == "-7" and Look(sort="-7").turned("7") == "7"
    assert Look().turned("name") == "-name" and Look(sort="-name").turned("name") == "name"
    assert Look(sort="-7").column == 7 and Look(sort="progress").column is None
