"""Copies: each works at its first launch or the next sync, with columns of its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from passport_lti.extensions import db
from passport_lti.lti.registration import invite
from passport_lti.models import Activity
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.serving import serve


def test_a_duplicated_activity_shares_the_item_columns(published):
    amy = published.school.learners[0]
    [activity] = published.campus.activities(published.school.context)
    before = len(published.book.columns)
    twin = published.campus.duplicate_activity(activity)
    published.grade(amy, "columns", "Averages", 90)
    assert published.sync().ok
    published.campus.browser(amy).launch(twin)

    assert published.sync().ok

    assert published.book.columns.count("Averages") == 1
    assert published.book["Averages", amy] == 90
    assert published.book[twin, amy] == published.book[activity, amy]
    assert len(published.book.columns) == before + 1
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_an_activity_filter_sends_to_nothing_else(published):
    amy = published.school.learners[0]
    [final] = published.publish("final", "final_grade")
    published.grade(amy, "final", "Loops quiz", 90)
    published.grade(amy, "columns", "Averages", 33)
    published.campus.ledger.clear()

    outcome = published.sync(activity=1)

    assert outcome.ok and published.book["Averages", amy] == 33
    assert published.book[final, amy] is None
    assert published.sync().ok and published.book[final, amy] is not None


def items(world, course, *names):
    return [item.id for item in world.school.courses[course].items if item.name in names]


def copied(world, *learners):
    """Next year's context, where these learners are enrolled and the teacher teaches."""
    copy = world.campus.copy_context(world.school.context, "DATA102", "Next year")
    world.campus.enrol(copy, world.school.teacher, "instructor")
    for learner in learners:
        world.campus.enrol(copy, learner, "learner")
    return copy, world.campus.gradebook(copy)


def opened_once(world, context, title):
    """The teacher opens one activity of a context, and nobody any other."""
    [activity] = [a for a in world.campus.activities(context) if a.title == title]
    browser = world.campus.browser(world.school.teacher)
    browser.launch(activity)
    return browser


def change(browser, **fields):
    browser.get(browser.page.link("Change option"))
    page = browser.submit(browser.page.form("/option"), **fields)
    assert "The option is changed" in page.text


def settled(world):
    assert world.sync().summary["http_requests"]["platform"] == 0
    assert world.json("status")["activities"] == []


def test_one_launch_by_the_teacher_brings_every_activity_of_a_copy(published):
    """Option A's, a final grade's and option B's columns fill before anybody opens them."""
    amy, ben = published.school.learners[:2]
    linked = items(published, "linked", "Reading charts", "Portfolio")
    published.publish("linked", "granular_deep_linked", item=linked, include_final="1")
    published.publish("final", "final_grade")
    for course, item in (("linked", "Portfolio"), ("final", "Loops quiz"), ("columns", "Chance")):
        published.grade(amy, course, item, 100)
        published.grade(ben, course, item, 50)
    assert published.sync().ok
    copy, book = copied(published, ben)
    opened_once(published, copy, "Python Basics")

    assert published.sync().ok

    assert sorted(book.columns) == sorted(published.book.columns)
    assert (book["Portfolio", ben], book["Chance", ben], book["Charts That Speak", ben]) == (
        50, 50, 20,
    )  # fmt: skip
    assert book["Python Basics", ben] == 15 and book["Everyday Statistics", ben] == 12.5
    assert not any(book[item, amy] for item in book.line_items)
    for activity in published.campus.activities(copy):
        published.campus.browser(ben).launch(activity)
    assert published.sync().ok
    assert sorted(book.columns) == sorted(published.book.columns)
    settled(published)


def test_a_copy_is_known_from_the_picker_alone(published):
    ben = published.school.learners[1]
    published.grade(ben, "columns", "Chance", 50)
    copy, book = copied(published, ben)
    published.campus.browser(published.school.teacher).select_content(copy, published.tool)

    assert published.sync().ok

    assert book["Chance", ben] == 50 and sorted(book.columns) == sorted(published.book.columns)
    settled(published)


def test_option_b_without_a_course_grade_is_known_by_its_copied_columns(world):
    world.tool.accept_grades = "delegate"
    ben = world.school.learners[1]
    chosen = items(world, "columns", "Averages", "Chance")
    [activity] = world.publish("columns", "granular_auto_columns", item=chosen)
    world.meet(activity)
    world.publish("final", "final_grade")
    world.grade(ben, "columns", "Chance", 50)
    assert world.sync().ok
    copy, book = copied(world, ben)
    opened_once(world, copy, "Python Basics")

    assert world.sync().ok
    assert book["Chance", ben] == 50 and sorted(book.columns) == sorted(world.book.columns)

    opened_once(world, copy, "Everyday Statistics")
    assert world.sync().ok
    with world.app.app_context():
        assert db.session.scalar(db.select(db.func.count(Activity.id))) == 4
    settled(world)


