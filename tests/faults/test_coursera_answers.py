"""F1 to F9: Coursera refuses, is slow, is down, or says what is no report."""

import gzip
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import yaml

from passport_lti.config import ConfigFile

GRADEBOOK = "courseGradebookReports"


def connection(world, **values):
    """The same world with other settings of its Coursera connection."""
    text = yaml.safe_load(world.services.config_file.path.read_text())
    text["coursera"]["practice"].update(values)
    path = Path(world.environ["DEMO_FOLDER"]) / "other.yaml"
    path.write_text(yaml.safe_dump(text))
    world.services.config_file = ConfigFile(path, world.environ)


def crowd(world):
    """Every learner graded, read two rows a page with a token that is known."""
    connection(world, page_size=2)
    assert world.sync().ok
    for number, learner in enumerate(world.school.learners):
        world.grade(learner, "columns", "Chance", 50 + number)


def graded(world, percent=90):
    """News for one cell; returns the learner."""
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", percent)
    return amy


def problem(world):
    """A sync that can't read the course says so, sends nothing, and leaves everything standing."""
    before = (world.book.columns, len(world.campus.ledger.requests))
    outcome = world.sync()
    assert not outcome.ok and outcome.summary["sent"] == 0
    assert outcome.summary["http_requests"]["coursera"] > 0
    assert (world.book.columns, len(world.campus.ledger.requests)) == before
    return " ".join(outcome.problems)


def test_f01_a_token_that_ends_between_two_pages_is_renewed_once(world):
    crowd(world)
    world.coursera.faults.add("start=2", status=401, times=1)
    before = world.coursera.count("token")

    assert world.sync().ok
    assert world.coursera.count("token") == before + 1
    assert world.book["Chance", world.school.learners[4]] == 54


def test_f01_a_fresh_token_that_is_refused_names_the_key(world):
    crowd(world)
    world.coursera.faults.add("start=2", status=401, times=None)
    before = world.coursera.count()

    assert "api_key" in problem(world)
    assert world.coursera.count() - before < 12


def test_f02_a_program_that_was_taken_away_is_said_and_its_grades_stay(world):
    amy = graded(world)
    world.coursera.faults.add(GRADEBOOK, status=403, times=None)
    before = world.coursera.count("gradebook")

    assert "entitled" in problem(world)
    assert world.coursera.count("gradebook") == before + 1
    assert world.book["Averages", amy] == 80


def test_f03_a_course_that_is_gone_deletes_nothing(world):
    amy = graded(world)
    world.coursera.faults.add(GRADEBOOK, status=404, times=None)

    assert "program" in problem(world)
    assert world.book["Averages", amy] == 80


@pytest.mark.parametrize("status", [400, 409, 422])
def test_f04_what_will_be_refused_again_is_asked_once(world, status):
    graded(world)
    before = world.coursera.count("gradebook")
    world.coursera.faults.add(GRADEBOOK, status=status, times=None)

    assert f"{status}" in problem(world)
    assert world.coursera.count("gradebook") == before + 1


@pytest.mark.parametrize("wait", ["2", "0", "-5", "soon", None, "date"])
def test_f05_a_short_wish_to_wait_is_met_in_the_same_sync(world, wait):
    amy = graded(world)
    if wait == "date":
        wait = format_datetime(world.now() + timedelta(seconds=3), usegmt=True)
    headers = {} if wait is None else {"Retry-After": wait}
    world.coursera.faults.add(GRADEBOOK, status=429, times=2, headers=headers)
    world.naps.clear()

    assert world.sync().ok
    assert world.book["Averages", amy] == 90
    assert len([nap for nap in world.naps if 0.3 < nap < 15]) >= 2


@pytest.mark.parametrize("wait", ["1000000000", "1e400", "600"])
def test_f05_a_long_wish_to_wait_is_left_to_the_next_poll(world, wait):
    graded(world)
    world.coursera.faults.add(GRADEBOOK, status=429, times=None, headers={"Retry-After": wait})
    before = world.coursera.count("gradebook")

    assert "429" in problem(world)
    assert world.coursera.count("gradebook") == before + 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_f06_a_few_failures_are_got_over_in_the_same_sync(world, status):
    amy = graded(world)
    world.coursera.faults.add(GRADEBOOK, status=status, times=3)

    assert world.sync().ok
    assert world.book["Averages", amy] == 90


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_f06_coursera_that_is_down_costs_a_handful_of_calls(world, status):
    graded(world)
    before = world.coursera.count("gradebook")
    world.coursera.faults.add("/ent/", status=status, times=None)

    assert f"{status}" in problem(world)
    assert world.coursera.count("gradebook") - before <= 4


@pytest.mark.parametrize("fault", [{"drop": True}, {"delay": 3}])
def test_f07_no_answer_is_named(world, fault):
    graded(world)
    connection(world, timeout=1)
    world.coursera.faults.add(GRADEBOOK, times=None, **fault)

    assert "did not answer" in problem(world)


def test_f07_no_server_is_named(world):
    graded(world)
    before = world.services.config_file
    connection(world, api_base="http://127.0.0.1:9", outline_path=None)

    assert "did not answer" in problem(world)
    world.services.config_file = before


def test_f08_an_answer_that_trickles_has_an_end(world, other):
    graded(world)
    connection(world, timeout=1)
    world.coursera.faults.add(GRADEBOOK, times=None, drip=0.2)

    assert "did not answer" in problem(world)


HTML = "<!doctype html><title>Maintenance</title>"
BOMB = gzip.compress(b" " * 300_000_000, 9)


@pytest.mark.parametrize(
    "fault",
    [
        {"truncate": True},
        {"status": 200, "body": HTML},
        {"status": 200, "body": ""},
        {"status": 200, "body": "[" * 100_000},
        {"status": 200, "body": '{"elements": "none"}'},
        {"status": 200, "body": '{"elements": [1, 2]}'},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
        {"status": 200, "body": BOMB, "headers": {"Content-Encoding": "gzip"}},
        {"status": 200, "body": b"\x1f\x8b broken", "headers": {"Content-Encoding": "gzip"}},
    ],
    ids=["half", "html", "empty", "deep", "text", "numbers", "redirect", "bomb", "broken gzip"],
)
def test_f09_what_is_no_report_plans_nothing(world, fault):
    crowd(world)
    world.coursera.faults.add("start=2", times=None, **fault)

    problem(world)
    assert world.book["Chance", world.school.learners[0]] is None


def test_f09_another_content_type_does_no_harm(world):
    amy = graded(world)
    world.coursera.faults.add(GRADEBOOK, times=None, headers={"Content-Type": "text/html"})

    assert world.sync().ok
    assert world.book["Averages", amy] == 90
