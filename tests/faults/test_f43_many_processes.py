"""F43: many processes on one PostgreSQL, and a scheduler that sleeps through its lease."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text

import databases
from faults.processes import ITEMS
from passport_lti.cli.demo import CONFIG
from passport_lti.extensions import db
from passport_lti.sync.delivery import claims
from worlds import World


@pytest.fixture
def shared(shared: World) -> World:
    """On a platform that takes its time, so that processes meet."""
    shared.campus.latency = 0.03
    return shared


@contextmanager
def running(world: World, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the tool, asked to end afterwards; it must have said nothing but its lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), *arguments],
        env={**os.environ, **world.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert "Traceback" not in said, said[-3000:]
    assert process.returncode == 0, said[-3000:]


def settled(world: World, wanted: dict[str, float], seconds: float = 90) -> bool:
    """Whether the gradebook shows these points for every learner, within a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        book, people = world.book, world.school.learners
        if set(wanted) <= set(book.columns) and all(
            book[item, learner] == points + number
            for item, points in wanted.items()
            for number, learner in enumerate(people)
        ):
            return True
        time.sleep(0.3)
    return False


def test_f43_two_schedulers_and_four_workers_double_nothing(shared):
    with ExitStack() as stack:
        for name in ("scheduler", "scheduler", "worker", "worker", "worker", "worker"):
            stack.enter_context(running(shared, name))
        first = settled(shared, dict.fromkeys(ITEMS, 50))
        for number, learner in enumerate(shared.school.learners):
            shared.grade(learner, "columns", "Averages", 70 + number)
        second = settled(shared, {"Averages": 70, "Chance": 50, "Case study": 50})

    assert first and second
    name = shared.school.courses["columns"].name
    assert shared.book.columns == [name, *ITEMS]
    sent = Counter((s.line_item_id, s.user_id, s.given) for s in shared.campus.ledger.scores)
    assert set(sent.values()) == {1}


def test_f43_a_scheduler_that_slept_through_its_lease_doubles_nothing(shared):
    with ExitStack() as stack:
        sleeper = stack.enter_context(running(shared, "scheduler"))
        asked = len(shared.campus.ledger.requests)
        deadline = time.monotonic() + 60
        while len(shared.campus.ledger.requests) < asked + 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        sleeper.send_signal(signal.SIGSTOP)
        try:
            stack.enter_context(running(shared, "worker"))
            standing_by = stack.enter_context(running(shared, "scheduler"))
            done = settled(shared, dict.fromkeys(ITEMS, 50), seconds=120)
        finally:
            sleeper.send_signal(signal.SIGCONT)
        time.sleep(3)
        alive = (sleeper.poll(), standing_by.poll())

    assert done and alive == (None, None)
    assert shared.book.columns == [shared.school.courses["columns"].name, *ITEMS]
    sent = Counter((s.line_item_id, s.user_id, s.given) for s in shared.campus.ledger.scores)
    assert len(sent) == 20
    # Only what was on its way when the process stopped may have been sent by both.
    assert sum(sent.values()) <= 24


def test_f43_a_process_claims_no_more_than_it_may_however_postgresql_goes_about_it(shared):
    """A planner that loops may ask again and again for "the first two that nobody has"."""
    shared.sync(send=False)
    url = shared.environ["DEMO_DATABASE"]
    with databases.connected(url) as connection:
        name = connection.scalar(text("SELECT current_database()"))
        for way in ("hashjoin", "mergejoin", "hashagg", "sort"):
            connection.execute(text(f"ALTER DATABASE {name} SET enable_{way} = off"))
    with shared.app.app_context():
        db.engine.dispose()
        column = db.session.scalar(text("SELECT line_item_fk FROM cell WHERE state = 'due'"))
        now = shared.services.clock()
        claimed = [len(claims.claim(column, holder, now, limit=2)) for holder in "abc"]
        db.session.remove()

    assert claimed == [2, 2, 1]
