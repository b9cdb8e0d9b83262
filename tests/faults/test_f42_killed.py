"""F42: a sync that is killed at any step; the next one finishes its work.

Each named point is a function of the product. A process of its own runs the sync and is killed
(SIGKILL, nothing is cleaned up) right before or right after a call of that function.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from passport_lti.cli.demo import CONFIG
from passport_lti.sync.services import utc_now
from worlds import World, opened

KILLED = """
import functools, importlib, itertools, os, signal, sys

path, name, moment, calls = sys.argv.pop(1).split(":")
place = importlib.import_module(path)
original, numbers = getattr(place, name), itertools.count(1)

@functools.wraps(original)
def dying(*args, **kwargs):
    last = next(numbers) == int(calls)  # of one call, whatever other threads do
    if last and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = original(*args, **kwargs)
    if last and moment == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

setattr(place, name, dying)
from passport_lti.cli import main
main()
"""
"""`passport-lti` that dies at a point `module:function:before|after:number of the call`."""

POLLING = (
    # the report is read, the course is stored
    ("passport_lti.sync.poll.courses", "poll_course", 1),
    ("passport_lti.sync.poll.courses", "sweep", 1),
    ("passport_lti.sync.poll.course", "items_now", 1),
    ("passport_lti.sync.poll.course", "_remember", 1),
    # who is there, which columns stand, which cells are wanted
    ("passport_lti.sync.leases", "take", 1),
    ("passport_lti.lti.nrps", "members", 1),
    ("passport_lti.sync.people.roster", "refresh", 1),
    ("passport_lti.lti.ags", "line_items", 1),
    ("passport_lti.sync.columns.adoption", "adopt", 1),
    ("passport_lti.sync.columns.adoption", "bind", 1),
    ("passport_lti.lti.ags", "create", 1),
    ("passport_lti.lti.ags", "create", 3),
    ("passport_lti.sync.columns.making", "make", 1),
    ("passport_lti.sync.columns.making", "make", 3),
    ("passport_lti.sync.columns.upkeep", "ensure", 1),
    ("passport_lti.sync.people.found", "store", 1),
    ("passport_lti.sync.outbox", "enqueue", 1),
)
DELIVERY = (
    # claimed, looked at, noted, sent, recorded, given back
    ("passport_lti.sync.delivery.claims", "claim", 1),
    ("passport_lti.lti.ags", "results", 1),
    ("passport_lti.sync.delivery.recording", "attempt", 1),
    ("passport_lti.lti.ags", "send_score", 1),
    ("passport_lti.lti.ags", "send_score", 9),
    ("passport_lti.sync.delivery.recording", "delivered", 1),
    ("passport_lti.sync.delivery.recording", "delivered", 3),
    ("passport_lti.sync.delivery.claims", "give_back", 1),
)
AROUND = (
    # the run begins and ends, tokens come in between
    ("passport_lti.sync.engine", "_begin", 1),
    ("passport_lti.lti.tokens", "store", 1),
    ("passport_lti.lti.tokens", "store", 2),
    ("passport_lti.sync.engine", "_finish", 1),
)
POINTS = (*POLLING, *DELIVERY, *AROUND)


@pytest.fixture
def plain() -> Iterator[World]:
    with opened() as world:
        yield world


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("module, name, calls", POINTS, ids=lambda part: str(part).split(".")[-1])
def test_f42_killed_at_a_step_the_next_sync_finishes(plain, module, name, calls, moment):
    world = plain
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    items = ("Averages", "Chance", "Case study")
    for number, learner in enumerate(world.school.learners):
        for item in items:
            world.grade(learner, "columns", item, 50 + number)

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, f"{module}:{name}:{moment}:{calls}",
         "--config", str(CONFIG), "sync"],
        env={**os.environ, **world.environ}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert killed.returncode == -9, f"the point was not visited: {killed.stdout}{killed.stderr}"
    # What the dead process had claimed is free after its leases.
    world.services.clock = lambda: utc_now() + timedelta(minutes=2)
    outcome = world.sync()

    assert outcome.ok, outcome.problems
    assert world.book.columns == [world.school.courses["columns"].name, *items]
    assert {cell["state"] for cell in world.cells()} == {"delivered"}
    for number, learner in enumerate(world.school.learners):
        assert [world.book[item, learner] for item in items] == [50 + number] * 3
    sent = Counter((s.line_item_id, s.user_id) for s in world.campus.ledger.scores)
    assert len(sent) == 20 and set(sent.values()) == {1}
