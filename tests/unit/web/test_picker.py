"""The picker: steps, complaints, and the one answer it gives."""

from typing import Any

import pytest

from passport_lti.extensions import db
from passport_lti.models import Activity, Platform


def _fields(world: Any, **changed: object) -> dict[str, object]:
    course = world.school.courses["linked"]
    return {
        "session": world.opened(),
        "program": world.school.program.id,
        "course": course.id,
        "strategy": "granular_deep_linked",
        "points": "100",
        "item": [item.id for item in course.items],
    } | changed


def test_a_launch_reads_nothing_from_coursera(world: Any) -> None:
    browser = world.campus.browser(world.school.teacher)
    answer = browser.select_content(world.school.context, world.tool, follow=False)
    assert answer.status_code == 200 and 'action="/deep-linking"' in answer.text
    assert world.coursera.count() == 0


def test_the_steps_show_courses_then_options_with_their_columns(world: Any) -> None:
    session = world.opened()
    courses = world.picker(session=session, step="start")
    assert "Charts That Speak" in courses.text and "Python Basics" in courses.text
    found = world.picker(session=session, step="search", q="chart")
    assert "Charts That Speak" in found.text and "Python Basics" not in found.text
    fields = {"program": world.school.program.id, "course": world.school.courses["linked"].id}
    options = world.picker(session=session, step="course", **fields)
    for text in ("Final grade", "Option A", "Option B", "Portfolio", "peer review"):
        assert text in options.text
    assert 'name="include_final" value="1" checked' in options.text


def test_everything_in_one_post_adds_the_links_once(world: Any) -> None:
    fields = _fields(world)
    page = world.picker(**fields)
    assert page.status_code == 200 and page.text.count("<form") == 1
    assert world.campus.url in page.headers["Content-Security-Policy"].split("form-action")[1]
    with world.app.app_context():
        assert db.session.scalar(db.select(db.func.count(Activity.id))) == 3
    again = world.picker(**fields)
    assert (again.status_code, again.headers["X-LTI-Error"]) == (403, "session")
    with world.app.app_context():
        assert db.session.scalar(db.select(db.func.count(Activity.id))) == 3


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"item": []}, "Option A needs at least one item"),
        ({"item": ["nothere"]}, "does not have a chosen item any more"),
        ({"item": ["' OR 1=1 --", "\x00"]}, "does not have a chosen item any more"),
        ({"course": "nothere"}, "not offered by the chosen program"),
        ({"course": "../x y"}, "not offered by the chosen program"),
        ({"course": ""}, "Please choose a course"),
        ({"strategy": "other"}, "Please choose one of the grade options"),
        ({"strategy": ""}, "Please choose one of the grade options"),
        ({"points": "7"}, "how many points"),
    ],
)
def test_a_choice_that_can_not_be_added_is_explained(
    world: Any, changed: dict[str, object], complaint: str
) -> None:
    fields = _fields(world, **changed)
    page = world.picker(**fields)
    assert page.status_code == 400 and complaint in page.text
    assert f'name="session" value="{fields["session"]}"' in page.text
    with world.app.app_context():
        assert db.session.scalar(db.select(db.func.count(Activity.id))) == 0
    assert world.picker(**(fields | _fields(world) | {"session": fields["session"]})).ok


def test_what_was_chosen_stays_chosen_after_a_complaint(world: Any) -> None:
    chosen = world.school.courses["linked"].items[1].id
    page = world.picker(**_fields(world, item=[chosen, "nothere"], points="weight"))
    assert f'value="{chosen}" checked' in page.text
    assert 'value="weight" checked' in page.text


def test_an_option_that_the_platform_does_not_offer_is_refused(world: Any) -> None:
    with world.app.app_context():
        row = db.session.scalars(db.select(Platform)).one()
        row.settings = row.settings | {
            "strategies": ["final_grade"], "default_strategy": "final_grade",
        }  # fmt: skip
        db.session.commit()
    page = world.picker(**_fields(world))
    assert page.status_code == 400 and "not offered for your platform" in page.text


def test_a_platform_that_takes_one_link_is_not_sent_three(world: Any) -> None:
    settings = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"

    def one(header: dict, claims: dict, key: object) -> tuple[dict, dict]:  # type: ignore[type-arg]
        return header, claims | {settings: claims[settings] | {"accept_multiple": False}}

    world.campus.on_id_token = one
    page = world.picker(**_fields(world))
    assert page.status_code == 400 and "one activity at a time" in page.text


def test_coursera_out_of_reach_is_said_and_tried_again(world: Any) -> None:
    session = world.opened()
    fault = world.coursera.faults.add("", status=401, times=None)
    page = world.picker(session=session, step="refresh")
    assert page.status_code == 200 and "reached just now" in page.text
    assert fault.hits
    world.coursera.faults.clear()
    page = world.picker(session=session, step="refresh")
    assert "Charts That Speak" in page.text
