"""The instructor's page: what it shows and what its buttons do."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem

COURSE = "columns"


@pytest.fixture
def activity(world: Any) -> Any:
    [made] = world.school.publish(
        world.tool, course=COURSE, strategy="granular_auto_columns", include_final="1"
    )
    course = world.school.courses[COURSE]
    for place, learner in enumerate(world.school.learners[:4]):
        account = world.school.accounts[learner.id]
        world.coursera.grade(account, course, course.items[0].id, 60 + place)
    return made


def _synced(world: Any, activity: Any) -> Any:
    browser = world.campus.browser(world.school.teacher)
    page = browser.launch(activity)
    browser.submit(page.form("/sync"))
    return browser


def test_sync_now_brings_the_grades_and_shows_them(world: Any, activity: Any) -> None:
    page = _synced(world, activity).page
    assert page.status == 200 and "Synced." in page.text
    assert "Averages" in page.text and "Amy Adams" in page.text
    assert page.text.count('<td class="delivered') == 8
    book = world.campus.gradebook(world.school.context)
    assert book["Averages", world.school.learners[1]] == 61
    assert "not found at Coursera" in page.text  # Eve has not begun


def test_a_teachers_own_grade_is_kept_until_sent_anyway(world: Any, activity: Any) -> None:
    browser = _synced(world, activity)
    book, amy = world.campus.gradebook(world.school.context), world.school.learners[0]
    world.campus.override(book.line_item("Averages"), amy, 99)
    course = world.school.courses[COURSE]
    world.coursera.grade(world.school.accounts[amy.id], course, course.items[0].id, 70)
    page = browser.submit(browser.page.form("/sync"))
    assert "overridden" in page.text and "Send anyway" in page.text
    assert book["Averages", amy] == 99
    page = browser.submit(page.form("/send-anyway"))
    browser.submit(page.form("/sync"))
    assert book["Averages", amy] == 70


def test_a_deleted_column_is_made_again_on_request(world: Any, activity: Any) -> None:
    browser = _synced(world, activity)
    book, amy = world.campus.gradebook(world.school.context), world.school.learners[0]
    world.campus.delete_column(book.line_item("Averages"))
    course = world.school.courses[COURSE]
    world.coursera.grade(world.school.accounts[amy.id], course, course.items[0].id, 77)
    page = browser.submit(browser.page.form("/sync"))
    assert "column_gone" in page.text
    page = browser.submit(page.form("/make-again"))
    browser.submit(page.form("/sync"))
    assert world.campus.gradebook(world.school.context)["Averages", amy] == 77


def test_cells_and_columns_of_another_activity_do_not_exist_here(world: Any, activity: Any) -> None:
    browser = _synced(world, activity)
    [other] = world.school.publish(world.tool, course="final", strategy="final_grade")
    assert other.id != activity.id
    there = parse_qs(
        urlsplit(world.launched(world.school.teacher, other).headers["Location"]).query
    )
    session = there["session"][0]
    with world.app.app_context():
        cell = db.session.scalars(db.select(Cell.id)).first()
        column = db.session.scalars(db.select(LineItem.id)).first()
        number = db.session.scalars(
            db.select(Activity.id).where(Activity.strategy == "final_grade")
        ).one()
    for path in (
        f"cells/{cell}/retry", f"cells/{cell}/send-anyway", f"columns/{column}/make-again",
    ):  # fmt: skip
        page = browser.post(f"{world.url}/activities/{number}/{path}", {"session": session})
        assert page.status == 404


def test_hundreds_of_learners_come_fifty_at_a_time(world: Any, activity: Any) -> None:
    for number in range(60):
        person = world.campus.add_person("Zoe", f"Zimmer {number:03}")
        world.campus.enrol(world.school.context, person, "learner")
    browser = _synced(world, activity)
    first = browser.page
    assert "Page 1 of 2" in first.text and first.text.count('<th scope="row">') == 50
    [further] = [address for text, address in first.links if text == "Next"]
    second = browser.get(further)
    assert second.text.count('<th scope="row">') == 15


def test_a_person_at_coursera_without_a_participant_is_listed(world: Any, activity: Any) -> None:
    stranger = world.coursera.add_person("stranger", "stranger@elsewhere.example", "Sam Stranger")
    course = world.school.courses[COURSE]
    world.coursera.grade(stranger, course, course.items[0].id, 50)
    page = _synced(world, activity).page
    assert "Sam Stranger" in page.text and "not matched to a participant" in page.text


def test_the_option_of_a_standing_activity_can_be_changed(world: Any, activity: Any) -> None:
    browser = _synced(world, activity)
    [address] = [address for text, address in browser.page.links if text == "Change option"]
    page = browser.get(address)
    assert page.status == 200 and "Option A" not in page.text
    session = page.form("/option").fields["session"][0]
    wrong = {"session": session, "strategy": "granular_deep_linked", "points": "100"}
    assert browser.post(address.split("?")[0], wrong).status == 400
    right = wrong | {"strategy": "final_grade"}
    page = browser.post(address.split("?")[0], right)
    assert page.status == 200 and "The option is changed" in page.text
    with world.app.app_context():
        assert db.session.scalars(db.select(Activity.strategy)).one() == "final_grade"
