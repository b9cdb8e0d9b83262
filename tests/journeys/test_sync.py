"""What a sync promises: only news, nothing twice, never over a teacher, nothing in a dry run."""

import pytest

import databases
from passport_lti.extensions import db
from passport_lti.sandbox.campus.state import Person


@pytest.fixture
def published(world):
    """Option B in the context, its roster known, and one learner with two grades delivered."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    amy = world.school.learners[0]
    world.campus.browser(amy).launch(activity)
    world.grade(amy, "columns", "Averages", 80)
    world.grade(amy, "columns", "Chance", 60)
    world.sync()
    assert world.book["Averages", amy] == 80
    return world


def amy(world) -> Person:
    return world.school.learners[0]


def test_a_second_sync_sends_nothing_and_asks_the_platform_nothing(published):
    published.campus.ledger.clear()

    outcome = published.sync()

    assert outcome.ok and outcome.summary["sent"] == 0
    assert outcome.summary["http_requests"]["platform"] == 0
    assert published.campus.ledger.requests == []


def test_each_course_is_read_once_however_many_activities_use_it(published):
    published.publish("columns", "final_grade")
    published.publish("columns", "granular_auto_columns")
    published.coursera.ledger.clear()

    published.sync()

    assert published.coursera.count("gradebook") == 1


@pytest.mark.parametrize("percent", [95, 40, 0])
def test_a_regrade_arrives_up_and_down(published, percent):
    published.grade(amy(published), "columns", "Averages", percent)

    outcome = published.sync()

    assert published.book["Averages", amy(published)] == percent
    assert outcome.summary["sent"] == 2  # the item and the course grade


def test_an_item_added_at_coursera_gets_its_column_once(published):
    published.coursera.add_item(published.school.courses["columns"], "Bonus", weight=10)
    published.grade(amy(published), "columns", "Bonus", 50)

    published.sync()
    published.sync()

    assert published.book.columns.count("Bonus") == 1
    assert published.book["Bonus", amy(published)] == 50


def test_an_item_removed_at_coursera_keeps_its_column_and_grades(published):
    published.coursera.remove_item(published.school.courses["columns"], "Chance")

    published.sync()

    assert published.book["Chance", amy(published)] == 60


def test_a_teacher_is_never_scored(published):
    teacher = published.school.teacher
    account = published.coursera.add_person(teacher.email, teacher.email, teacher.name)
    published.coursera.grade(account, published.school.courses["columns"], "Averages", 99)

    published.sync()

    assert not any(cell["member"]["sub"] == teacher.id for cell in published.cells())
    assert not any(score.user_id == teacher.id for score in published.campus.ledger.scores)


def test_a_grade_that_a_teacher_changed_is_held(published):
    published.campus.override(published.book.line_item("Averages"), amy(published), 100)
    published.grade(amy(published), "columns", "Averages", 85)

    outcome = published.sync()

    [held] = [cell for cell in published.cells() if cell["state"] == "held"]
    assert held["reason"] == "overridden" and held["wanted"] == {"given": 85, "maximum": 100}
    assert published.book["Averages", amy(published)] == 100
    assert outcome.ok


def test_a_value_that_a_teacher_typed_already_is_not_sent(published):
    published.campus.override(published.book.line_item("Averages"), amy(published), 85)
    published.grade(amy(published), "columns", "Averages", 85)
    published.campus.ledger.clear()

    published.sync()

    sent = {score.line_item_id for score in published.campus.ledger.scores}
    assert published.book.line_item("Averages").id not in sent
    assert all(cell["state"] == "delivered" for cell in published.cells())


def test_a_dry_run_changes_nothing_anywhere(published):
    published.grade(amy(published), "columns", "Averages", 10)
    published.coursera.add_item(published.school.courses["columns"], "Bonus", weight=10)
    before, columns = published.cells(), published.book.columns
    published.campus.ledger.clear()

    shown = published.json("sync", "--dry-run")

    would = [c for c in shown["cells"] if c["state"] == "due"]
    assert {c["column"]["label"] for c in would} >= {"Averages"}
    assert shown["summary"]["sent"] == 0
    assert published.cells() == before and published.book.columns == columns
    assert [r for r in published.campus.ledger.requests if r.method not in ("GET",)
            and r.kind != "token"] == []  # fmt: skip


def test_one_bad_cell_does_not_stop_the_others(published):
    learners = published.school.learners
    for learner in learners:
        published.grade(learner, "columns", "Averages", 70)
    published.sync()
    published.campus.unenrol(published.school.context, learners[1])
    for learner in learners:
        published.grade(learner, "columns", "Averages", 71)

    published.sync()

    assert [published.book["Averages", learner] for learner in (learners[0], *learners[2:])] == [
        71, 71, 71, 71,
    ]  # fmt: skip


def test_a_locked_column_is_explained_and_the_exit_code_says_so(published):
    published.campus.lock_column(published.book.line_item("Averages"))
    published.grade(amy(published), "columns", "Averages", 20)

    answer = published.command("sync")

    assert answer.returncode == 1
    assert "locked" in answer.stdout


def test_the_status_names_learner_column_and_three_times(published):
    [cell] = [c for c in published.json("status")["cells"] if c["column"]["label"] == "Averages"]

    assert cell["platform"] == "campus" and cell["context"] == published.school.context.id
    assert cell["member"] == {"sub": amy(published).id, "name": amy(published).name}
    assert cell["state"] == "delivered" and cell["reason"] is None
    assert cell["delivered"] == {"given": 80, "maximum": 100}
    assert all(cell["times"][name].endswith("Z") for name in ("coursera", "read", "accepted"))


def test_a_learner_who_left_is_held_and_comes_back_with_the_grade(published):
    learners, context = published.school.learners, published.school.context
    ben = learners[1]
    published.campus.faults.add("scores", status=503, times=None)
    published.grade(ben, "columns", "Averages", 44)
    published.sync()
    published.campus.faults.clear()
    published.campus.unenrol(context, ben)
    published.grade(amy(published), "columns", "Averages", 81)

    published.sync()
    held = [c for c in published.cells() if c["member"]["sub"] == ben.id]
    assert {(c["state"], c["reason"]) for c in held} == {("held", "not_enrolled")}

    published.campus.enrol(context, ben, "learner")
    published.grade(amy(published), "columns", "Averages", 82)
    published.sync()
    assert published.book["Averages", ben] == 44


def test_trouble_with_one_course_does_not_stop_the_others(world):
    amy = world.school.learners[0]
    for course in ("final", "linked"):
        [activity] = world.publish(course, "final_grade")
        world.meet(activity)
    world.grade(amy, "final", "Loops quiz", 50)
    world.grade(amy, "linked", "Portfolio", 50)
    first = world.school.courses["final"].id
    with world.app.app_context(), db.engine.begin() as connection:
        databases.forbid(connection, "program_course", "polled_at", "course_id", first)

    outcome = world.sync()

    assert outcome.problems[:1] == [f"Coursera course {first}: unexpected: IntegrityError"]
    assert not outcome.ok
    assert world.book["Charts That Speak", amy] == 20
