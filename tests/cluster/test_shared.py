"""What processes share, so that a platform is not asked once by each of them."""

import os
import subprocess
import sys
from pathlib import Path

from faults.processes import wait_for
from fleets import cluster, fill
from receivers import receiving
from worlds import opened

ASKING = """
import sys, time
from pathlib import Path
from passport_lti import create_app
from passport_lti.extensions import db
from passport_lti.models import Platform

app = create_app(sys.argv[1])
with app.app_context():
    service = app.extensions["passport_lti"].platform(db.session.scalars(db.select(Platform)).one())
    db.session.commit()
    print("ready", flush=True)
    while not Path(sys.argv[2]).exists():
        time.sleep(0.01)
    print(service.get_access_token([sys.argv[3]]))
"""
SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


def test_four_processes_ask_the_platform_for_a_token_once(tmp_path: Path) -> None:
    with opened("postgresql") as world:
        config = world.configure(lambda values: None)
        world.campus.latency = 0.3
        before = world.campus.ledger.count("token")
        go = tmp_path / "go"
        asking = [
            subprocess.Popen(
                [sys.executable, "-c", ASKING, str(config), str(go), SCOPE],
                env={**os.environ, **world.environ}, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(4)
        ]  # fmt: skip
        for process in asking:
            assert process.stdout and process.stdout.readline() == "ready\n"
        go.touch()
        tokens = {process.communicate(timeout=60)[0] for process in asking}

        assert len(tokens) == 1 and tokens != {""}
        assert world.campus.ledger.count("token") - before == 1


def test_a_key_that_one_web_process_has_fetched_is_known_to_the_other() -> None:
    with cluster(engine="embedded") as found:
        world = found.world
        [activity] = world.publish("final", "final_grade")
        for _ in range(2):
            found.start("web")
        found.await_webs()
        found.balance()
        world.campus.rotate_key()
        before = world.campus.ledger.count("jwks")
        for learner in world.school.learners[:4]:
            assert world.campus.browser(learner).launch(activity).status == 200
        assert world.campus.ledger.count("jwks") - before == 1


def test_pages_and_readyz_do_without_a_cache_that_is_away() -> None:
    with cluster(engine="embedded") as found:
        world = found.world
        [activity] = world.publish("final", "final_grade")
        web = found.start("web")
        found.await_webs()
        found.balance()
        found.broker.stop()
        page = world.campus.browser(world.school.learners[0]).launch(activity)
        assert page.status == 200
        [picked] = world.publish("linked", "final_grade")
        assert picked.id != activity.id
        assert wait_for(lambda: "the cache could not be written" in found.running[web].said)
        assert "Traceback" not in found.said


def test_however_many_workers_a_platform_gets_no_more_calls_at_once_than_allowed() -> None:
    with receiving(0.1) as receiver, cluster(engine="embedded") as found:
        fill(found.world, receiver, platforms=1, cells=10, columns=12, connections=3)
        for _ in range(3):
            found.start("worker", "--every", "0.1")
        assert wait_for(lambda: len(receiver.scores) >= 120, 180), found.said
        found.end()
        assert receiver.at_once["p0"] == 3
        assert len({score[:2] for score in receiver.scores}) == len(receiver.scores) == 120
