"""An instructor says who is who: it holds, it can be undone, and it is never a guess."""

import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

import databases
from passport_lti.extensions import db
from passport_lti.models import Context, Member, Membership
from passport_lti.sync.people import choices
from passport_lti.sync.services import utc_now
from worlds import setting


@pytest.fixture
def course(world):
    """Amy is known to Coursera by a private address only; Ben by the address of the campus."""
    amy, ben = world.school.learners[:2]
    world.coursera.change_email(world.school.accounts[amy.id], "amy@home.example")
    world.school.accounts[amy.id].external_id = ""
    world.school.accounts[amy.id].name = "Adams, Amy"
    [world.activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(world.activity)
    world.grade(amy, "columns", "Averages", 70)
    world.grade(ben, "columns", "Averages", 60)
    assert world.sync().ok
    return world


def settled():
    """Wait for the syncs that pages have started."""
    for thread in threading.enumerate():
        if thread.name.startswith("sync-"):
            thread.join(60)


def people_page(world, activity=None, teacher=None):
    browser = world.campus.browser(teacher or world.school.teacher)
    page = browser.launch(activity or world.activity)
    browser.get(page.link("People"))
    return browser


def press(browser, account, title):
    """Press the button that gives an account to somebody."""
    forms = [f for f in browser.page.forms if any(f"This is {title}" in b[2] for b in f.buttons)]
    [form] = [f for f in forms if f.value("account") == account] if account else forms[:1]
    page = browser.submit(form)
    settled()
    return page


def undo(browser, person):
    [form] = [f for f in browser.page.forms if any(person.name in b[2] for b in f.buttons)
              and f.action.endswith("/undo")]  # fmt: skip
    page = browser.submit(form)
    settled()
    return page


def state(world, person):
    [found] = [row for row in world.json("status")["people"] if row["sub"] == person.id]
    return found["state"], found["by"]


def test_a_suggestion_acts_only_once_it_is_confirmed(course):
    amy = course.school.learners[0]
    assert course.book["Averages", amy] is None
    assert state(course, amy) == ("unmatched", None)

    browser = people_page(course)
    assert "Adams, Amy" in browser.page.text and "amy@home.example" in browser.page.text
    page = press(browser, None, "Amy Adams")

    assert "Matched." in page.text
    assert course.book["Averages", amy] == 70
    assert state(course, amy) == ("matched", "confirmed")
    assert course.json("status")["unmatched_learners"] == []
    course.grade(amy, "columns", "Averages", 75)
    assert course.sync().ok and course.book["Averages", amy] == 75
    assert course.sync().summary["http_requests"]["platform"] == 0


def test_undo_returns_to_the_rules_and_empties_nothing(course):
    amy = course.school.learners[0]
    browser = people_page(course)
    press(browser, None, "Amy Adams")
    course.campus.faults.add("scores", status=503, times=None)
    course.grade(amy, "columns", "Averages", 99)
    course.sync()
    hers = [cell for cell in course.cells() if cell["member"]["sub"] == amy.id]
    [waiting] = [cell for cell in hers if cell["column"]["label"] == "Averages"]
    page = undo(browser, amy)
    course.campus.faults.clear()
    course.grade(amy, "columns", "Averages", 98)
    outcome = course.sync()

    assert waiting["state"] == "due" and "Undone" in page.text
    assert outcome.ok and course.book["Averages", amy] == 70
    assert {(c["state"], c["reason"]) for c in course.cells() if c["member"]["sub"] == amy.id} == {
        ("superseded", "not_matched")
    }
    assert state(course, amy) == ("unmatched", None)
    assert course.sync().summary["http_requests"]["platform"] == 0
    press(people_page(course), None, "Amy Adams")
    assert course.book["Averages", amy] == 98


def test_one_of_two_with_the_same_address_is_chosen(course):
    ben = course.school.learners[1]
    twin = course.campus.add_person("Ben", "Braun", email=ben.email.upper())
    course.campus.enrol(course.school.context, twin, "learner")
    course.campus.browser(twin).launch(course.activity)
    course.grade(ben, "columns", "Averages", 66)
    assert course.sync().ok
    torn = [state(course, one) for one in (ben, twin)]
    before = course.book["Averages", ben]

    browser = people_page(course)
    assert "could be more than one" in browser.page.text
    press(browser, None, "Ben Brown")

    assert torn == [("ambiguous", None)] * 2 and before == 60
    assert state(course, ben) == ("matched", "confirmed")
    assert state(course, twin) == ("unmatched", None)
    assert course.book["Averages", ben] == 66 and course.book["Averages", twin] is None


def test_a_row_that_a_rule_gave_to_the_wrong_person_is_moved(course):
    ben, chloe = course.school.learners[1:3]
    browser = people_page(course)
    page = browser.get(browser.page.link("Not right?"))
    assert "Now matched to" in page.text
    found = browser.submit(page.form("/accounts/"), q="chloe")
    assert "Amy Adams" not in found.text
    press(browser, None, "Chloe Clark")
    course.grade(ben, "columns", "Averages", 61)
    assert course.sync().ok

    assert course.book["Averages", chloe] == 61
    assert course.book["Averages", ben] == 60
    assert state(course, chloe) == ("matched", "confirmed")
    assert state(course, ben) == ("unmatched", None)
    undo(people_page(course), chloe)
    assert course.book["Averages", ben] == 61
    assert state(course, ben) == ("matched", "external_id")


def test_the_own_row_of_somebody_counts_however_low_and_old_it_is(course):
    """`best` compares grades of one person, not with those of an account confirmed by mistake."""
    amy, ben = course.school.learners[:2]
    setting(course, grade_policy="best")
    course.grade(ben, "columns", "Averages", 30)
    course.grade(amy, "columns", "Averages", 90)
    browser = people_page(course)
    browser.get(browser.page.link("Choose a participant" if "Choose a participant" in
                                  browser.page.text else "Somebody else"))  # fmt: skip
    press(browser, None, "Ben Brown")
    wrong = course.book["Averages", ben]
    undo(people_page(course), ben)

    assert (wrong, course.book["Averages", ben]) == (90, 30)


def test_the_choice_holds_in_other_contexts_and_shows_nobody_of_them(course):
    amy, ben, chloe = course.school.learners[:3]
    other = course.campus.add_context("OTHER", "Another course")
    tina = course.campus.add_person("Tina", "Tutor", username="tina")
    course.campus.enrol(other, tina, "instructor")
    for learner in (amy, chloe):
        course.campus.enrol(other, learner, "learner")
    mine, course.school.context, course.school.teacher = course.school.context, other, tina
    [theirs] = course.publish("columns", "granular_auto_columns", include_final="1")
    course.campus.browser(chloe).launch(theirs)
    press(people_page(course, teacher=course.campus.people["3"]), None, "Amy Adams")
    assert course.sync().ok

    assert course.campus.gradebook(mine)["Averages", amy] == 70
    assert course.campus.gradebook(other)["Averages", amy] == 70
    browser = people_page(course, theirs, tina)
    assert ben.name not in browser.page.text and ben.email not in browser.page.text
    with databases.connected(course.environ["DEMO_DATABASE"]) as connection:
        ids = dict(connection.execute(text("SELECT sub, id FROM member")).all())
    session = browser.page.form("/undo").value("session")
    at = browser.page.form("/undo").action.removesuffix("/undo")
    assert browser.post(f"{at}/undo", {"session": session, "member": ids[ben.id]}).status == 404
    for path in (f"participants/{ids[ben.id]}", "accounts/0123"):
        assert browser.get(f"{at}/{path}?session={session}").status == 404
    from_there = people_page(course, course.activity, course.campus.people["3"]).page
    [form] = [f for f in from_there.forms if f.action.endswith("/undo")]
    stolen = browser.post(f"{at}/confirm", {"session": session, "account": "0" * 20,
                                            "member": ids[chloe.id]})  # fmt: skip
    assert "Nothing was changed" in stolen.text
    assert browser.post(form.action, {"session": session, "member": ids[amy.id]}).status == 403


def test_a_row_of_somebody_of_another_context_can_not_be_taken(course):
    amy, chloe = course.school.learners[0], course.school.learners[2]
    press(people_page(course), None, "Amy Adams")
    other = course.campus.add_context("OTHER", "Another course")
    course.campus.enrol(other, course.school.teacher, "instructor")
    course.campus.enrol(other, chloe, "learner")
    course.school.context = other
    [theirs] = course.publish("columns", "granular_auto_columns")
    course.campus.browser(chloe).launch(theirs)
    course.sync()
    page = people_page(course, theirs).page

    assert amy.name not in page.text and "amy@home.example" not in page.text
    assert "matched here or in another course" in page.text
    assert state(course, amy) == ("matched", "confirmed")
    with course.app.app_context():
        there = db.session.scalars(select(Context).where(Context.context_id == other.id)).one()
        mine = {m.sub: m for m in db.session.scalars(select(Member))}
        with pytest.raises(choices.RowTaken):
            choices.confirm(there, mine[chloe.id], "AMY@home.example", utc_now())
        assert mine[amy.id].learner_external_id == "amy@home.example"
        # An account that is active nowhere is nobody's: the platform has made a new one.
        gone = update(Membership).where(Membership.member_fk == mine[amy.id].id)
        db.session.execute(gone.values(state="gone"))
        choices.confirm(there, mine[chloe.id], "AMY@home.example", utc_now())
        assert mine[amy.id].learner_external_id is None
        assert mine[chloe.id].learner_external_id == "amy@home.example"


def test_the_schema_refuses_one_row_for_two_members(course):
    press(people_page(course), None, "Amy Adams")
    with (
        pytest.raises(IntegrityError, match="learner_external_id"),
        databases.connected(course.environ["DEMO_DATABASE"]) as connection,
    ):
        connection.execute(text("UPDATE member SET learner_external_id = 'amy@home.example'"))


def test_what_was_confirmed_is_shown_and_erased(course):
    amy = course.school.learners[0]
    press(people_page(course), None, "Amy Adams")

    shown = course.json("learner", "show", amy.email)
    assert [row["confirmed_as"] for row in shown["members"]] == ["amy@home.example"]
    assert shown == course.json("learner", "show", "AMY@home.example")
    assert course.command("learner", "erase", "amy@home.example").returncode == 0
    dump = str(databases.content(course.environ["DEMO_DATABASE"]))
    assert "amy@home.example" not in dump and amy.email not in dump


def test_a_changed_address_is_followed_from_the_next_launch_on(course):
    amy = course.school.learners[0]
    amy.email = "AMY@Home.Example"
    course.campus.browser(amy).launch(course.activity)

    assert course.sync().ok
    assert course.book["Averages", amy] == 70
    assert state(course, amy) == ("matched", "external_id")


def test_somebody_deleted_at_coursera_stays_confirmed_and_keeps_the_grade(course):
    amy = course.school.learners[0]
    account = course.school.accounts[amy.id]
    press(people_page(course), None, "Amy Adams")
    course.coursera.remove_person(account)
    assert course.sync().ok
    page = people_page(course).page
    gone = course.book["Averages", amy]
    course.coursera.join(account, course.school.program)
    course.grade(amy, "columns", "Averages", 77)
    assert course.sync().ok

    assert gone == 70 and "does not report for this course" in page.text
    assert course.book["Averages", amy] == 77
    assert state(course, amy) == ("matched", "confirmed")


def test_a_learner_in_two_programs_is_one_person(course):
    """Two activities of one course through two programs: neither hides who is in the other."""
    amy, ben, chloe = course.school.learners[:3]
    statistics = course.school.courses["columns"]
    second = course.coursera.add_program("Second Program")
    second.courses.append(statistics)
    course.coursera.enrol(course.school.accounts[ben.id], statistics, second)
    course.grade(ben, "columns", "Averages", 64)
    course.coursera.grade(
        course.school.accounts[chloe.id], statistics, "Averages", 50, program=second
    )
    [_] = course.publish("columns", "granular_auto_columns", program=second.id)

    assert course.sync().ok
    assert [course.book["Averages", one] for one in (ben, chloe)] == [64, 50]
    assert [state(course, one)[0] for one in (ben, chloe, amy)] == [
        "matched", "matched", "unmatched"
    ]  # fmt: skip
    course.campus.ledger.clear()
    assert course.sync().summary["http_requests"]["platform"] == 0


def test_addresses_that_some_hide_are_counted_with_the_setting(course):
    course.tool.share_email = False
    zoe = course.campus.add_person("Zoe", "Zimmer")
    course.campus.enrol(course.school.context, zoe, "learner")
    course.campus.browser(zoe).launch(course.activity)
    page = course.campus.browser(course.school.teacher).launch(course.activity)
    said = course.command("status").stdout
    [row] = course.json("status")["activities"]

    assert "1 of 6 learners" in page.text and "Share launcher" in page.text
    assert (row["privacy"], row["hidden"], row["learners"]) == ("some_emails_hidden", 1, 6)
    assert "of some learners" in said and "Share launcher" in said


def test_hidden_addresses_are_said_where_there_is_no_roster_too(world):
    world.tool.share_email, world.tool.nrps = False, False
    [activity] = world.publish("columns", "granular_auto_columns")
    world.meet(activity)
    page = world.campus.browser(world.school.teacher).launch(activity)
    [row] = world.json("status")["activities"]
    said = world.command("status").stdout

    assert (row["roster"], row["privacy"]) == ("roster_unknown", "emails_hidden")
    assert "emails_hidden" in page.text and "membership service" in page.text
    assert "Share launcher" in said and "membership service" in said
