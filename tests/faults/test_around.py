"""F46, F47, F49, F50, F53, F55: the cache, clocks, keys, a crowded neighbour, an old backup."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import databases
from faults.dying import Point, dying_at
from passport_lti.extensions import cache, db
from passport_lti.lti import keys
from passport_lti.sync import report
from passport_lti.sync.delivery.deliver import Outcomes, deliver
from passport_lti.sync.people import roster


def graded(world, percent=90, item="Averages", number=0):
    learner = world.school.learners[number]
    world.grade(learner, "columns", item, percent)
    return learner


# F46: the cache


def flush(world):
    with world.app.app_context():
        cache.clear()


def remove(world):
    shutil.rmtree(Path(world.environ["DEMO_FOLDER"]) / "cache", ignore_errors=True)


@pytest.mark.parametrize("harm", [flush, remove])
def test_f46_without_its_cache_the_tool_launches_and_syncs(world, harm):
    [activity] = world.campus.activities(world.school.context)
    amy = graded(world)
    harm(world)
    page = world.campus.browser(amy).launch(activity)
    harm(world)

    assert page.status == 200
    assert world.sync().ok and world.book["Averages", amy] == 90


@pytest.mark.parametrize("harm", [flush, remove])
def test_f46_a_cache_that_goes_in_the_middle_of_a_launch_is_no_crash(world, harm):
    [activity] = world.campus.activities(world.school.context)

    def lose(form):
        harm(world)
        return form

    world.campus.on_login = lose
    page = world.campus.browser(world.school.learners[0]).launch(activity)

    assert page.status == 200 or page.headers["X-LTI-Error"]
    assert page.status < 500


# F47: clocks


@pytest.mark.parametrize("minutes", [-60, -10, -1, 1, 10, 60])
def test_f47_a_clock_that_jumps_loses_no_grade_and_goes_on(world, minutes):
    """Only ours jumps: there it stays wrong, or goes back again."""
    amy = world.school.learners[0]
    jump = timedelta(minutes=minutes)
    for percent, change in ((10, jump), (20, timedelta(0)), (30, -jump), (40, timedelta(0))):
        world.ahead += change
        world.grade(amy, "columns", "Averages", percent)
        world.sync()
        assert world.book["Averages", amy] == percent


@pytest.mark.parametrize("minutes", [-60, 60])
def test_f47_a_clock_that_jumps_loses_no_grade_of_the_scheduler(world, minutes):
    amy = world.school.learners[0]
    for percent, jump in ((10, minutes), (20, 0), (30, -minutes), (40, 0)):
        world.ahead += timedelta(minutes=jump)
        world.grade(amy, "columns", "Averages", percent)
        for _ in range(70):
            world.poll()
            world.deliver()
            if world.book["Averages", amy] == percent:
                break
        assert world.book["Averages", amy] == percent


@pytest.mark.parametrize("offset", [-300, 300, -7200, 7200])
@pytest.mark.parametrize("clock", ["server", "score"])
def test_f47_a_platform_with_another_clock_gets_every_grade(world, offset, clock):
    world.campus.clock_offset += offset
    world.campus.coupled_clock = clock
    world.campus.revoke_tokens()
    amy = world.school.learners[0]
    for percent in (10, 90, 20):
        world.grade(amy, "columns", "Averages", percent)
        assert world.sync().ok
        assert world.book["Averages", amy] == percent


def test_f47_a_leap_second_and_summer_time_are_no_news(world, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    amy = graded(world)
    world.campus.faults.add(
        "scores", status=429, times=1, headers={"Retry-After": "Sat, 31 Dec 2016 23:59:60 GMT"}
    )

    assert world.sync().ok
    assert world.book["Averages", amy] == 90


# F49, F50: keys


def test_f49_our_key_rotates_in_the_middle_of_a_batch(world):
    for number in range(5):
        graded(world, 60 + number, number=number)
    turned = []

    def rotate(method, target, body):
        if not turned:
            turned.append(True)
            with world.app.app_context():
                keys.rotate(world.services.tool)
                db.session.remove()
            world.campus.revoke_tokens()
        return False

    world.campus.faults.add("scores", match=rotate)

    assert world.sync().ok and turned
    assert [world.book["Averages", p] for p in world.school.learners] == [60, 61, 62, 63, 64]


def test_f49_a_platform_that_cannot_read_our_new_key_gets_its_scores_later(world):
    amy = graded(world)
    address, world.tool.jwks_url = world.tool.jwks_url, f"{world.campus.url}/nowhere"
    world.campus.tool_keys.forget()
    world.campus.revoke_tokens()
    first = world.sync()
    waiting = world.cell("Averages", amy)
    world.tool.jwks_url = address

    assert not first.ok and waiting == ("due", "token_refused")
    assert world.sync().ok and world.book["Averages", amy] == 90


def test_f50_the_platforms_key_rotates_between_login_and_launch(world):
    [activity] = world.campus.activities(world.school.context)
    world.later(minutes=2)
    before = world.campus.ledger.count("jwks")

    def rotate(form):
        world.campus.rotate_key()
        return form

    world.campus.on_login = rotate
    page = world.campus.browser(world.school.learners[0]).launch(activity)

    assert page.status == 200
    assert world.campus.ledger.count("jwks") - before == 1


# F53: a crowded neighbour


def crowd(world, many):
    for number in range(many):
        person = world.campus.add_person("Zoe", f"Z{number}")
        world.campus.enrol(world.school.context, person, "learner")
        account = world.coursera.add_person(person.email, person.email, person.name)
        for item in ("Averages", "Chance", "Case study"):
            world.coursera.grade(account, world.school.courses["columns"], item, number % 100)
    world.later(hours=25)


def test_f53_a_small_platform_does_not_wait_for_a_crowded_one(world, other):
    crowd(world, 100)
    graded(world, 33)
    world.campus.latency = 0.01

    assert world.sync().ok
    assert other.campus.ledger.scores[-1].at < world.campus.ledger.scores[-1].at
    assert len(world.campus.ledger.scores) > 400


def test_f53_news_of_a_small_platform_do_not_wait_for_the_end_of_a_long_delivery(world, other):
    crowd(world, 150)
    world.poll()

    def turn():
        """One turn of the scheduler, which leaves a long delivery in its middle."""
        with world.app.app_context():
            deliver(world.services, Outcomes(), world.app.app_context, patience=0)
            db.session.remove()

    turn()
    left = sum(cell["state"] == "due" for cell in world.cells())
    graded(world, 44)
    world.poll()
    turn()

    assert left > 100
    assert sum(cell["state"] == "due" for cell in world.cells()) > 0
    assert other.campus.gradebook(other.context)["Averages", other.learners[0]] == 44


def test_f53_all_columns_of_a_platform_move_on_in_turn(world):
    crowd(world, 150)
    world.poll()
    for _ in range(2):
        with world.app.app_context():
            deliver(world.services, Outcomes(), world.app.app_context, patience=0)
            db.session.remove()

    filled = {score.line_item_id for score in world.campus.ledger.scores}
    assert len(filled) == 4


# F55: yesterday's backup


def alone(world):
    """The address of the database, to which nobody is connected."""
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()
    return world.environ["DEMO_DATABASE"]


def test_f55_a_restored_backup_sends_nothing_old_and_shows_what_it_cannot_know(world, tmp_path):
    amy, ben, chloe = world.school.learners[:3]
    graded(world, 50, number=2)
    assert world.sync().ok
    restore = databases.saved(alone(world), tmp_path)
    world.later(hours=20)
    graded(world, 90)
    graded(world, 70, number=1)
    graded(world, 51, number=2)
    assert world.sync().ok
    sent = len(world.campus.ledger.scores)
    alone(world)
    restore()
    graded(world, 52, number=2)

    world.sync()
    world.watch.held.add("overridden")
    averages = world.book.line_item("Averages").id
    news = [s for s in world.campus.ledger.scores[sent:] if s.line_item_id == averages]

    assert news == []
    assert [world.book["Averages", p] for p in (amy, ben, chloe)] == [90, 70, 51]
    assert world.cell("Averages", amy) == world.cell("Averages", ben) == ("delivered", None)
    assert world.cell("Averages", chloe) == ("held", "overridden")
    with world.app.app_context():
        assert report.cells()


def test_a_roster_that_was_stored_in_part_is_finished_by_the_next_poll(world, monkeypatch):
    """People are stored a few at a time; whoever has come back is graded whatever dies between."""
    monkeypatch.setattr(roster, "BATCH", 1)
    amy, ben, *_ = world.school.learners
    for person in (amy, ben):
        world.campus.unenrol(world.school.context, person)
    world.later(hours=25)
    world.sync()
    for points, person in enumerate((amy, ben), 70):
        world.grade(person, "columns", "Averages", points)
    world.sync()
    for person in (amy, ben):
        world.campus.enrol(world.school.context, person, "learner")
    world.later(hours=25)
    point = Point("passport_lti.sync.people.roster", "_settle", len(world.school.learners), "after")
    with dying_at(world, point) as dead:
        world.sync()
    world.sync()

    assert dead.is_set()
    assert [world.book["Averages", person] for person in (amy, ben)] == [70, 71]


def test_who_waits_to_write_gets_a_turn_between_two_parts_of_a_roster(world, monkeypatch):
    """On SQLite a class that starts would stand still until a long roster is stored."""
    monkeypatch.setattr(roster, "BATCH", 2)
    turns, nap = [], world.services.sleep

    def another_writes(seconds: float) -> None:
        with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
            connection.execute(text("UPDATE platform SET name = name"))
        turns.append(seconds)
        nap(seconds)

    def breaths(hours: int) -> int:
        turns.clear()
        world.later(hours=hours)
        world.services.sleep = another_writes
        world.sync()
        return turns.count(roster.BREATH)

    people = len(world.school.context.enrolments)
    with world.app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
    # After more than a week it is written down that people were seen again; else there is no news.
    assert people > 4 and breaths(hours=24 * 8) == (is_sqlite and (people - 1) // 2)
    assert breaths(hours=25) == 0
