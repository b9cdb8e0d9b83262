"""The scheduler asks Coursera by how much a course is used."""

from datetime import timedelta

import pytest

from passport_lti.extensions import db
from passport_lti.models import ResourceLink
from passport_lti.scheduler import Clock
from passport_lti.sync.services import utc_now


class Days:
    """A scheduler whose time passes when the test says so."""

    def __init__(self, world):
        self.world, self.now, self.clock = world, utc_now(), Clock(world.app)
        world.services.clock = lambda: self.now

    def readings(self, steps, each):
        """How often Coursera's report was read in so many looks."""
        self.world.coursera.ledger.clear()
        for _ in range(steps):
            self.now += each
            with self.world.app.app_context():
                self.clock._poll()
                db.session.remove()
        return self.world.coursera.count("gradebook")


@pytest.fixture
def days(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    assert world.sync().ok
    world.configure(lambda values: values["sync"].update(poll_every="60m"))
    return Days(world)


MINUTES_5 = timedelta(minutes=5)


def test_often_after_a_launch_and_by_its_pace_afterwards(days):
    assert days.readings(11, MINUTES_5) == 3
    days.now += timedelta(hours=12)
    assert days.readings(48, MINUTES_5) == 4


def test_seldom_after_days_without_activity_until_somebody_comes(days):
    days.now += timedelta(days=5)
    assert days.readings(48, MINUTES_5) == 2
    with days.world.app.app_context():  # the campus has no clock that could follow
        db.session.execute(db.update(ResourceLink).values(launched_at=days.now))
        db.session.commit()
    assert days.readings(11, MINUTES_5) == 4


def test_sync_now_wakes_a_quiet_course(days):
    days.now += timedelta(days=5)
    days.world.sync(trigger="person")
    assert days.readings(11, MINUTES_5) == 3


def test_a_new_grade_found_in_a_quiet_course_brings_its_pace_back(days):
    days.now += timedelta(days=5)
    days.world.grade(days.world.school.learners[0], "columns", "Averages", 81)
    days.readings(24, MINUTES_5)
    assert days.readings(48, MINUTES_5) == 4


def test_a_course_that_fails_is_not_asked_at_every_look(days):
    days.now += timedelta(hours=2)
    days.world.coursera.faults.add("courseGradebookReports", status=404, times=None)
    asked = days.readings(90, timedelta(seconds=20))
    assert 4 <= asked <= 7
    days.world.coursera.faults.clear()
    days.now += timedelta(hours=1)
    assert days.readings(1, MINUTES_5) == 1
