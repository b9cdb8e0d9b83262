"""Several organisations and courses at once: each is asked as much as it allows, none waits."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from passport_lti.lti.registration import invite
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.serving import serve
from passport_lti.sandbox.story import found


class Gauge:
    """How many requests a server has at the same time, at most.

    The first `meeting` readings of grades wait for each other: they must come at the same time.
    """

    def __init__(self, app, meeting, together=None):
        self.app, self.most, self._now, self._left = app.wsgi_app, 0, 0, meeting
        self._together = together or threading.Barrier(meeting, timeout=30)
        self._lock = threading.Lock()
        app.wsgi_app = self

    def __call__(self, environ, start_response):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            meets = environ["PATH_INFO"].endswith("courseGradebookReports") and self._left > 0
            self._left -= meets
        try:
            if meets:
                self._together.wait()
            return self.app(environ, start_response)
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def second_organisation(world):
    """Another campus whose courses come from an organisation of its own."""
    campus, coursera = Campus(), PracticeCoursera(name="Other University")
    with serve(campus.app) as campus_server, serve(coursera.app) as coursera_server:
        campus.url, coursera.url = campus_server.url, coursera_server.url
        school = found(campus, coursera)
        secrets = coursera.credentials
        world.configure(
            lambda text: text["coursera"].update(
                second={
                    "api_base": coursera.url, "org_id": secrets.org_id,
                    "api_key": secrets.api_key, "api_secret": secrets.api_secret,
                }
            ),
        )  # fmt: skip
        with world.app.app_context():
            address = invite(world.services.tool, "other", "second", timedelta(hours=1))
        yield school, school.register(address)


def studied(school, tool, launches=True):
    """All three courses by option B, and each learner with a grade in each."""
    for place, name in enumerate(school.courses):
        [activity] = school.publish(
            tool, course=name, strategy="granular_auto_columns", include_final="1"
        )
        if launches:
            school.campus.browser(school.learners[0]).launch(activity)
        for number, learner in enumerate(school.learners):
            course = school.courses[name]
            account = school.accounts[learner.id]
            school.coursera.grade(account, course, course.items[0], 20 + 10 * place + number)


def standing(school, *courses):
    """The grades of the first item of each course, learner by learner."""
    book = school.campus.gradebook(school.context)
    return [
        book[school.courses[course].items[0].name, learner]
        for course in courses or school.courses
        for learner in school.learners
    ]


EXPECTED = [20 + 10 * place + number for place in range(3) for number in range(5)]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_an_organisation_is_asked_as_much_at_once_as_it_allows(world, most):
    studied(world.school, world.tool)
    world.configure(lambda text: text["coursera"]["practice"].update(max_concurrency=most))
    gauge = Gauge(world.coursera.app, most)

    outcome = world.sync()

    assert outcome.ok and outcome.summary["polled"] == 3
    assert gauge.most == most
    assert standing(world.school) == EXPECTED


def test_two_organisations_are_polled_side_by_side_with_the_same_result(world):
    with second_organisation(world) as (school, tool):
        studied(world.school, world.tool)
        studied(school, tool)
        both = threading.Barrier(2, timeout=30)
        for coursera in (world.coursera, school.coursera):
            Gauge(coursera.app, 1, both)

        outcome = world.sync()

        assert outcome.ok and outcome.summary["polled"] == 6
        assert standing(world.school) == standing(school) == EXPECTED
        again = world.sync()
        assert again.summary["sent"] == again.summary["http_requests"]["platform"] == 0


def test_an_organisation_that_is_down_delays_nothing_of_the_other(world):
    with second_organisation(world) as (school, tool):
        studied(world.school, world.tool)
        studied(school, tool)
        school.coursera.faults.add("courseGradebookReports", status=503, times=None)

        outcome = world.sync()

        assert not outcome.ok and outcome.summary["polled"] == 3 and len(outcome.problems) == 3
        assert standing(world.school) == EXPECTED


def test_of_several_courses_the_one_that_fails_is_named(world):
    studied(world.school, world.tool)
    wrong = world.school.courses["linked"]
    world.coursera.faults.add(wrong.id, status=404, times=None)

    outcome = world.sync()

    assert outcome.summary["polled"] == 2
    assert [wrong.id in problem for problem in outcome.problems] == [True]
    assert standing(world.school, "final", "columns") == EXPECTED[:5] + EXPECTED[10:]


def test_a_dry_run_with_two_organisations_lists_all_and_sends_nothing(world):
    with second_organisation(world) as (school, tool):
        studied(world.school, world.tool)
        studied(school, tool)
        world.campus.ledger.clear()
        path = str(world.services.config_file.path)

        answer = world.command("--config", path, "sync", "--dry-run")

        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert answer.stdout.count("due") == 2 * 2 * len(EXPECTED)
        assert world.campus.ledger.scores == school.campus.ledger.scores == []
