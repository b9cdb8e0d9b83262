"""What the settings decide: which grades are wanted, and whose word counts in the gradebook."""

from worlds import setting


def test_best_never_goes_down(published):
    amy = published.school.learners[0]
    setting(published, grade_policy="best")
    published.grade(amy, "columns", "Averages", 30)
    down = published.sync()
    published.grade(amy, "columns", "Averages", 95)
    published.sync()

    assert down.summary["sent"] == 0
    assert published.book["Averages", amy] == 95


def test_work_in_progress_is_kept_back_where_it_is_not_wanted(world):
    setting(world, in_progress=False)
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    amy, name = world.school.learners[0], world.school.courses["columns"].name
    world.grade(amy, "columns", "Averages", 80)
    world.sync()
    before = world.book[name, amy]
    for item in ("Averages", "Chance", "Case study"):
        world.grade(amy, "columns", item, 100)
    world.sync()

    assert before is None and world.book["Averages", amy] == 100
    assert world.book[name, amy] == 100
    assert {s.body["activityProgress"] for s in world.campus.ledger.scores} == {"Completed"}


def test_overwrite_replaces_what_a_teacher_wrote(published):
    amy = published.school.learners[0]
    setting(published, overrides="overwrite")
    published.campus.override(published.book.line_item("Averages"), amy, 11)
    published.grade(amy, "columns", "Averages", 85)

    assert published.sync().ok and published.book["Averages", amy] == 85


def test_a_grade_typed_before_the_first_score_is_a_teachers(published):
    ben = published.school.learners[1]
    published.campus.override(published.book.line_item("Averages"), ben, 11)
    published.grade(ben, "columns", "Averages", 85)

    assert published.sync().ok
    assert published.book["Averages", ben] == 11
    [held] = [c for c in published.cells() if c["state"] == "held"]
    assert held["reason"] == "overridden" and held["member"]["sub"] == ben.id
    published.campus.ledger.clear()
    assert published.sync().summary["http_requests"]["platform"] == 0


def test_what_disappears_at_coursera_never_empties_a_cell(published):
    amy = published.school.learners[0]
    published.grade(amy, "columns", "Averages", None)
    published.sync()
    published.coursera.remove_person(published.school.accounts[amy.id])

    assert published.sync().ok
    assert published.book["Averages", amy] == 80


def test_a_locked_grade_is_the_only_one_that_does_not_arrive(published):
    amy, ben = published.school.learners[:2]
    published.campus.lock_grade(published.book.line_item("Averages"), amy)
    published.grade(amy, "columns", "Averages", 85)
    published.grade(ben, "columns", "Averages", 86)

    outcome = published.sync()

    assert not outcome.ok and outcome.summary["rejected"] == 1
    assert published.book["Averages", ben] == 86
    [locked] = [c for c in published.cells() if c["state"] == "rejected"]
    assert locked["reason"] == "locked"
