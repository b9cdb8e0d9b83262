"""SIGKILL for one of each kind of process while the cluster syncs: the others finish the work."""

from collections.abc import Iterator

import pytest

from faults.invariants import Watch
from faults.processes import filled, regrade, shows, wait_for
from faults.truth import Seat
from fleets import Cluster, cluster
from passport_lti.sync import report


@pytest.fixture
def fleet() -> Iterator[Cluster]:
    with cluster() as found:
        filled(found.world)
        for kind in ("web", "worker", "scheduler") * 2:
            found.start(kind)
        found.await_webs()
        found.balance()
        yield found


def test_one_of_each_is_killed_and_nothing_is_lost_or_doubled(fleet: Cluster) -> None:
    world, watch = fleet.world, Watch([Seat("campus", fleet.world.school)])
    watch.look()
    world.campus.latency = 0.05
    assert wait_for(lambda: world.campus.ledger.scores), fleet.said
    for kind in ("worker", "web", "scheduler"):
        fleet.kill(next(name for name in fleet.running if name.startswith(kind)))
    assert wait_for(lambda: shows(world, 50)), fleet.said

    # The first scheduler was the one awake: the other takes over, with news to be found.
    regrade(world, 60)
    watch.look()
    [activity] = world.campus.activities(world.school.context)
    page = world.campus.browser(world.school.learners[1]).launch(activity)
    assert page.status == 200
    assert wait_for(lambda: shows(world, 60), 120), fleet.said

    fleet.end()
    watch.lines += fleet.said.splitlines()
    with world.app.app_context():
        assert watch.violations(report.cells(), report.people()) == []
    assert "Traceback" not in fleet.said
