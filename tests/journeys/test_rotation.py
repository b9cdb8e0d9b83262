"""Signing keys rotate, by hand and by age, while people launch, publish and grades are sent."""

import threading
from datetime import timedelta

from passport_lti.lti import keys


def test_nothing_fails_while_keys_rotate_under_load(world):
    [activity] = world.publish("final", "final_grade")
    amy = world.school.learners[0]
    world.campus.browser(amy).launch(activity)
    failures: list[str] = []
    done = threading.Event()

    def launch() -> None:
        browser = world.campus.browser(world.school.learners[1])
        while not done.is_set():
            page = browser.launch(activity)
            if page.status != 200:
                failures.append(f"launch {page.status}")

    def publish() -> None:
        while not done.is_set():
            if len(world.publish("linked", "final_grade")) != 1:
                failures.append("deep link")

    workers = [threading.Thread(target=work) for work in (launch, launch, publish)]
    for worker in workers:
        worker.start()
    try:
        for percent in (10, 20, 30, 40):
            with world.app.app_context():
                keys.rotate(world.services.tool)
            world.campus.revoke_tokens()
            world.grade(amy, "final", "Loops quiz", percent)
            if not world.sync(activity=1).ok:
                failures.append(f"sync {percent}")
    finally:
        done.set()
        for worker in workers:
            worker.join()

    assert failures == []
    assert world.book["Python Basics", amy] == 12


def test_a_key_that_is_old_is_replaced_and_stays_published_for_a_day(world):
    clock, tool = world.services.clock, world.services.tool
    with world.app.app_context():
        old = keys.active_key(tool).kid
        assert not keys.rotate_if_old(tool)
        world.services.clock = lambda: clock() + timedelta(days=91)
        assert keys.rotate_if_old(world.services.tool)
        new = keys.active_key(world.services.tool).kid
        published = [key["kid"] for key in keys.public_key_set(world.services.tool)["keys"]]
        assert published == [new, old] and new != old
        world.services.clock = lambda: clock() + timedelta(days=93)
        published = [key["kid"] for key in keys.public_key_set(world.services.tool)["keys"]]
        assert published == [new]
