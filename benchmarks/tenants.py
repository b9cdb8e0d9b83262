"""W6: 200 tenants with five courses of eight items each, everything of all of them due at once.

Two workers on one PostgreSQL and one Redis; the platforms take 20 ms for an answer. It is W6 with 6
of its 30 learners, 48,000 scores of 240,000, so that it takes about a minute. Who serves equal
tenants one after the other has the last wait twice as long as the median one: more than that is not
fair. `slow_tenant_delay_ratio` is the same with a tenant that never answers.
"""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from benchmarks.cluster import await_workers
from benchmarks.figures import Load
from faults.processes import wait_for
from fleets import cluster, fill
from receivers import receiving

LOADS = {"W6": ("slowest_tenant_ratio", "fleet_scores_per_second")}
TENANTS, COLUMNS, LEARNERS = 200, 5 * 8, 6
LATENCY = 0.02
MINUTES = 5


def figures() -> Iterator[Load]:
    """Skips without the servers."""
    ratio, rate = delivered()
    yield Load("slowest_tenant_ratio", "times", ratio, 2.2, "W6")
    yield Load("fleet_scores_per_second", "1/s", rate, None, "W6")


def delivered(tenants: int = TENANTS, learners: int = LEARNERS) -> tuple[float, float]:
    """How much later than the median tenant the slowest has all its scores; scores a second.

    Times count from the first score. Raises where one is missing or was sent twice.
    """
    with receiving(LATENCY) as receiver, cluster(poll_every="1h") as found:
        for _ in range(2):
            found.start("worker")
        fill(found.world, receiver, tenants, learners, columns=COLUMNS)
        await_workers(found)
        found.start("scheduler")
        wanted = tenants * learners * COLUMNS
        assert wait_for(lambda: len(receiver.scores) >= wanted, MINUTES * 60), found.said[-2000:]
        sent = Counter((path, user) for path, user, _ in receiver.scores)
        assert len(sent) == wanted and set(sent.values()) == {1}, "a score was sent twice"
        began = receiver.scores[0][2]
        last = {path.split("/")[1]: at - began for path, _, at in receiver.scores}
    assert len(last) == tenants
    return max(last.values()) / median(last.values()), wanted / max(last.values())
