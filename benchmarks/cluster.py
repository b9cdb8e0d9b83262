"""The cluster: PostgreSQL, Redis, and several processes of each kind on this machine.

python -m benchmarks.cluster demo       one of each is killed while it syncs
python -m benchmarks.cluster kill9 100  so many random kills (a second number: the most minutes)
python -m benchmarks.cluster workers    four workers against one
python -m benchmarks.cluster slow       one platform that never answers beside 200 others
make bench ARGS=cluster                 what they cost, as figures
"""

import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean
from typing import Any

import pytest
from tabulate import tabulate

from benchmarks.figures import Figure
from faults.invariants import Watch
from faults.processes import filled, regrade, shows, wait_for
from faults.truth import Seat
from fleets import Cluster, cluster, fill
from passport_lti.extensions import db
from passport_lti.sync import report
from receivers import receiving

KINDS = ("web", "worker", "scheduler")


@dataclass(frozen=True)
class Toll:
    """What became of the scores in a run with kills."""

    kills: int
    scores: int
    lost: int
    doubled: int
    wrong: list[str]
    """Everything else that a grade sync must not do, as the fault suite words it."""


NAMES = ("four_workers_ratio", "slow_tenant_delay_ratio", "kill9_lost", "kill9_doubled")
WORKLOADS = {"W6": NAMES[1:2]}


def figures(kills: int = 100) -> Iterator[Figure]:
    """Scale-out, W6 with one platform that hangs, and random kills; skips without the servers."""
    yield Figure("four_workers_ratio", "times", four_workers_ratio(), 3.8, 4, at_least=True)
    yield Figure("slow_tenant_delay_ratio", "times", slow_tenant_delay_ratio(), 1.2, 1)
    toll = kill9(kills)
    yield Figure("kill9_lost", "scores", toll.lost, 0, 0)
    yield Figure("kill9_doubled", "scores", toll.doubled, 0, 0)


# Killing


def demo() -> bool:
    """Two of each; one of each is killed while it syncs. Whether nothing was lost or doubled."""
    rows: list[tuple[str, ...]] = []
    with cluster() as found:
        world, watch = found.world, _begun(found)
        began = time.monotonic()

        def note(what: str, *, shown: str = "") -> None:
            now = f"{time.monotonic() - began:.0f} s"
            rows.append((now, what, str(len(world.campus.ledger.scores)), shown))
            print(f"  {now:>5}  {what}", flush=True)

        note("two web processes, two workers, two schedulers on one PostgreSQL and one Redis")
        world.campus.latency = 0.05
        for number, kind in enumerate(KINDS):
            points = 40 + 10 * number
            _regrade(found, watch, points)
            before = len(world.campus.ledger.scores)
            wait_for(lambda before=before: len(world.campus.ledger.scores) > before, 90)
            name = next(n for n in found.running if n.startswith(kind))
            found.kill(name)
            note(f"SIGKILL for {name} while scores are on their way")
            page = _launched(found, number)
            fine = wait_for(lambda points=points: shows(world, points), 120)
            note(
                f"the others go on: a launch answers {page}, 20 grades",
                shown="all there" if fine else "NOT all there",
            )
        toll = _toll(found, watch, len(KINDS))
    print()
    print(tabulate(rows, headers=("after", "what happened", "scores sent", "gradebook")))
    print(f"\nscores sent: {toll.scores}   lost: {toll.lost}   doubled: {toll.doubled}")
    for line in toll.wrong:
        print(f"wrong: {line}")
    return not (toll.lost or toll.doubled or toll.wrong)


def kill9(times: int, minutes: float = 60, seed: int = 7) -> Toll:
    """SIGKILL for random processes of a cluster that always has grades on their way.

    Each is replaced at once. The scores are counted when all is quiet again. On a busy machine
    it ends after so many minutes; the toll says how many were killed by then.
    """
    until = time.monotonic() + minutes * 60
    chance = random.Random(seed)
    with cluster() as found:
        world, watch = found.world, _begun(found)
        world.campus.latency = 0.05
        points, sent, kills = 50, 0, 0
        while kills < times and time.monotonic() < until:
            if shows(world, points):
                points = 30 + (points + 1) % 60
                _regrade(found, watch, points)
            # Each kill meets a sync that goes on: something arrived since the last one.
            wait_for(lambda sent=sent: len(world.campus.ledger.scores) > sent, 60)
            time.sleep(chance.uniform(0.0, 0.5))
            sent = len(world.campus.ledger.scores)
            name = chance.choice(sorted(found.running))
            found.kill(name)
            found.start(name.split()[0])
            kills += 1
            print(f"  {kills}/{times}  {name}  scores: {sent}", file=sys.stderr, flush=True)
        if not wait_for(lambda: shows(world, points), 300):
            print(found.said[-3000:], file=sys.stderr)
        return _toll(found, watch, kills)


