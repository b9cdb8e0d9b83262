"""F35 to F41: what teachers, copies and lost answers do to columns."""

import pytest

from passport_lti.extensions import db
from passport_lti.models import Activity
from passport_lti.strategies import STRATEGIES


def graded(world, percent=90, item="Averages", number=0):
    learner = world.school.learners[number]
    world.grade(learner, "columns", item, percent)
    return learner


def test_f35_a_name_that_a_teacher_gave_stays(world):
    world.campus.rename_column(world.book.line_item("Averages"), "Week 1")
    world.coursera.rename_item(world.school.courses["columns"], "Averages", "Means")
    amy = graded(world, 12, "Means")

    assert world.sync().ok
    assert "Week 1" in world.book.columns and "Means" not in world.book.columns
    assert world.book["Week 1", amy] == 12


@pytest.mark.parametrize("label", ["Averages", "Everyday Statistics"])
@pytest.mark.parametrize("maximum", [10, 50, 200])
def test_f36_a_column_that_a_teacher_resized_is_filled_by_its_size(world, label, maximum):
    column = world.book.line_item(label)
    world.campus.set_maximum(column, maximum)
    amy = graded(world)

    assert world.sync().ok
    expected = (90 if label == "Averages" else 22.5) * maximum / 100
    assert column.maximum == maximum
    assert world.book[column, amy] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("whole", [True, False], ids=["column", "grade"])
def test_f36_what_a_teacher_locked_is_explained_and_sent_once_it_is_open(world, whole):
    column = world.book.line_item("Averages")
    amy, ben = graded(world), graded(world, 70, "Chance", 1)
    for locked in (True, False):
        if whole:
            world.campus.lock_column(column, locked)
        else:
            world.campus.lock_grade(column, amy, locked)
        if locked:
            assert not world.sync().ok
            assert world.cell("Averages", amy) == ("rejected", "locked")
            assert world.book["Averages", amy] == 80 and world.book["Chance", ben] == 70
    world.later(minutes=15)
    world.deliver()

    assert world.book["Averages", amy] == 90


def test_f36_an_activity_that_is_being_deleted_ends_as_a_deleted_column(world):
    [activity] = world.campus.activities(world.school.context)
    amy = graded(world)
    world.campus.delete_activity(activity, queued=True)
    assert not world.sync().ok
    dying = world.cell("Everyday Statistics", amy)
    world.campus.run_cron()
    world.later(hours=1)
    world.deliver()

    assert dying == ("rejected", "locked")
    assert world.cell("Everyday Statistics", amy) == ("held", "column_gone")
    assert world.book["Averages", amy] == 90


def test_f37_of_columns_that_stand_twice_already_the_oldest_is_filled(bare):
    [activity] = bare.publish("columns", "granular_auto_columns", include_final="1")
    item = bare.school.courses["columns"].item("Averages")
    resource_id = f"coursera:{bare.school.courses['columns'].id}:{item.id}"
    old, double = (
        bare.campus.add_line_item(
            bare.school.context, bare.tool, "Averages", 100.0, resource_id=resource_id,
            tag="granular_auto_columns",
        )
        for _ in range(2)
    )  # fmt: skip
    bare.watch.doubles.add(resource_id)
    bare.meet(activity)
    amy = graded(bare)

    assert bare.sync().ok
    assert bare.book[old, amy] == 90 and bare.book[double, amy] is None
    assert bare.book.columns.count("Averages") == 2
    assert any("stands twice" in line for line in bare.watch.lines)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_f38_all_pages_of_the_columns_are_read_before_any_is_made(world, size):
    world.campus.column_page = size
    world.coursera.add_item(world.school.courses["columns"], "Bonus", weight=10)
    amy = graded(world, 50, "Bonus")

    assert world.sync().ok
    assert world.book.columns[1:] == ["Averages", "Chance", "Case study", "Bonus"]
    assert world.book["Bonus", amy] == 50


