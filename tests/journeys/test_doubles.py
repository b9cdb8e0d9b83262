"""Columns of ours that others made a second time: reported, merged when asked, never guessed at."""

import pytest

from passport_lti.extensions import db
from passport_lti.models import LineItem


@pytest.fixture
def published(world):
    [world.activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(world.activity)
    world.grade(amy(world), "columns", "Averages", 80)
    assert world.sync().ok
    return world


def amy(world):
    return world.school.learners[0]


def averages(world):
    course = world.school.courses["columns"]
    name = f"coursera:{course.id}:{course.item('Averages').id}"
    return [item for item in world.book.line_items if item.resource_id == name]


def second(world, ours):
    """Another program makes the same column again."""
    return world.campus.add_line_item(
        world.school.context, world.tool, ours.label, 100.0, resource_id=ours.resource_id,
        tag=ours.tag,
    )  # fmt: skip


def noticed(world):
    """A new item makes the tool look at the columns."""
    world.coursera.add_item(world.school.courses["columns"], "Bonus", weight=5)
    world.sync()


def doubled(world):
    [ours] = averages(world)
    double = second(world, ours)
    noticed(world)
    return ours, double


def overtaken(world):
    """Our column is the younger one: theirs was made while our request was on its way."""
    [ours] = averages(world)
    theirs = second(world, ours)
    world.campus.delete_column(ours)
    old, ours.id = ours.id, str(next(world.campus._line_item_ids))
    world.campus.line_items[ours.id] = ours
    world.school.context.line_items.append(ours)
    with world.app.app_context():
        row = db.session.scalars(db.select(LineItem).filter_by(resource_id=ours.resource_id)).one()
        row.url = row.url.replace(f"/{old}/", f"/{ours.id}/")
        db.session.commit()
    noticed(world)
    return ours, theirs


def problems(world):
    return [row["problem"] for row in world.json("status")["activities"]]


def page(world):
    browser = world.campus.browser(world.school.teacher)
    browser.launch(world.activity)
    return browser


def test_a_double_is_reported_and_never_filled(published):
    _, double = doubled(published)
    published.grade(amy(published), "columns", "Averages", 90)
    assert published.sync().ok

    answer = published.command("status")

    assert problems(published) == ["column_doubled"] and "Merge" in answer.stdout
    assert published.book[double, amy(published)] is None
    shown = page(published).page
    assert "column_doubled" in shown.text and "Columns that stand twice" in shown.text
    assert "never deleted from here" in shown.text


def test_a_double_of_others_is_not_deleted_by_merging_but_by_its_teacher(published):
    ours, double = doubled(published)
    published.campus.override(double, amy(published), 13)
    browser = page(published)
    shown = browser.submit(browser.page.form("/merge"))

    assert averages(published) == [ours, double]
    assert published.book[ours, amy(published)] == 80
    assert f"/{double.id}/lineitem" in shown.text and "please delete it" in shown.text

    published.campus.delete_column(double)
    shown = browser.submit(shown.form("/sync"))
    assert "Columns that stand twice" not in shown.text and problems(published) == []
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_merging_keeps_the_older_column_of_others_and_deletes_only_our_own(published):
    ben = published.school.learners[1]
    published.grade(ben, "columns", "Averages", 55)
    published.sync()
    ours, older = overtaken(published)
    published.campus.override(older, ben, 12)
    browser = page(published)
    shown = browser.submit(browser.page.form("/merge"))

    assert averages(published) == [older]
    assert published.book[older, amy(published)] == 80
    assert published.book[older, ben] == 12  # somebody's own grade: held, not overwritten
    assert "overridden" in shown.text and problems(published) == []
    published.grade(amy(published), "columns", "Averages", 91)
    assert published.sync().ok and published.book[older, amy(published)] == 91
    assert ours.id not in published.campus.line_items
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_nothing_is_deleted_before_the_kept_column_has_the_grades(published):
    ours, older = overtaken(published)
    browser = page(published)
    published.campus.lock_column(older)
    shown = browser.submit(browser.page.form("/merge"))

    assert set(averages(published)) == {ours, older}
    assert published.book[ours, amy(published)] == 80 and "locked" in shown.text

    published.campus.lock_column(older, False)
    shown = browser.submit(shown.form("/retry"))
    browser.submit(shown.form("/merge"))
    assert averages(published) == [older] and published.book[older, amy(published)] == 80


def test_a_teacher_who_deletes_the_filled_one_leaves_the_other_to_be_filled(published):
    ours, double = doubled(published)
    published.campus.delete_column(ours)
    published.sync()

    assert averages(published) == [double]
    assert published.book[double, amy(published)] == 80 and problems(published) == []
    states = {
        (c["state"], c["reason"]) for c in published.cells() if c["column"]["label"] == "Averages"
    }
    assert ("held", "column_gone") not in states


def test_a_column_that_only_seemed_gone_is_filled_again_and_not_made_twice(published):
    [ours] = averages(published)
    published.campus.faults.add("*", status=404, match=f"/{ours.id}/lineitem/scores")
    published.grade(amy(published), "columns", "Averages", 91)
    published.sync()
    assert published.book[ours, amy(published)] == 80
    browser = page(published)
    assert "/make-again" not in browser.page.text, "the list of columns still has it"
    browser.submit(browser.page.form("/sync"))

    assert averages(published) == [ours]
    assert published.book[ours, amy(published)] == 91
    assert published.sync().summary["http_requests"]["platform"] == 0
