"""What years do to columns: names, weights, order, items that come and go, other programs."""

import pytest

from passport_lti.sandbox.coursera.state import Item


def quiet(world):
    """Nothing is left to do: a sync asks the platform nothing."""
    return world.sync().summary["http_requests"]["platform"] == 0


def insert(world, name, place, weight=0.0):
    """A new item at the beginning of a course's module number `place`."""
    course = world.school.courses["columns"]
    item = Item(world.coursera.ids.short(), name, "EXAM", weight)
    course.modules[place].lessons[-1].items.insert(0, item)
    world.coursera._arrange(course)
    return item


def order(world):
    """Labels of the item columns as `status` lists them."""
    rows = [c["column"]["label"] for c in world.cells() if c["member"]["sub"] == amy(world).id]
    return [label for label in rows if label != world.school.courses["columns"].name]


def amy(world):
    return world.school.learners[0]


def test_an_item_inserted_in_the_middle_takes_its_place_in_status(published):
    insert(published, "Warm-up", 1)
    for name in ("Warm-up", "Chance", "Case study"):
        published.grade(amy(published), "columns", name, 50)

    assert published.sync().ok

    assert order(published) == ["Averages", "Warm-up", "Chance", "Case study"]
    assert published.book.columns.count("Warm-up") == 1 and quiet(published)


def test_items_that_change_places_are_listed_in_the_new_order_without_a_call(published):
    course = published.school.courses["columns"]
    for name in ("Chance", "Case study"):
        published.grade(amy(published), "columns", name, 50)
    assert published.sync().ok
    course.modules.reverse()
    published.coursera._arrange(course)
    published.campus.ledger.clear()

    assert published.sync().ok

    assert order(published) == ["Case study", "Chance", "Averages"]
    assert published.campus.ledger.count("lineitems") == 0


def test_coursera_renames_and_a_teachers_own_name_stays(published):
    course = published.school.courses["columns"]
    published.campus.rename_column(published.book.line_item("Chance"), "Quiz of week 2")
    for old in ("Averages", "Chance"):
        published.coursera.rename_item(course, old, f"{old} (new)")

    assert published.sync().ok
    assert sorted(published.book.columns) == [
        "Averages (new)", "Case study", "Everyday Statistics", "Quiz of week 2",
    ]  # fmt: skip

    published.coursera.rename_item(course, "Chance (new)", "Chance again")
    assert published.sync().ok
    assert "Quiz of week 2" in published.book.columns and quiet(published)


def test_two_items_with_one_name_have_a_column_each(published):
    twin = insert(published, "Averages", 2)
    published.grade(amy(published), "columns", twin.id, 30)

    assert published.sync().ok

    course = published.school.courses["columns"]
    assert published.book.columns.count("Averages") == 2
    assert published.book[f"coursera:{course.id}:{twin.id}", amy(published)] is not None
    values = {i.resource_id: published.book[i, amy(published)] for i in published.book.line_items}
    assert values[f"coursera:{course.id}:{twin.id}"] == 30
    assert quiet(published)


def test_an_item_without_a_name_has_a_column_named_after_its_id(published):
    nameless = insert(published, "", 2)
    published.grade(amy(published), "columns", nameless.id, 30)

    assert published.sync().ok
    assert published.book[nameless.id, amy(published)] == 30 and quiet(published)


def test_a_new_version_has_new_columns_and_the_old_keep_their_grades(published):
    old = published.book.line_item("Averages")
    published.coursera.new_version(published.school.courses["columns"])
    published.grade(amy(published), "columns", "Averages", 66)

    assert published.sync().ok

    values = [published.book[item, amy(published)] for item in published.book.line_items]
    assert published.book.columns.count("Averages") == 2 and {80, 66} <= set(values)
    assert published.book[old, amy(published)] == 80 and quiet(published)


def test_weights_that_become_known_later_resize_columns_and_send_nothing_again(world):
    course = world.school.courses["columns"]
    weights = {item.name: item.weight for item in course.items}
    for name in weights:
        world.coursera.set_weight(course, name, 0)
    [activity] = world.publish("columns", "granular_auto_columns", points="weight")
    world.meet(activity)
    world.grade(amy(world), "columns", "Averages", 80)
    assert world.sync().ok
    sent = len(world.campus.ledger.scores)
    for name, weight in weights.items():
        world.coursera.set_weight(course, name, weight)

    assert world.sync().ok

    assert world.book.line_item("Averages").maximum == 25
    assert world.book["Averages", amy(world)] == 20
    assert len(world.campus.ledger.scores) == sent
    assert quiet(world)


def test_a_regrade_to_what_the_points_looked_like_before_a_resize_is_sent(world):
    """80 of 100 became 20 of 25; 20 per cent is another grade, though Moodle's row says 20/100."""
    course = world.school.courses["columns"]
    world.coursera.set_weight(course, "Averages", 100)
    [activity] = world.publish("columns", "granular_auto_columns", points="weight")
    world.meet(activity)
    world.grade(amy(world), "columns", "Averages", 80)
    assert world.sync().ok
    world.coursera.set_weight(course, "Averages", 25)
    assert world.sync().ok
    world.grade(amy(world), "columns", "Averages", 20)

    assert world.sync().ok

    assert world.book["Averages", amy(world)] == 5


@pytest.mark.parametrize("strategy", ["final_grade", "granular_auto_columns"])
def test_one_course_in_two_programs_shares_its_columns_in_peace(published, strategy):
    """The other program's activity wants fewer columns; that is no reason to retire one."""
    course, other = published.school.courses["columns"], published.coursera.add_program("Evening")
    published.coursera.share_course(course, other)
    published.grade(amy(published), "columns", "Averages", 81)
    published.publish(
        "columns", strategy, program=other.id, item=course.item("Chance").id, points="weight"
    )

    assert published.sync().ok
    assert published.book["Averages", amy(published)] == 81
    assert published.book.line_item("Chance").maximum == 100
    published.sync()
    published.grade(amy(published), "columns", "Averages", 82)
    published.campus.ledger.clear()
    assert published.sync().ok

    assert published.book["Averages", amy(published)] == 82
    assert published.campus.ledger.count("lineitems") == 0
    assert quiet(published)


def test_one_column_that_the_platform_fails_on_does_not_keep_the_others_away(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for name in ("Averages", "Case study"):
        world.grade(amy(world), "columns", name, 50)
    world.campus.faults.add(
        "*", status=502, times=2, match=lambda how, _, body: how == "POST" and b"Averages" in body
    )

    world.sync()

    assert "Case study" in world.book.columns and "Chance" in world.book.columns
    assert world.book["Case study", amy(world)] == 50
    world.sync()
    assert world.book["Averages", amy(world)] == 50
