"""Each journey has a world of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from passport_lti.lti.registration import invite
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.serving import serve
from passport_lti.sandbox.story import School
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


@pytest.fixture
def other(world: World) -> Iterator[School]:
    """A second campus with the same first learner, and the same course published there."""
    campus = Campus()
    with serve(campus.app) as server:
        campus.url = server.url
        admin = campus.add_person("Ada", "Admin", username="admin", admin=True)
        teacher = campus.add_person("Tom", "Teacher", username="tom")
        amy = campus.add_person("Amy", "Adams", email=world.school.learners[0].email)
        context = campus.add_context("STAT", "Statistics")
        campus.enrol(context, teacher, "instructor")
        campus.enrol(context, amy, "learner")
        school = replace(
            world.school, campus=campus, admin=admin, teacher=teacher, learners=(amy,),
            context=context,
        )  # fmt: skip
        with world.app.app_context():
            address = invite(world.services.tool, "other", "practice", timedelta(hours=1))
        tool = school.register(address)
        for place, its in ((world.school, world.tool), (school, tool)):
            [activity] = place.publish(
                its, course="columns", strategy="granular_auto_columns", include_final="1"
            )
            place.campus.browser(place.learners[0]).launch(activity)
        yield school
