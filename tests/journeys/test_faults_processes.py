"""Several syncs at once, and syncs that are killed: every score once, every column once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

from passport_lti.cli.demo import CONFIG


def start(world, *arguments):
    """`passport-lti` beside this process; a traceback would be on its stderr."""
    return subprocess.Popen(
        [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), *arguments],
        env={**os.environ, **world.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def filled(world):
    """Option B with a grade in every cell, nothing polled yet."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for number, learner in enumerate(world.school.learners):
        for item in ("Averages", "Chance", "Case study"):
            world.grade(learner, "columns", item, 50 + number)


def sent(world):
    """How often each value went to each cell."""
    return Counter((s.line_item_id, s.user_id, s.given) for s in world.campus.ledger.scores)


def test_three_syncs_at_once_send_each_score_once(world):
    filled(world)
    world.campus.latency = 0.05

    running = [start(world, "sync") for _ in range(3)]
    answers = [process.communicate(timeout=120) for process in running]

    assert [p.returncode for p in running] == [0, 0, 0], [a[1][-2000:] for a in answers]
    assert not any("Traceback" in error for _, error in answers)
    assert len(sent(world)) == 20 and set(sent(world).values()) == {1}
    assert world.book.columns[-3:] == ["Averages", "Chance", "Case study"]
    assert len(world.book.columns) == 4


def test_killed_syncs_lose_nothing_and_double_nothing(world):
    filled(world)
    world.campus.latency = 0.05
    chance = random.Random(5)
    for _ in range(3):
        process = start(world, "sync")
        time.sleep(chance.uniform(1.2, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()

    last = world.command("sync")

    assert last.returncode == 0, last.stdout + last.stderr
    assert all(cell["state"] == "delivered" for cell in world.cells())
    assert len(world.book.columns) == 4
    assert len(sent(world)) == 20 and set(sent(world).values()) == {1}


def test_a_scheduler_beside_syncs_sends_each_score_once(world):
    filled(world)
    world.campus.latency = 0.05
    scheduler = start(world, "scheduler")
    try:
        for _ in range(3):
            assert world.command("sync").returncode == 0
    finally:
        scheduler.terminate()
        _, error = scheduler.communicate(timeout=60)

    assert "Traceback" not in error
    assert len(sent(world)) == 20 and set(sent(world).values()) == {1}
