"""The first sync of a large course, in a process of its own whose memory is measured."""

import pytest

import measuring

LEARNERS, ITEMS = 1000, 30


def test_the_first_sync_of_1000_learners_and_30_items_is_complete_and_small(world):
    course = world.coursera.add_course(
        world.school.program, "Big", [(f"Item {n}", "EXAM", 1) for n in range(ITEMS)]
    )
    world.school.courses["big"] = course
    accounts = world.coursera.fill(course, learners=LEARNERS, seed=7)
    people = []
    for account in accounts:
        given, _, family = account.name.partition(" ")
        person = world.campus.add_person(given, family or "L", email=account.email)
        world.campus.enrol(world.school.context, person, "learner")
        people.append((person, account))
    [activity] = world.publish("big", "granular_auto_columns", include_final="1")
    world.campus.browser(world.school.learners[0]).launch(activity)

    peak = measuring.peak(world, "sync")

    assert peak < 300, f"{peak} MiB resident"
    wrong = [
        (person.id, item.name)
        for person, account in people
        for item in course.items
        if world.book[item.name, person] != reported(world, account, course, item)
    ]
    assert wrong == []


def reported(world, account, course, item):
    """What Coursera holds, in points of 100."""
    [enrollment] = world.coursera.enrollments(course=course, person=account)
    fraction = enrollment.standing.grades.get(item.id)
    return None if fraction is None else pytest.approx(fraction * 100, abs=1e-4)
