"""Each option from the instructor's choice to grades in the gradebook."""

import pytest

AMY, BEN, CHLOE, DAN, EVE = range(5)


def items(world, course, *names):
    return [item.id for item in world.school.courses[course].items if item.name in names]


def test_final_grade_has_one_column_with_the_course_grade(world):
    [activity] = world.publish("final", "final_grade")
    amy = world.school.learners[AMY]
    world.campus.browser(amy).launch(activity)
    for item, percent in (("Variables quiz", 90), ("Loops quiz", 80), ("Final project", 70)):
        world.grade(amy, "final", item, percent)

    outcome = world.sync()

    assert outcome.ok and outcome.summary["sent"] == 1
    assert world.book.columns == ["Python Basics"]
    assert world.book["Python Basics", amy] == pytest.approx(0.3 * 90 + 0.3 * 80 + 0.4 * 70)


def test_option_a_has_an_activity_and_a_column_for_each_chosen_item(world):
    chosen = items(world, "linked", "Reading charts", "Portfolio")
    made = world.publish("linked", "granular_deep_linked", item=chosen)
    world.meet(made[0])
    ben = world.school.learners[BEN]
    for item, percent in (("Reading charts", 75), ("Colour and form", 50), ("Portfolio", 65.5)):
        world.grade(ben, "linked", item, percent)

    world.sync()

    assert [activity.title for activity in made] == ["Reading charts", "Portfolio"]
    assert world.book.columns == ["Reading charts", "Portfolio"]
    assert world.book["Reading charts", ben] == 75
    assert world.book["Portfolio", ben] == 65.5


def test_option_a_with_the_course_grade_adds_one_more_link(world):
    chosen = items(world, "linked", "Portfolio")
    made = world.publish("linked", "granular_deep_linked", item=chosen, include_final="1")
    world.meet(made[0])
    amy = world.school.learners[AMY]
    world.grade(amy, "linked", "Portfolio", 100)

    world.sync()

    assert [activity.title for activity in made] == ["Portfolio", "Charts That Speak"]
    assert world.book["Charts That Speak", amy] == 40


def test_option_b_makes_a_column_for_each_item_and_fills_its_own(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    chloe = world.school.learners[CHLOE]
    world.grade(chloe, "columns", "Averages", 90)
    world.grade(chloe, "columns", "Case study", 60)

    world.sync()

    assert activity.title == "Everyday Statistics"
    assert sorted(world.book.columns) == sorted(
        ["Everyday Statistics", "Averages", "Chance", "Case study"]
    )
    assert world.book["Averages", chloe] == 90
    assert world.book["Chance", chloe] is None
    assert world.book["Everyday Statistics", chloe] == pytest.approx(0.25 * 90 + 0.5 * 60)


def test_option_b_with_weights_makes_columns_that_add_up(world):
    [activity] = world.publish(
        "columns", "granular_auto_columns", include_final="1", points="weight"
    )
    world.meet(activity)
    amy = world.school.learners[AMY]
    world.grade(amy, "columns", "Averages", 80)

    world.sync()

    maxima = {item.label: item.maximum for item in world.book.line_items}
    assert maxima == {
        "Everyday Statistics": 100, "Averages": 25, "Chance": 25, "Case study": 50,
    }  # fmt: skip
    assert world.book["Averages", amy] == 20


def test_option_b_with_chosen_items_makes_only_their_columns(world):
    chosen = items(world, "columns", "Chance")
    world.publish("columns", "granular_auto_columns", item=chosen, include_final="1")
    world.grade(world.school.learners[AMY], "columns", "Chance", 10)

    world.sync()

    assert sorted(world.book.columns) == ["Chance", "Everyday Statistics"]


def test_grades_flow_for_members_who_never_launched(world):
    [activity] = world.publish("final", "final_grade")
    eve = world.school.learners[EVE]
    world.grade(eve, "final", "Variables quiz", 50)

    world.sync()
    assert world.book["Python Basics", eve] is None  # no roster claim in the first deep link

    world.campus.browser(world.school.learners[AMY]).launch(activity)
    world.sync()

    assert world.book["Python Basics", eve] == 15


def test_a_learner_lands_on_the_course_and_in_option_a_on_the_item(world):
    [final] = world.publish("final", "final_grade")
    [item] = world.publish(
        "linked", "granular_deep_linked", item=items(world, "linked", "Portfolio")
    )
    amy = world.campus.browser(world.school.learners[AMY])
    world.coursera.arrivals.clear()

    assert amy.launch(final).status == 200
    assert amy.launch(item).status == 200

    first, second = world.coursera.arrivals
    assert first.parameters["productId"] == world.school.courses["final"].id
    assert "itemId" not in first.parameters
    assert second.parameters["itemId"] == items(world, "linked", "Portfolio")[0]


def test_two_activities_of_one_course_share_the_columns_of_option_b(world):
    world.publish("columns", "granular_auto_columns", include_final="1")
    world.publish("columns", "granular_auto_columns", include_final="1")
    world.grade(world.school.learners[AMY], "columns", "Averages", 70)

    world.sync()

    assert world.book.columns.count("Averages") == 1
    assert world.book.columns.count("Everyday Statistics") == 2
