"""A fleet of Celery workers: the messages may get lost, come twice or not at all."""

from collections import Counter
from collections.abc import Iterator

import pytest

from faults.processes import filled, regrade, shows, wait_for
from fleets import Cluster, cluster
from seats import launch, newcomer, rows, settle

QUEUES = [f"passport-lti.{what}" for what in ("poll", "deliver", "provide", "catalogue")]


@pytest.fixture
def fleet() -> Iterator[Cluster]:
    """Option B with a grade for every cell, which nobody has read yet."""
    with cluster() as found:
        filled(found.world)
        yield found


def sent(fleet: Cluster) -> Counter[tuple[str, str, float | None]]:
    scores = fleet.world.campus.ledger.scores
    return Counter((s.line_item_id, s.user_id, s.given) for s in scores)


def waiting(fleet: Cluster) -> list[bytes]:
    return [message for queue in QUEUES for message in fleet.broker.messages(queue)]


def test_messages_hold_ids_alone_and_may_get_lost_or_come_again(fleet: Cluster) -> None:
    fleet.start("scheduler")
    assert wait_for(lambda: fleet.broker.messages("passport-lti.poll"))
    private = {w for p in fleet.world.campus.people.values() for w in (p.email, p.name)}
    private |= {fleet.world.environ[k] for k in ("DEMO_SECRET", "DEMO_KEY", "DEMO_API_SECRET")}
    text = b"\n".join(waiting(fleet)).decode()
    assert "practice" in text and not [word for word in private if word in text]
    # Nobody takes them: they do not become more.
    asked = fleet.broker.messages("passport-lti.poll")
    assert not wait_for(lambda: fleet.broker.messages("passport-lti.poll") != asked, 5)

    fleet.broker.flush()
    fleet.start("worker")
    fleet.start("worker")
    assert wait_for(lambda: shows(fleet.world, 50)), fleet.said
    assert len(sent(fleet)) == 20 and set(sent(fleet).values()) == {1}


def test_a_message_that_comes_many_times_sends_each_score_once(fleet: Cluster) -> None:
    fleet.world.campus.latency = 0.05
    fleet.start("scheduler")
    assert wait_for(lambda: len(waiting(fleet)) > 1)
    for queue in QUEUES:
        fleet.broker.repeat(queue, 5)
    for _ in range(2):
        fleet.start("worker", "--threads", "4")
    for _ in range(3):
        wait_for(lambda: fleet.broker.messages("passport-lti.deliver"), 5)
        fleet.broker.repeat("passport-lti.deliver", 5)
    assert wait_for(lambda: shows(fleet.world, 50)), fleet.said
    assert len(sent(fleet)) == 20 and set(sent(fleet).values()) == {1}


def test_f46_while_the_broker_is_away_the_scheduler_works_and_then_the_fleet_goes_on(
    fleet: Cluster,
) -> None:
    clock, worker = fleet.start("scheduler"), fleet.start("worker")
    assert wait_for(lambda: shows(fleet.world, 50)), fleet.said
    fleet.broker.stop()
    regrade(fleet.world, 60)
    assert wait_for(lambda: shows(fleet.world, 60)), fleet.said
    assert "this process does the work itself" in fleet.running[clock].said

    fleet.broker.start()
    assert wait_for(lambda: "The broker is back" in fleet.running[clock].said)
    fleet.running[worker].lines.clear()
    regrade(fleet.world, 70)
    assert wait_for(lambda: shows(fleet.world, 70)), fleet.said
    assert wait_for(lambda: "changed=20" in fleet.running[worker].said)
    assert len(sent(fleet)) == 60 and set(sent(fleet).values()) == {1}
    assert "Traceback" not in fleet.said


def test_a_place_that_no_launch_could_wait_for_is_seen_to_by_a_worker(fleet: Cluster) -> None:
    world = fleet.world
    settle(world, provisioning="invite")
    [activity] = world.publish("linked", "final_grade")
    nora = newcomer(world)
    world.coursera.faults.add("invitations", status=503, times=None)
    launch(world, nora, activity)
    assert [state for _, state, _ in rows(world, nora)] == ["due"]
    world.coursera.faults.clear()

    clock, worker = fleet.start("scheduler"), fleet.start("worker")
    assert wait_for(lambda: [state for _, state, _ in rows(world, nora)] == ["done"]), fleet.said
    assert wait_for(lambda: "provision" in fleet.running[worker].said), fleet.said
    assert "provision" not in fleet.running[clock].said
