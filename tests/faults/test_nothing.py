"""Without a fault: the yardstick itself, and that it sees what it is there to see."""

import logging

import pytest

from faults.invariants import Watch


def test_without_a_fault_all_is_well(world):
    for learner in world.school.learners:
        world.grade(learner, "columns", "Chance", 50)

    assert world.sync().ok


def test_two_platforms_without_a_fault(world, other):
    world.grade(world.school.learners[0], "columns", "Averages", 44)

    assert world.sync().ok
    assert other.campus.gradebook(other.context)["Averages", other.learners[0]] == 44


def lose(world):
    world.book.line_item("Averages").grades.clear()


def double(world):
    item = world.book.line_item("Averages")
    world.campus.add_line_item(
        item.context, item.tool, "Averages", 100.0, resource_id=item.resource_id
    )


def again(world):
    world.campus.ledger.scores.append(world.campus.ledger.scores[-1])


def older(world):
    amy = world.school.learners[0]
    first = world.campus.ledger.scores[-1]
    world.grade(amy, "columns", "Averages", 90)
    world.sync()
    world.campus.ledger.scores.append(first)


def stray(world):
    last = world.campus.ledger.scores[-1]
    world.campus.ledger.scores.append(last._replace(user_id=world.school.learners[1].id))


def overwrite(world):
    amy = world.school.learners[0]
    for item in world.book.line_items:
        world.campus.override(item, amy, 1)
    again(world)


def insist(world):
    posted = world.campus.ledger.posted
    posted += [posted[-1]._replace(status=500)] * 99


def chatter(world):
    logging.getLogger("passport_lti").warning("hello %s", world.school.learners[0].email)


@pytest.mark.parametrize(
    "number, harm",
    [("I1", lose), ("I3", double), ("I6", again), ("I2", older), ("I4", stray), ("I7", overwrite),
     ("I6", insist), ("I9", chatter)],
)  # fmt: skip
def test_the_yardstick_sees(world, number, harm):
    assert world.watch.violations(world.cells(), world.people()) == []
    harm(world)
    found = world.watch.violations(world.cells(), world.people())
    world.watch.__class__ = Blind

    assert number in {line[:2] for line in found}


class Blind(Watch):
    """Harm was done on purpose: the fixture need not look again."""

    def violations(self, cells, people):
        return []
