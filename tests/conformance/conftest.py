"""One world for hundreds of messages; each test leaves the campus as it found it."""

import logging
from collections.abc import Iterator

import pytest
import requests

from conformance.bench import Bench
from passport_lti.logs import ROOT
from transactions import no_transaction_waits  # noqa: F401
from worlds import World, opened


@pytest.fixture(scope="session")
def _bench() -> Iterator[Bench]:
    with opened() as world:
        [activity] = world.publish("final", "final_grade")
        world.meet(activity)
        yield Bench(world, activity)


@pytest.fixture
def bench(_bench: Bench) -> Iterator[Bench]:
    """The shared world: launch(...), accepted(answer), refused(answer, code)."""
    logger = logging.getLogger(ROOT)
    level = logger.level
    logger.addHandler(_bench.lines)
    logger.setLevel(logging.INFO)
    try:
        yield _bench
    finally:
        logger.removeHandler(_bench.lines)
        logger.setLevel(level)
        campus = _bench.campus
        campus.on_id_token = campus.on_login = campus.on_auth_response = None
        campus.clock_offset = 0.0
        campus.faults.clear()


@pytest.fixture
def world() -> Iterator[World]:
    """A world of its own, for tests that sync or break things for good."""
    with opened() as world:
        yield world


@pytest.fixture
def fresh(world: World) -> Iterator[Bench]:
    """A bench on a world of its own that no message has reached yet."""
    activity = world.campus.add_activity(world.school.context, world.tool, "Not set up")
    bench = Bench(world, activity)
    logger = logging.getLogger(ROOT)
    logger.addHandler(bench.lines)
    logger.setLevel(logging.INFO)
    try:
        yield bench
    finally:
        logger.removeHandler(bench.lines)


@pytest.fixture
def calls(world: World) -> list[requests.Response]:
    """Every answer that the tool of `world` gets, each with its request."""
    answers: list[requests.Response] = []
    world.services.http.hooks["response"].append(lambda answer, **_: answers.append(answer))
    return answers


@pytest.fixture
def linked(world: World, calls: list[requests.Response]) -> World:
    """Option B in the context, opened once by a learner; nothing is synced yet."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    return world


@pytest.fixture
def graded(linked: World) -> World:
    """The same with one grade that was delivered: 80 for "Averages"."""
    linked.grade(linked.school.learners[0], "columns", "Averages", 80)
    assert linked.sync().ok
    assert linked.book["Averages", linked.school.learners[0]] == 80
    linked.campus.ledger.clear()
    return linked
