"""The story of a cell: every change with cause, values and times, and no more rows than that."""

from datetime import timedelta

import pytest

from passport_lti.extensions import db
from passport_lti.models import Cell, CellChange, LineItem
from passport_lti.scheduler import Clock
from passport_lti.sync import history, outbox
from passport_lti.sync.delivery import claims
from passport_lti.sync.poll.plan import Change


@pytest.fixture
def published(world):
    """Option B, with Amy's and Ben's first grades delivered."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for learner in world.school.learners[:2]:
        world.grade(learner, "columns", "Averages", 80)
    assert world.sync().ok
    world.activity = activity
    return world


def cell_of(learner, column="Averages"):
    return db.session.scalar(
        db.select(Cell)
        .join(LineItem)
        .join(Cell.member)
        .where(LineItem.label == column, Cell.member.has(sub=learner.id))
        .order_by(Cell.id.desc())
        .limit(1)
    )


def story(world, learner):
    """(what, value before, value after, reason) of Averages, oldest first."""
    with world.app.app_context():
        told = history.of(cell_of(learner))
        assert all(event.at is not None for event in told)
        db.session.remove()
    return [
        (e.cause, e.before and e.before.given, e.after and e.after.given, e.reason) for e in told
    ]


def kept(world):
    with world.app.app_context():
        count = db.session.scalar(db.select(db.func.count()).select_from(CellChange))
        db.session.remove()
    return count


FIRST = [("read", None, 80, None), ("delivered", None, 80, None)]


def test_a_first_sync_keeps_no_row_and_tells_its_story_all_the_same(published):
    assert kept(published) == 0
    assert story(published, published.school.learners[0]) == FIRST


def test_a_regrade_keeps_one_row_for_each_changed_cell(published):
    amy, ben = published.school.learners[:2]
    published.grade(amy, "columns", "Averages", 40)
    published.sync()
    published.sync()

    assert kept(published) == 2  # the item and the course grade
    assert story(published, amy) == [*FIRST, ("read", 80, 40, None), ("delivered", 80, 40, None)]
    assert story(published, ben) == FIRST


def test_a_teachers_grade_and_what_an_instructor_did_about_it(published):
    amy = published.school.learners[0]
    published.campus.override(published.book.line_item("Averages"), amy, 11)
    published.grade(amy, "columns", "Averages", 85)
    published.sync()
    browser = published.campus.browser(published.school.teacher)
    page = browser.launch(published.activity)
    with published.app.app_context():
        number = cell_of(amy).id
        db.session.remove()
    [address] = {link for _, link in page.links if f"/cells/{number}?" in link}
    page = browser.get(address)
    assert "Held" in page.text and "press Send anyway" in page.text
    page = browser.submit(page.form("/send-anyway"))
    assert "What happened" in page.text and "Sent anyway by an instructor" in page.text
    published.sync()

    assert published.book["Averages", amy] == 85
    assert story(published, amy)[2:] == [
        ("read", 80, 85, None),
        ("held", 85, 85, "overridden"),
        ("sent_anyway", 85, 85, None),
        ("delivered", 80, 85, None),
    ]


def test_a_refusal_is_kept_once_however_often_it_is_repeated(published):
    amy = published.school.learners[0]
    published.campus.lock_grade(published.book.line_item("Averages"), amy)
    published.grade(amy, "columns", "Averages", 85)
    published.sync()
    with published.app.app_context():
        cell_of(amy).due_at = published.services.clock()
        db.session.commit()
    published.sync()

    assert story(published, amy)[2:] == [
        ("read", 80, 85, None),
        ("rejected", 85, 85, "locked"),
    ]


def test_a_column_that_a_teacher_deleted(published):
    amy = published.school.learners[0]
    published.campus.delete_column(published.book.line_item("Averages"))
    published.grade(amy, "columns", "Averages", 85)
    published.sync()

    told = story(published, amy)
    assert told[2] == ("read", 80, 85, None)
    assert told[3][0] == "column_gone" and told[3][3] == "column_gone" and len(told) == 4


def test_a_member_who_left_and_came_back(published):
    amy, context = published.school.learners[0], published.school.context
    published.campus.lock_grade(published.book.line_item("Averages"), amy)
    published.grade(amy, "columns", "Averages", 85)
    published.sync()
    published.campus.unenrol(context, amy)
    with published.app.app_context():
        db.session.execute(db.text("UPDATE context SET roster_read_at = NULL"))
        db.session.commit()
    published.sync()

    assert story(published, amy)[-1] == ("left", 85, 85, "not_enrolled")


def test_history_is_kept_as_long_as_sync_runs(published):
    amy = published.school.learners[0]
    published.grade(amy, "columns", "Averages", 40)
    published.sync()
    clock, now = Clock(published.app), published.services.clock()

    def tidied(after):
        published.services.clock = lambda: now + after
        with published.app.app_context():
            clock._tidy()
            db.session.remove()
        return kept(published)

    assert tidied(timedelta(days=179)) == 2
    assert tidied(timedelta(days=181)) == 0
    assert story(published, amy) == [("read", None, 40, None), ("delivered", None, 40, None)]


def test_the_story_is_shown_and_erased_with_its_person(published):
    amy, ben = published.school.learners[:2]
    for learner in (amy, ben):
        published.grade(learner, "columns", "Averages", 40)
    published.sync()
    shown = published.json("learner", "show", amy.email)

    assert [row["cause"] for row in shown["changes"]] == ["read", "read"]
    assert {row["delivered_given"] for row in shown["changes"]} == {80, 20}
    assert published.command("learner", "erase", amy.email).returncode == 0
    assert kept(published) == 2
    assert story(published, ben)[2:] == [("read", 80, 40, None), ("delivered", 80, 40, None)]


def test_a_cell_of_another_activity_has_no_page_here(published):
    [other] = published.publish("final", "final_grade")
    published.meet(other)
    browser = published.campus.browser(published.school.teacher)
    page = browser.launch(other)
    with published.app.app_context():
        number = cell_of(published.school.learners[0]).id
        db.session.remove()
    address = page.form("/sync").action.removesuffix("/sync")
    session = page.form("/sync").fields["session"][0]
    assert browser.get(f"{address}/cells/{number}?session={session}").status == 404


def test_a_value_that_arrived_while_a_newer_one_was_read_is_told(published):
    amy = published.school.learners[0]
    clock, platform = published.services.clock, published.campus.faults
    platform.add("*", status=503, times=None)
    published.grade(amy, "columns", "Averages", 85)
    published.sync()
    with published.app.app_context():
        cell = cell_of(amy)
        db.session.execute(db.update(Cell).values(due_at=clock()).where(Cell.due_at.is_not(None)))
        db.session.commit()
        # A worker is sending 85 while the next poll reads 90.
        [sending] = claims.claim(cell.line_item_fk, "worker", clock(), limit=9)
        newer = Change(cell.line_item_fk, cell.member_fk, 90.0, 100.0, True, None, clock())
        known = outbox.known_of([(cell.line_item_fk, cell.member_fk)])
        outbox.enqueue([newer], known, clock(), clock())
        db.session.commit()
        claims.delivered([(sending, sending.stamp + 1)], "worker", clock())
        [next_one] = claims.claim(cell.line_item_fk, "worker", clock(), limit=9)
        claims.delivered([(next_one, next_one.stamp + 1)], "worker", clock())
        db.session.remove()

    told = [line[:3] for line in story(published, amy) if line[0] in ("read", "delivered")]
    assert told[2:] == [
        ("read", 80, 85),
        ("read", 85, 90),
        ("delivered", 80, 85),
        ("delivered", 85, 90),
    ]
