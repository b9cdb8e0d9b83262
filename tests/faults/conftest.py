"""Each fault has a world of its own, in which everything is well in the end."""

import logging
from collections.abc import Iterator

import pytest

from faults.invariants import Listener
from faults.processes import filled
from faults.weather import Weather, neighbour
from passport_lti.sandbox.story import School
from transactions import no_transaction_waits  # noqa: F401
from worlds import World, opened


@pytest.fixture
def bare() -> Iterator[Weather]:
    """Nothing published yet."""
    with opened(kind=Weather) as world:
        logger, listener = logging.getLogger("passport_lti"), Listener(world.watch.lines)
        before = logger.level
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        try:
            with world.others:
                yield world
                world.recover()
        finally:
            logger.removeHandler(listener)
            logger.setLevel(before)


@pytest.fixture
def world(bare: Weather) -> Weather:
    """Option B in a context, with one grade delivered to its first learner."""
    bare.columns_published()
    return bare


@pytest.fixture
def other(world: Weather) -> School:
    """A second platform whose grades must not wait for the first one's troubles."""
    school = world.others.enter_context(neighbour(world))
    assert world.sync().ok
    return school


@pytest.fixture
def shared() -> Iterator[World]:
    """Everything to be read and sent, on a PostgreSQL that several processes share."""
    with opened("postgresql") as world:
        filled(world)
        yield world


@pytest.fixture
def file() -> Iterator[World]:
    """The same in a SQLite file."""
    with opened("sqlite") as world:
        filled(world)
        yield world
