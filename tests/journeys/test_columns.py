"""Columns over time: in course order, once, as teachers left them, explained when they are gone."""

import pytest

from passport_lti.extensions import db
from passport_lti.models import LineItem
from passport_lti.sync import remedies


@pytest.fixture
def published(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for learner in world.school.learners[:2]:
        world.grade(learner, "columns", "Averages", 80)
    world.sync()
    return world


def averages(world):
    return {
        c["member"]["sub"]: c
        for c in world.cells()
        if c["column"]["resource_id"].endswith(world.school.courses["columns"].item("Averages").id)
    }


def test_columns_are_made_in_course_order(published):
    assert published.book.columns[1:] == ["Averages", "Chance", "Case study"]


def test_a_deleted_column_is_held_and_stays_deleted(published):
    amy, _, chloe = published.school.learners[:3]
    published.campus.delete_column(published.book.line_item("Averages"))
    published.grade(amy, "columns", "Averages", 85)

    answer = published.command("sync")
    published.grade(chloe, "columns", "Averages", 77)
    published.command("sync")
    published.campus.ledger.clear()
    again = published.sync()

    assert answer.returncode == 0 and "column_gone" in answer.stdout
    assert "Averages" not in published.book.columns
    found = averages(published)
    assert (found[amy.id]["state"], found[amy.id]["reason"]) == ("held", "column_gone")
    assert (found[chloe.id]["state"], found[chloe.id]["reason"]) == ("held", "column_gone")
    assert found[amy.id]["wanted"]["given"] == 85
    assert again.summary["http_requests"]["platform"] == 0


def test_a_deleted_column_that_is_noticed_while_another_is_made_is_held_too(published):
    amy = published.school.learners[0]
    published.campus.delete_column(published.book.line_item("Averages"))
    published.coursera.add_item(published.school.courses["columns"], "Bonus", weight=10)
    published.grade(amy, "columns", "Averages", 85)

    assert published.sync().ok

    assert (averages(published)[amy.id]["state"], averages(published)[amy.id]["reason"]) == (
        "held",
        "column_gone",
    )
    assert "Bonus" in published.book.columns and "Averages" not in published.book.columns


def test_a_deleted_column_comes_back_with_all_its_grades_when_asked_for(published):
    amy, ben = published.school.learners[:2]
    published.campus.delete_column(published.book.line_item("Averages"))
    published.grade(amy, "columns", "Averages", 85)
    published.sync()
    with published.app.app_context():
        [gone] = db.session.query(LineItem).filter_by(state="gone")
        remedies.make_again(gone, published.services.clock())

    assert published.sync().ok

    assert published.book.columns.count("Averages") == 1
    assert (published.book["Averages", amy], published.book["Averages", ben]) == (85, 80)
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_a_label_longer_than_the_platform_takes_is_cut_once(published):
    course, amy = published.school.courses["columns"], published.school.learners[0]
    published.coursera.add_item(course, "Ünïcode " * 60, weight=5, id="long1")
    published.grade(amy, "columns", "long1", 64)
    assert published.sync().ok
    published.campus.ledger.clear()

    outcome = published.sync()

    assert outcome.summary["http_requests"]["platform"] == 0
    assert 64 in [published.book[label, amy] for label in published.book.columns]


def test_weights_that_change_resize_the_columns(world):
    [activity] = world.publish("columns", "granular_auto_columns", points="weight")
    world.meet(activity)
    course, amy = world.school.courses["columns"], world.school.learners[0]
    world.grade(amy, "columns", "Averages", 80)
    world.sync()
    assert world.book["Averages", amy] == 20
    world.coursera.set_weight(course, "Averages", 50)

    assert world.sync().ok
    assert world.book.line_item("Averages").maximum == 50
    assert world.book["Averages", amy] == 40


def test_a_column_that_the_platform_makes_anew_is_found_after_a_launch(world):
    [activity] = world.publish("final", "final_grade")
    world.meet(activity)
    amy = world.school.learners[0]
    world.grade(amy, "final", "Loops quiz", 50)
    world.sync()
    world.campus.delete_column(world.book.line_item("Python Basics"))
    world.grade(amy, "final", "Loops quiz", 60)
    world.sync()
    world.sync()  # looks once whether the platform has made another one
    idle = world.sync().summary["http_requests"]["platform"]
    gone = {(c["state"], c["reason"]) for c in world.cells()}
    world.campus.save_activity(activity)
    world.meet(activity)

    world.sync()

    assert idle == 0 and gone == {("held", "column_gone")}
    assert world.book["Python Basics", amy] == 18
    assert world.sync().summary["http_requests"]["platform"] == 0
