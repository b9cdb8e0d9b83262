"""Whose grade is whose: what is matched, what is not, and that it is said."""

import pytest


@pytest.fixture
def published(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    return world


def state(world, person):
    [found] = [row for row in world.json("status")["people"] if row["sub"] == person.id]
    return found["state"], found["by"]


def test_a_status_before_any_sync_names_everybody(published):
    shown = published.json("status")

    assert shown["cells"] == []
    assert {row["state"] for row in shown["people"]} <= {"unmatched"}


def test_mixed_case_and_strangers_and_idle_polls(published):
    learners, course = published.school.learners, published.school.courses["columns"]
    amy = learners[0]
    published.coursera.traps.mixed_case = True
    published.grade(amy, "columns", "Averages", 70)
    stranger = published.coursera.add_person("x-1", "stranger@else.example", "Sam Stranger")
    published.coursera.grade(stranger, course, "Averages", 60)

    assert published.sync().ok
    shown = published.json("status")

    assert published.book["Averages", amy] == 70
    assert state(published, amy)[0] == "matched"
    assert [(r["external_id"], r["name"], r["course"]) for r in shown["unmatched_learners"]] == [
        ("x-1", "Sam Stranger", course.id)
    ]
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_two_members_with_one_address_are_both_ambiguous(published):
    amy = published.school.learners[0]
    twin = published.campus.add_person("Amy", "Twin", email=amy.email.upper())
    published.campus.enrol(published.school.context, twin, "learner")
    published.grade(amy, "columns", "Averages", 70)

    assert published.sync().ok

    assert state(published, amy) == ("ambiguous", None)
    assert state(published, twin) == ("ambiguous", None)
    assert not published.campus.ledger.scores
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_hidden_addresses_are_said_with_the_setting_to_change(world):
    world.tool.share_email = False
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 70)
    world.sync()

    shown = world.json("status")
    said = world.command("status").stdout

    assert {row["state"] for row in shown["people"]} == {"unmatched"}
    assert "emails_hidden" in {row["roster"] for row in shown["activities"]}
    assert "Share launcher's email" in said
    page = world.campus.browser(world.school.teacher).launch(activity)
    assert "emails_hidden" in page.text and "Share launcher&#39;s email" in page.text


def test_a_cell_that_zero_and_one_cannot_decide_is_held_and_released(published):
    amy, ben, chloe = published.school.learners[:3]
    published.coursera.traps.outline = False
    for item in ("Averages", "Chance", "Case study"):
        published.grade(amy, "columns", item, 0)
        published.grade(ben, "columns", item, 1)
    published.coursera.faults.add("enrollmentReports", status=404, times=None)

    first = published.sync()
    held = [
        (c["member"]["sub"], c["reason"])
        for c in published.cells()
        if c["state"] == "held" and c["column"]["label"] == "Averages"
    ]
    for item in ("Averages", "Chance", "Case study"):
        published.grade(amy, "columns", item, 1)
    published.sync()
    again = published.sync()
    late = {
        c["member"]["sub"]
        for c in published.cells()
        if c["reason"] == "scale_unknown" and c["column"]["label"] == "Averages"
    }
    published.grade(chloe, "columns", "Averages", 90)
    last = published.sync()

    assert first.ok and held == [(ben.id, "scale_unknown")]
    assert late == {amy.id, ben.id}
    assert again.summary["http_requests"]["platform"] == 0
    assert last.ok
    assert [published.book["Averages", one] for one in (amy, ben, chloe)] == [1, 1, 90]


def test_an_address_that_the_gradebook_lacks_is_found_in_the_list_of_members(published):
    ben = published.school.learners[1]
    course, person = published.school.courses["columns"], published.school.accounts[ben.id]
    published.coursera.traps.email_absent = True
    person.external_id = "S-100"
    published.coursera.grade(person, course, "Averages", 55)

    assert published.sync().ok

    assert state(published, ben) == ("matched", "email")
    assert published.book["Averages", ben] == 55
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_addresses_come_from_the_enrollment_report_where_members_may_not_be_listed(published):
    ben = published.school.learners[1]
    course, person = published.school.courses["columns"], published.school.accounts[ben.id]
    published.coursera.traps.email_absent = True
    published.coursera.faults.add("memberships", status=403, times=None)
    person.external_id = "S-100"
    published.coursera.grade(person, course, "Averages", 55)

    assert published.sync().ok

    assert state(published, ben) == ("matched", "email")


def test_a_member_whom_coursera_knew_first_is_matched_after_anybodys_launch(published):
    school, course = published.school, published.school.courses["columns"]
    account = published.coursera.add_person("", "hal@campus.example", "Hal Late")
    published.coursera.grade(account, course, "Averages", 34)
    published.sync()
    hal = published.campus.add_person("Hal", "Late", email="hal@campus.example")
    published.campus.enrol(school.context, hal, "learner")
    [activity] = school.context.activities
    published.meet(activity)

    assert published.sync().ok

    assert published.book["Averages", hal] == 34
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_a_row_that_turns_out_to_be_anothers_leaves_the_cell_to_the_other_program(published):
    """What the wrong row has fed is withdrawn: what the first program says is right again."""
    amy, course = published.school.learners[0], published.school.courses["columns"]
    second = published.coursera.add_program("Evening")
    published.coursera.share_course(course, second)
    published.publish("columns", "granular_auto_columns", program=second.id)
    published.grade(amy, "columns", "Averages", 80)
    wrong = published.coursera.add_person("amy-2", amy.email, "Amy Twin")
    published.coursera.grade(wrong, course, "Averages", 35, program=second)
    assert published.sync().ok and published.book["Averages", amy] == 35
    published.coursera.enrol(published.school.accounts[amy.id], course, second)

    for _ in range(2):
        assert published.sync().ok

    assert published.book["Averages", amy] == 80
    assert published.sync().summary["http_requests"]["platform"] == 0