@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "after", "status": 500}, {"drop": "after", "status": 502},
     {"status": 500}, {"status": 502}, {"status": 503}, {"drop": "before"},
     {"status": 200, "body": "<title>Log in</title>"}, {"status": 201, "body": "{}"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("times", [1, 3])
def test_f39_a_lost_answer_makes_no_second_column(bare, fault, times):
    [activity] = bare.publish("columns", "granular_auto_columns", include_final="1")
    bare.meet(activity)
    amy = graded(bare)
    bare.campus.faults.add("lineitems", match="POST", times=times, **fault)
    for _ in range(4):
        bare.sync()
        bare.later(hours=1)

    assert sorted(bare.book.columns[1:]) == ["Averages", "Case study", "Chance"]
    assert bare.book["Averages", amy] == 90


def test_f39_a_rename_whose_answer_is_lost_is_made_once(world):
    item = world.book.line_item("Averages")
    world.coursera.rename_item(world.school.courses["columns"], "Averages", "Means")
    world.campus.faults.add("lineitem", match="PUT", times=1, drop="after")
    for _ in range(2):
        world.sync()
        world.later(hours=1)

    assert world.book.line_item("Means") is item


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_f41_a_copied_course_has_columns_of_its_own(bare, strategy):
    course = bare.school.courses["columns"]
    items = {"item": [course.item("Averages").id]} if strategy == "granular_deep_linked" else {}
    [activity] = bare.publish("columns", strategy, **items)
    bare.meet(activity)
    amy = graded(bare)
    ben = graded(bare, 55, number=1)
    assert bare.sync().ok
    copy = bare.campus.copy_context(bare.school.context, "DATA102", "Next year")
    bare.campus.enrol(copy, ben, "learner")
    [twin] = bare.campus.activities(copy)
    bare.campus.browser(ben).launch(twin)
    assert bare.sync().ok
    graded(bare, 91)
    graded(bare, 56, number=1)

    assert bare.sync().ok
    book = bare.campus.gradebook(copy)
    assert sorted(book.columns) == sorted(bare.book.columns)
    for column, mirror in zip(bare.book.line_items, book.line_items, strict=True):
        assert mirror.grades.get(amy.id) is None
        assert book[mirror, ben] == bare.book[column, ben]


@pytest.fixture
def with_news(world):
    """The course of the columns has a row that nobody here belongs to.

    So with every poll of that course the roster is read, and then what stands in the gradebook.
    """
    ben = world.school.learners[1]
    world.campus.suspend(world.school.context, ben, active=False)
    world.grade(ben, "columns", "Averages", 77)
    world.later(hours=30)
    return world


def test_a_column_that_another_course_was_listed_with_is_bound(with_news):
    world, item = with_news, with_news.school.courses["linked"].items[0]
    amy = world.school.learners[0]
    world.publish("linked", "granular_deep_linked", item=[item.id])
    world.later(hours=2)
    for percent in (8, 9):
        world.grade(amy, "linked", item.name, percent)
        assert world.sync().ok
        world.later(hours=2)

    assert world.book[item.name, amy] == 9


def test_a_late_column_that_another_course_was_listed_with_is_filled(with_news):
    """It comes after its learners' grades, and before another one of its course."""
    world, context = with_news, with_news.school.context
    item, other = world.school.courses["linked"].items[:2]
    amy = world.school.learners[0]
    activities = world.publish("linked", "granular_deep_linked", item=[item.id, other.id])
    late = [column for column in context.line_items if column.activity in activities]
    for column in late:
        world.campus.delete_column(column)
    world.meet(activities[0])
    world.meet(activities[1])
    world.grade(amy, "linked", item.name, 8)
    assert world.sync().summary["changed"] == 0
    world.later(hours=2)
    context.line_items.append(late[0])
    world.campus.line_items[late[0].id] = late[0]
    for _ in range(3):
        world.sync()
        world.later(hours=2)

    assert world.book[item.name, amy] == 8


def problem(world):
    with world.app.app_context():
        return db.session.scalars(db.select(Activity.problem)).one()


def requests_of_a_sync(world):
    before = len(world.campus.ledger.requests)
    world.sync()
    return [entry.kind for entry in world.campus.ledger.requests[before:]]


def told_half_an_hour_ago(world, status):
    """What the activity says after a look at the columns that got this answer."""
    world.later(hours=2)
    graded(world)
    world.campus.faults.add("lineitems", status=status, times=None)
    world.sync()
    told = problem(world)
    world.later(minutes=30)
    return told


def test_a_look_that_failed_is_not_told_of_for_longer_than_it_is_so(world):
    told = told_half_an_hour_ago(world, 503)
    world.campus.faults.clear()
    world.sync()

    assert (told, problem(world)) == ("platform_down", None)


def test_a_look_that_is_refused_for_good_is_not_repeated_without_news(world):
    told = told_half_an_hour_ago(world, 403)

    assert told is not None and requests_of_a_sync(world) == []


def test_columns_shared_with_an_activity_that_was_never_made_are_made_in_the_end(bare):
    """They are the older one's wish until it is given up; then they are the other one's."""
    world = bare
    [never] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.campus.delete_activity(never)
    [made] = world.publish("columns", "granular_auto_columns")
    world.meet(made)
    amy = graded(world)
    for days in (1, 8, 1):
        world.sync()
        world.later(days=days)

    assert world.sync().ok and world.book["Averages", amy] == 90