def test_an_option_that_the_instructor_changed_follows_the_copy(published):
    """Both by its launch and, for another activity of the context, before any launch."""
    ben = published.school.learners[1]
    published.publish("final", "final_grade")
    change(
        opened_once(published, published.school.context, "Everyday Statistics"),
        strategy="granular_auto_columns", item=items(published, "columns", "Chance"),
        include_final="1", points="weight",
    )  # fmt: skip
    published.grade(ben, "columns", "Chance", 80)
    published.grade(ben, "columns", "Averages", 80)
    assert published.sync().ok
    for title in ("Python Basics", "Everyday Statistics"):
        copy, book = copied(published, ben)
        opened_once(published, copy, title)
        assert published.sync().ok

        assert book.line_item("Chance").maximum == 25 and book["Chance", ben] == 20
        assert book["Averages", ben] is None
    again = published.campus.copy_context(copy, "DATA104", "In three years")
    published.campus.enrol(again, ben, "learner")
    published.campus.browser(ben).launch(published.campus.activities(again)[0])
    assert published.sync().ok
    assert published.campus.gradebook(again)["Chance", ben] == 20
    settled(published)


def test_a_duplicate_of_an_activity_with_another_option_has_that_option(published):
    change(
        opened_once(published, published.school.context, "Everyday Statistics"),
        strategy="final_grade",
    )
    assert published.sync().ok
    [original] = published.campus.activities(published.school.context)
    twin = published.campus.duplicate_activity(original)
    published.campus.browser(published.school.teacher).launch(twin)
    published.grade(published.school.learners[0], "columns", "Averages", 90)

    assert published.sync().ok

    assert published.book["Averages", published.school.learners[0]] == 80
    assert published.book[twin, published.school.learners[0]] == 22.5
    settled(published)


def test_a_duplicate_of_an_item_has_its_own_column_filled_before_any_launch(world):
    amy = world.school.learners[0]
    made = world.publish("linked", "granular_deep_linked", item=items(world, "linked", "Portfolio"))
    world.meet(made[0])
    world.grade(amy, "linked", "Portfolio", 70)
    assert world.sync().ok
    twin = world.campus.duplicate_activity(made[0])
    [other] = world.publish(
        "linked", "granular_deep_linked", item=items(world, "linked", "Reading charts")
    )

    assert world.sync().ok

    assert world.book[twin, amy] == 70 and world.book[made[0], amy] == 70
    assert world.book[other, amy] is None
    settled(world)


def test_an_activity_out_of_the_recycle_bin_sends_nothing_that_it_still_has(published):
    amy = published.school.learners[0]
    [activity] = published.campus.activities(published.school.context)
    published.grade(amy, "columns", "Averages", 84)
    assert published.sync().ok
    restored = published.campus.restore_activity(activity)
    published.campus.browser(amy).launch(restored)
    published.campus.ledger.clear()

    assert published.sync().ok

    assert published.campus.ledger.scores == []
    published.grade(amy, "columns", "Averages", 88)
    assert published.sync().ok
    assert published.book[restored, amy] == 22 and published.book["Averages", amy] == 88


def test_a_column_that_moodle_makes_anew_is_filled_without_a_launch(published):
    amy = published.school.learners[0]
    [activity] = published.campus.activities(published.school.context)
    published.campus.delete_column(published.book.line_item(activity))
    published.campus.save_activity(activity)
    published.grade(amy, "columns", "Averages", 88)
    published.sync()
    assert published.sync().ok

    assert published.book[activity, amy] == 22
    assert "held" not in {cell["state"] for cell in published.cells()}
    settled(published)


@pytest.fixture
def elsewhere(world):
    """A second campus with the same tool, and one of the learners at home."""
    campus = Campus()
    with serve(campus.app) as server:
        campus.url = server.url
        admin = campus.add_person("Ada", "Admin", username="admin", admin=True)
        ben = campus.add_person("Ben", "Brown", email=world.school.learners[1].email)
        campus.add_context("FIRST", "With the number of the original")
        school = replace(world.school, campus=campus, admin=admin, learners=(ben,))
        with world.app.app_context():
            address = invite(world.services.tool, "other", "practice", timedelta(hours=1))
        school.register(address)
        yield school


def test_a_context_restored_on_another_site_lives_by_itself(published, elsewhere):
    ours, ben = published.school.learners[1], elsewhere.learners[0]
    linked = items(published, "linked", "Portfolio")
    published.publish("linked", "granular_deep_linked", item=linked)
    published.grade(ours, "linked", "Portfolio", 60)
    published.grade(ours, "columns", "Averages", 55)
    assert published.sync().ok
    restored = elsewhere.campus.restore_elsewhere(published.school.context)
    elsewhere.campus.enrol(restored, ben, "learner")
    before = list(published.book.columns)
    published.campus.ledger.clear()
    [activity] = [a for a in elsewhere.campus.activities(restored) if a.title != "Portfolio"]
    elsewhere.campus.browser(ben).launch(activity)

    assert published.sync().ok

    book = elsewhere.campus.gradebook(restored)
    assert (book["Averages", ben], book["Portfolio", ben]) == (55, 60)
    assert sorted(book.columns) == sorted(before) == sorted(published.book.columns)
    assert published.campus.ledger.scores == []
    assert {score.user_id for score in elsewhere.campus.ledger.scores} == {ben.id}
    settled(published)
