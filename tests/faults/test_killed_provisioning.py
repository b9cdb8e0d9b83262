"""A process that dies while it gives a learner a place at Coursera: nothing is lost or doubled."""

import pytest

from faults.dying import Point, dying_at
from faults.weather import Weather
from passport_lti.extensions import db
from passport_lti.sync.seats import work
from seats import launch, newcomer, rows, settle

WORK = "passport_lti.sync.seats.work"
POINTS = [
    Point(WORK, "_claim", 1, "after"),
    Point(WORK, "_call", 1, "before"),
    Point(WORK, "_call", 1, "after"),
    Point(WORK, "_record", 1, "after"),
    Point(WORK, "_call", 2, "before"),
    Point(WORK, "_call", 2, "after"),
    Point(WORK, "_pause", 1, "before"),
]


def drained(world: Weather) -> None:
    with world.app.app_context():
        try:
            work.drain(world.services)
        finally:
            db.session.remove()


@pytest.mark.parametrize("place", POINTS, ids=lambda p: f"{p.moment}{p.name}{p.calls}")
def test_a_process_that_dies_between_two_steps_is_made_good(world: Weather, place: Point) -> None:
    settle(world, provisioning="enroll")
    [activity] = world.school.context.activities
    nora = newcomer(world)
    world.coursera.faults.add("memberships", status=503)
    launch(world, nora, activity)
    if place.name == "_pause":
        world.coursera.faults.add("memberships", status=503)
    world.later(minutes=1)
    with dying_at(world, place) as dead:
        drained(world)
    assert dead.is_set()
    assert {state for _, state, _ in rows(world, nora)} >= {"due"}
    drained(world)
    before = rows(world, nora)
    world.later(minutes=30)
    drained(world)

    assert [(step, state) for step, state, _ in rows(world, nora)] == [
        ("join", "done"), ("enroll", "done"),
    ]  # fmt: skip
    assert before != rows(world, nora), "what a dead process has claimed is left to its lease"
    there = [p for p in world.coursera.people.values() if p.email == nora.email]
    assert len(there) == 1 and world.coursera.is_member(there[0], world.school.program)
    changes = [e.status for e in world.coursera.ledger if e.kind in ("memberships", "enrolments")]
    assert changes.count(200) == 2
