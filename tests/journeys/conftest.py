"""Each journey has a world of its own."""

from collections.abc import Iterator

import pytest

from passport_lti.sandbox.story import School
from transactions import no_transaction_waits  # noqa: F401
from worlds import World, opened, second_campus


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


@pytest.fixture
def other(world: World) -> Iterator[School]:
    """A second campus with the same first learner, and the same course published there."""
    with second_campus(world) as (school, tool):
        for place, its in ((world.school, world.tool), (school, tool)):
            [activity] = place.publish(
                its, course="columns", strategy="granular_auto_columns", include_final="1"
            )
            place.campus.browser(place.learners[0]).launch(activity)
        yield school
