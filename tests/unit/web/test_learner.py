"""The learner's pages: the first visit explained once, and nobody's grades but their own."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import Cell, Member, Platform
from passport_lti.sync.people import personal
from passport_lti.web import sessions
from passport_lti.web.sessions import Kind

FIRST = "Your first time? It goes like this"


@pytest.fixture
def activity(world: Any) -> Any:
    [made] = world.school.publish(
        world.tool, course="columns", strategy="granular_auto_columns", include_final="1"
    )
    return made


def explaining(world: Any) -> None:
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        platform.settings = platform.settings | {"sso": {"explain": True}}
        db.session.commit()


def test_a_launch_in_a_window_is_never_held_up(world: Any, activity: Any) -> None:
    answer = world.launched(world.school.learners[0], activity)
    assert answer.status_code == 303
    away = requests.get(world.url + answer.headers["Location"], timeout=10, allow_redirects=False)
    assert away.headers["Location"].startswith(world.school.program.url)
    with world.app.app_context():
        assert db.session.scalars(db.select(Member.introduced_at)).first() is None


def test_where_it_is_wanted_the_first_visit_is_explained_until_gone_on(
    world: Any, activity: Any
) -> None:
    explaining(world)
    amy = world.school.learners[0]
    assert FIRST in world.campus.browser(amy).launch(activity).text
    browser = world.campus.browser(amy)
    page = browser.launch(activity)
    assert FIRST in page.text and 'target="_blank"' not in page.text
    way = page.link("Open in Coursera")
    assert urlsplit(way).path.startswith("/go/")
    assert browser.get(way).url.startswith(world.school.coursera.url)
    assert world.launched(amy, activity).status_code == 303
    assert FIRST in world.campus.browser(world.school.learners[1]).launch(activity).text
    assert (
        world.launched(world.school.teacher, activity)
        .headers["Location"]
        .startswith("/activities/")
    )


def test_what_is_remembered_of_it_is_shown_and_erased(world: Any, activity: Any) -> None:
    explaining(world)
    amy = world.school.learners[0]
    browser = world.campus.browser(amy)
    browser.get(browser.launch(activity).link("Open in Coursera"))
    with world.app.app_context():
        found = personal.find(amy.email)
        [row] = personal.records(found)["members"]
        assert row["introduced"].startswith("20")


def mine(world: Any, activity: Any, person: Any) -> requests.Response:
    """The answer to *My grades* of whoever launches."""
    world.launched(person, activity)
    with world.app.test_request_context():
        from passport_lti.models import LaunchLog

        log = db.session.scalars(db.select(LaunchLog).order_by(LaunchLog.id.desc())).first()
        assert log is not None
        number, value = log.activity_fk, sessions.issue(Kind.LEARNER, log)
    return requests.get(f"{world.url}/grades/{number}", {"session": value}, timeout=10)


def test_my_grades_are_mine(world: Any, activity: Any) -> None:
    course, (amy, ben, *_) = world.school.courses["columns"], world.school.learners
    world.coursera.grade(world.school.accounts[amy.id], course, course.items[0].id, 83)
    world.coursera.grade(world.school.accounts[ben.id], course, course.items[0].id, 37)
    browser = world.campus.browser(world.school.teacher)
    browser.submit(browser.launch(activity).form("/sync"))
    page = mine(world, activity, amy)
    assert page.status_code == 200 and page.text.count("83 / 100") == 2
    assert "in the gradebook" in page.text and "no grade yet" in page.text
    assert "37" not in page.text.replace(world.url, "") and "Ben" not in page.text
    eve = mine(world, activity, world.school.learners[4])
    assert "Coursera does not report you in this course yet" in eve.text


def test_a_standing_address_leads_through_the_platform_to_my_grades_once(
    world: Any, activity: Any
) -> None:
    course, (amy, ben, *_) = world.school.courses["columns"], world.school.learners
    for learner, grade in ((amy, 83), (ben, 37)):
        world.coursera.grade(world.school.accounts[learner.id], course, course.items[0].id, grade)
    teacher = world.campus.browser(world.school.teacher)
    teacher.submit(teacher.launch(activity).form("/sync"))
    preview = teacher.get(teacher.launch(activity).link("See as a learner"))
    address = preview.text.partition('id="standing">')[2].partition("</code>")[0]

    browser = world.campus.browser(amy)
    page = browser.get(address)
    assert page.status == 200 and "83 / 100" not in page.text
    there = browser.get(page.link("To the activity"))
    assert there.url.startswith(f"{world.campus.url}/mod/lti/view.php?l=") and there.status == 200
    page = browser.launch(activity)
    assert urlsplit(page.url).path.startswith("/grades/") and "83 / 100" in page.text
    assert page.link("An address of this page to keep") == address
    assert browser.launch(activity).url.startswith(world.school.coursera.url)

    # Somebody else at the address sees what is theirs, and no other activity is concerned.
    browser = world.campus.browser(ben)
    browser.get(address)
    assert browser.launch(activity).text.count("37 / 100") == 2
    browser.get(address)
    [other] = world.school.publish(world.tool, course="final", strategy="final_grade")
    assert browser.launch(other).url.startswith(world.school.coursera.url)
    assert requests.get(f"{address}x", timeout=10).status_code == 404
    teacher.get(address)
    assert "/activities/" in teacher.launch(activity).url


def test_a_teachers_own_grade_is_not_told(world: Any, activity: Any) -> None:
    course, amy = world.school.courses["columns"], world.school.learners[0]
    world.coursera.grade(world.school.accounts[amy.id], course, course.items[0].id, 83)
    browser = world.campus.browser(world.school.teacher)
    browser.submit(browser.launch(activity).form("/sync"))
    with world.app.app_context():
        cell = db.session.scalars(db.select(Cell).where(Cell.wanted_given == 83)).one()
        cell.state, cell.reason = "held", "overridden"
        db.session.commit()
    page = mine(world, activity, amy).text
    assert "your teacher has entered another grade" in page and page.count("83 / 100") == 1


def test_who_learns_nothing_here_has_no_grades(world: Any, activity: Any) -> None:
    page = mine(world, activity, world.school.teacher)
    assert page.status_code == 200 and "takes no part in grading" in page.text


def test_an_instructors_session_is_none_of_a_learner(world: Any, activity: Any) -> None:
    place = world.launched(world.school.teacher, activity).headers["Location"]
    answer = requests.get(world.url + place.replace("/activities/", "/grades/"), timeout=10)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (403, "session")
