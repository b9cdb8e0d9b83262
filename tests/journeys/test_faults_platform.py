"""A platform that fails: what is said, that nothing is lost, and that the next sync goes on."""

import json

import pytest


@pytest.fixture
def published(world):
    """Option B with its columns made and one grade delivered."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    assert world.sync().ok
    world.campus.ledger.clear()
    return world


def quick(world):
    """No waiting between tries in this process."""
    world.services.sleep = lambda seconds: None


def idle(world):
    """Platform requests of a sync with no news."""
    return world.sync().summary["http_requests"]["platform"]


def test_a_platform_that_is_down_before_its_columns_are_made_is_a_failure(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    world.campus.faults.add("*", status=503, times=None)

    answer = world.command("sync")
    status = world.json("status")
    world.campus.faults.clear()
    after = world.command("sync")

    assert answer.returncode == 1
    assert "platform" in (answer.stdout + answer.stderr)
    assert status["activities"][0]["problem"] == "platform_down"
    assert after.returncode == 0
    assert world.book["Averages", world.school.learners[0]] == 80


def test_a_platform_that_refuses_every_token_is_named(published):
    published.grade(published.school.learners[0], "columns", "Averages", 81)
    published.campus.faults.add("scores", status=401, times=None)
    published.campus.faults.add("results", status=401, times=None)

    answer = published.command("sync")

    assert answer.returncode == 1 and "token_refused" in answer.stdout
    published.campus.faults.clear()
    assert published.command("sync").returncode == 0
    assert published.book["Averages", published.school.learners[0]] == 81


@pytest.mark.parametrize(
    "error, reason", [("invalid_scope", "scope_missing"), ("invalid_client", "token_refused")]
)
def test_a_token_that_is_not_granted_is_explained_and_tried_again(published, error, reason):
    published.grade(published.school.learners[0], "columns", "Averages", 81)
    published.campus.revoke_tokens()
    published.campus.faults.add("token", status=400, times=None, body=json.dumps({"error": error}))

    answer = published.command("sync")
    held = [c["reason"] for c in published.cells() if c["state"] not in ("delivered",)]
    published.campus.faults.clear()
    after = published.command("sync")

    assert answer.returncode == 1 and set(held) == {reason}
    assert after.returncode == 0
    assert published.book["Averages", published.school.learners[0]] == 81


def test_retry_after_is_kept_to_by_the_next_sync(published):
    amy = published.school.learners[0]
    published.grade(amy, "columns", "Averages", 81)
    published.campus.faults.add("scores", status=429, times=1, headers={"Retry-After": "600"})

    first, second = published.command("sync"), published.command("sync")

    assert (first.returncode, second.returncode) == (1, 1)
    assert "rate_limited" in first.stdout
    assert published.campus.ledger.count("scores") <= 2  # two columns were on their way
    due = [c["reason"] for c in published.cells() if c["state"] == "due"]
    assert due and set(due) == {"rate_limited"}  # those that were not tried wait for the same


def test_a_short_retry_after_is_waited_for(published):
    amy = published.school.learners[0]
    published.grade(amy, "columns", "Averages", 81)
    published.campus.faults.add("scores", status=429, times=1, headers={"Retry-After": "1"})

    assert published.command("sync").returncode == 0
    assert published.book["Averages", amy] == 81


def test_a_course_that_a_platform_has_made_no_column_for_costs_no_requests(published):
    [activity] = published.publish("final", "final_grade")
    published.meet(activity)
    published.grade(published.school.learners[0], "final", "Loops quiz", 90)
    published.sync()
    published.campus.delete_activity(activity)
    published.grade(published.school.learners[0], "final", "Loops quiz", 70)
    first = published.sync()
    published.sync()

    assert idle(published) == 0
    assert first.ok
    assert [
        (c["state"], c["reason"])
        for c in published.cells()
        if c["column"]["resource_id"].count(":") == 1 and c["state"] == "held"
    ] == [("held", "column_gone")]
