"""Each journey has a world of its own."""

from collections.abc import Iterator

import pytest

from transactions import no_transaction_waits  # noqa: F401
from worlds import World, opened


@pytest.fixture
def world() -> Iterator[World]:
    with opened() as world:
        yield world


@pytest.fixture
def published(world: World) -> World:
    """Option B with its columns made and one grade delivered."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    assert world.sync().ok
    return world
