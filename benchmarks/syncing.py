"""W1 and W2: the first sync of a course, a poll after it, and what the database keeps for a grade.

W1 is played at the practice servers: 500 learners with ten items, option B, everything included,
from the first request to Coursera to the last score in the gradebook; then polls that find nothing
new. Both servers live in this process, so that its seconds are those of all three.

W2, 10,000 learners with 40 items, is `benchmarks.planning` with everything new: what follows the
reading, up to 400,000 scores that are due. How fast they leave says `platform_limit_share`. The
database counts as it is when all of them have been delivered.
"""

import time
from collections.abc import Iterator
from statistics import median

import pytest

import databases
from benchmarks import planning
from benchmarks.delivery import CLASS, CLASS_ITEMS, POLLS, publish
from benchmarks.figures import LeftOut, Load
from worlds import World, opened

SMALL = ("small_first_sync_s", "small_idle_poll_s")
LOADS = {"W1": SMALL, "W2": ("first_plan_s", "bytes_per_grade")}
LEARNERS = 10_000


def figures() -> Iterator[Load | LeftOut]:
    small, large = {}, {}
    for kind in databases.KINDS:
        try:
            with opened(kind) as world:
                small[kind] = synced(world)
            large[kind] = planning.in_a_process(kind, LEARNERS)
        except (pytest.skip.Exception, RuntimeError) as missing:
            yield LeftOut(f"W1 and W2 on {kind}", str(missing))
    for number, name in enumerate(SMALL):
        both = {f"ours_{kind}": seconds[number] for kind, seconds in small.items()}
        yield Load(name, "s", max(both.values()), None, "W1", both)
    both = {f"ours_{kind}": one.first for kind, one in large.items()}
    yield Load("first_plan_s", "s", max(both.values()), None, "W2", both)
    both = {f"ours_{kind}": one.bytes for kind, one in large.items()}
    yield Load("bytes_per_grade", "bytes", max(both.values()), None, "W2", both)


def synced(world: World) -> tuple[float, float]:
    """Seconds of the first sync, and of a poll without news. Raises where a score is missing."""
    publish(world)
    began = time.monotonic()
    first = world.sync()
    took = time.monotonic() - began
    assert first.ok and first.summary["delivered"] == CLASS * CLASS_ITEMS, first
    polls, scores = [], len(world.campus.ledger.scores)
    for _ in range(POLLS):
        began = time.monotonic()
        poll = world.sync()
        polls.append(time.monotonic() - began)
        assert poll.ok and poll.summary["polled"], poll
    assert len(world.campus.ledger.scores) == scores == CLASS * CLASS_ITEMS
    return took, median(polls)
