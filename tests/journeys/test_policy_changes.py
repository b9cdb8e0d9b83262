"""Every policy through time: down and up, a new maximum, completion, and a switch in the file."""

from datetime import timedelta

import pytest

from passport_lti.extensions import db
from passport_lti.scheduler import Clock, ConfigWatch

ITEM = "Averages"


@pytest.fixture
def published(world):
    """Option B for Amy, who has 80 in one item and nothing else."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", ITEM, 80)
    return world


def amy(world):
    return world.school.learners[0]


def graded(world, percent, item=ITEM):
    """A grade at Coursera, and what the gradebook and the sync make of it."""
    world.grade(amy(world), "columns", item, percent)
    outcome = world.sync()
    assert outcome.ok, outcome.problems
    assert world.sync().summary["http_requests"]["platform"] == 0
    return world.book[item, amy(world)]


def final(world):
    return world.book[world.school.courses["columns"].name, amy(world)]


@pytest.mark.parametrize("in_progress", [True, False])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [("follow", [80, 30, 50, 95, 0]), ("best", [80, 80, 80, 95, 95])],
)
def test_down_and_up_again(published, policy, in_progress, expected):
    published.configure(
        lambda found: found["sync"].update(grade_policy=policy, in_progress=in_progress)
    )

    seen = [graded(published, percent) for percent in (80, 30, 50, 95, 0)]

    assert seen == expected
    # A quarter of the course: the grade in progress goes with the item, or is not shown at all.
    assert final(published) == (pytest.approx(expected[-1] / 4) if in_progress else None)


@pytest.mark.parametrize(("policy", "after"), [("follow", 60), ("best", 80)])
def test_a_grade_removed_at_coursera_stays_and_is_compared_when_it_comes_back(
    published, policy, after
):
    published.configure(lambda found: found["sync"].update(grade_policy=policy))
    assert graded(published, 80) == 80
    published.campus.ledger.clear()

    assert graded(published, None) == 80
    assert all(score.given is not None for score in published.campus.ledger.scores)
    assert graded(published, 60) == after


@pytest.mark.parametrize(("policy", "lower", "higher"), [("follow", 30, 45), ("best", 40, 45)])
def test_a_new_maximum_compares_shares_and_not_points(world, policy, lower, higher):
    course = world.school.courses["columns"]
    world.configure(lambda found: found["sync"].update(grade_policy=policy))
    [activity] = world.publish("columns", "granular_auto_columns", points="weight")
    world.meet(activity)
    assert graded(world, 80) == 20  # of 25
    # From 25 to 50 points: 30 would be more points, and is a smaller share.
    world.coursera.set_weight(course, "Chance", 0)
    world.coursera.set_weight(course, ITEM, 50)

    assert graded(world, 60) == lower
    assert graded(world, 90) == higher
    assert world.book.line_item(ITEM).maximum == 50


@pytest.mark.parametrize("policy", ["follow", "best"])
def test_completion_brings_the_course_grade_that_was_kept_back(published, policy):
    published.configure(lambda found: found["sync"].update(grade_policy=policy, in_progress=False))
    seen = [graded(published, 90)]
    before = final(published)
    for item in ("Chance", "Case study"):
        seen.append(graded(published, 90, item))

    assert before is None and seen == [90, 90, 90] and final(published) == 90


def test_a_course_grade_in_progress_stands_still_once_that_is_switched_off(published):
    assert graded(published, 80) == 80 and final(published) == 20
    published.configure(lambda found: found["sync"].update(in_progress=False))

    assert graded(published, 100) == 100 and final(published) == 20
    published.configure(lambda found: found["sync"].update(in_progress=True))
    published.sync()
    assert final(published) == 25


def test_policies_that_are_switched_in_the_file_of_a_running_server(published):
    path = published.configure(lambda found: found["sync"].update(grade_policy="follow"))
    watch, clock = ConfigWatch(published.app), Clock(published.app)

    def edited(old, new):
        """The file is edited, the server notices, and Coursera is asked at the next poll."""
        path.write_text(path.read_text().replace(old, new))
        watch.look()
        with published.app.app_context():
            clock._poll()
            clock._deliver()
            db.session.remove()
        return published.book[ITEM, amy(published)]

    def at_coursera(percent):
        published.grade(amy(published), "columns", ITEM, percent)
        published.sync()
        return published.book[ITEM, amy(published)]

    assert [at_coursera(80), at_coursera(30)] == [80, 30]
    assert edited("grade_policy: follow", "grade_policy: best") == 30  # never back to what was
    assert [at_coursera(70), at_coursera(10)] == [70, 70]
    published.services.clock = _hours_later(published)
    assert edited("grade_policy: best", "grade_policy: follow") == 10
    assert edited("grade_policy: follow", "grade_policy: nonsense") == 10
    assert published.services.config.sync.grade_policy == "follow"


def _hours_later(world):
    clock = world.services.clock
    return lambda: clock() + timedelta(hours=2)


@pytest.mark.parametrize("policy", ["follow", "best"])
def test_a_member_whom_coursera_deleted_keeps_the_grade_and_holds_up_nobody(published, policy):
    ben = published.school.learners[1]
    published.configure(lambda found: found["sync"].update(grade_policy=policy))
    assert graded(published, 80) == 80
    published.coursera.remove_person(published.school.accounts[amy(published).id])
    published.grade(ben, "columns", ITEM, 66)

    assert published.sync().ok
    assert published.book[ITEM, amy(published)] == 80 and published.book[ITEM, ben] == 66
    assert not any(cell["state"] != "delivered" for cell in published.cells())


def test_a_learner_in_two_programs_gets_each_grade_by_its_own_program(published):
    school, course = published.school, published.school.courses["columns"]
    assert graded(published, 80) == 80
    second = published.coursera.add_program("Summer School")
    published.coursera.share_course(course, second)
    account = school.accounts[amy(published).id]
    published.coursera.grade(account, course, ITEM, 35, program=second)

    assert published.sync().ok and published.book[ITEM, amy(published)] == 80
    context = published.campus.add_context("SUMMER", "Summer")
    published.campus.enrol(context, school.teacher, "instructor")
    published.campus.enrol(context, amy(published), "learner")
    published.school.program, published.school.context = second, context
    [activity] = published.publish("columns", "granular_auto_columns")
    published.meet(activity)
    assert published.sync().ok and published.book[ITEM, amy(published)] == 35