def _begun(found: Cluster) -> Watch:
    """Two processes of each kind, and a course whose grades will change."""
    filled(found.world)
    for kind in KINDS * 2:
        found.start(kind)
    found.await_webs()
    found.balance()
    watch = Watch([Seat("campus", found.world.school)])
    watch.look()
    return watch


def _regrade(found: Cluster, watch: Watch, points: int) -> None:
    regrade(found.world, points)
    watch.look()


def _launched(found: Cluster, number: int) -> int:
    [activity] = found.world.campus.activities(found.world.school.context)
    learner = found.world.school.learners[number % 5]
    return int(found.world.campus.browser(learner).launch(activity).status)


def _toll(found: Cluster, watch: Watch, kills: int) -> Toll:
    found.end()
    watch.lines += found.said.splitlines()
    with found.world.app.app_context():
        wrong = watch.violations(report.cells(), report.people())
        db.session.remove()
    lost = [line for line in wrong if line.startswith("I1")]
    doubled = [line for line in wrong if line.startswith("I6") and line.endswith("twice")]
    scores = found.world.campus.ledger.scores
    return Toll(kills, len(scores), len(lost), len(doubled), wrong)


# Throughput


def four_workers_ratio(platforms: int = 8, cells: int = 150) -> float:
    """How much faster four workers empty the outbox than one, at a platform that takes 20 ms.

    Each worker makes one call at a time: what is measured is whether workers get into each
    other's way, not how many cores this machine has. Raises where a score was sent twice.
    """
    one = _emptied(1, platforms, cells)
    four = _emptied(4, platforms, cells)
    return one / four


def _emptied(workers: int, platforms: int, cells: int) -> float:
    """Seconds between the first and the last score of a full outbox."""
    with receiving(0.02) as receiver, cluster(poll_every="1h") as found:
        for _ in range(workers):
            found.start("worker", "--threads", "1")
        # Time, not this machine's two cores, is then what a worker is short of.
        fill(found.world, receiver, platforms, cells, connections=1)
        await_workers(found)
        found.start("scheduler")
        wanted = platforms * cells
        assert wait_for(lambda: len(receiver.scores) >= wanted, 300), found.said[-2000:]
        sent = Counter((path, user) for path, user, _ in receiver.scores)
        assert set(sent.values()) == {1}, "a score was sent twice"
        assert max(receiver.at_once.values()) == 1, "more calls at once than allowed"
        times = [at for _, _, at in receiver.scores]
        return max(times) - min(times)


def slow_tenant_delay_ratio(others: int = 200, cells: int = 5) -> float:
    """How much later the scores of 200 platforms arrive when one more never answers."""
    runs = [(_delay(others, cells, is_one_slow=x) for x in (False, True)) for _ in range(2)]
    quiet, disturbed = map(sum, zip(*runs, strict=True))
    return disturbed / quiet


def _delay(others: int, cells: int, *, is_one_slow: bool) -> float:
    """Mean seconds after the first score until a platform has all of its own."""
    with receiving(0.02) as receiver, cluster(poll_every="1h") as found:
        if is_one_slow:
            receiver.slow["p0"] = 600.0
        for _ in range(2):
            found.start("worker")
        fill(found.world, receiver, others + is_one_slow, cells, first=0 if is_one_slow else 1)
        await_workers(found)
        found.start("scheduler")
        wanted = others * cells
        assert wait_for(lambda: len(receiver.scores) >= wanted, 300), found.said[-2000:]
        began = receiver.scores[0][2]
        last = {path: at - began for path, _, at in receiver.scores}
        return mean(last.values())


def await_workers(found: Cluster) -> None:
    said = [process for name, process in found.running.items() if name.startswith("worker")]
    assert wait_for(lambda: all("is at work" in process.said for process in said))


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    what, *rest = arguments or ["demo"]
    runs: dict[str, Callable[[], Any]] = {
        "demo": demo,
        "kill9": lambda: kill9(*(int(word) for word in rest or ["100"])),
        "workers": four_workers_ratio,
        "slow": slow_tenant_delay_ratio,
    }
    if what not in runs:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        found = runs[what]()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(f"Skipped: {missing}")
        return 0
    except KeyboardInterrupt:
        print("\nStopped; all its processes are gone.")
        return 1
    if isinstance(found, Toll):
        print(f"kills {found.kills}  scores {found.scores}")
        print(f"lost {found.lost}  doubled {found.doubled}")
        print(*found.wrong, sep="\n")
        return int(bool(found.wrong))
    if isinstance(found, bool):
        return int(not found)
    print(f"{found:.3g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
