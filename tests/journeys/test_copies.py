"""Copies: each works at its first launch or the next sync, with columns of its own."""

import pytest


@pytest.fixture
def published(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    assert world.sync().ok
    return world


def test_a_copied_context_fills_its_own_columns(published):
    amy, ben = published.school.learners[:2]
    copy = published.campus.copy_context(published.school.context, "DATA102", "Next year")
    published.campus.enrol(copy, ben, "learner")
    published.grade(ben, "columns", "Averages", 55)
    [activity] = published.campus.activities(copy)
    published.campus.browser(ben).launch(activity)

    assert published.sync().ok

    book = published.campus.gradebook(copy)
    assert book["Averages", ben] == 55 and book["Averages", amy] is None
    assert sorted(book.columns) == sorted(published.book.columns)
    assert published.sync().summary["http_requests"]["platform"] == 0


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
