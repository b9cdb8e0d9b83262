"""How often a course is read: by `poll_every`, and by how much it is used."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from passport_lti.sync.poll.pace import LONGEST, Failures, Signs, is_due, wait

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def signs(*, called: timedelta, changed: timedelta | None = None, **more: datetime) -> Signs:
    return Signs(
        polled_at=NOW - HOUR,
        called_at=NOW - called,
        changed_at=None if changed is None else NOW - changed,
        **more,
    )


@pytest.mark.parametrize(
    ("idle", "expected"),
    [
        (MINUTE, 15 * MINUTE),
        (59 * MINUTE, 15 * MINUTE),
        (HOUR, HOUR),
        (timedelta(days=2.9), HOUR),
        (timedelta(days=3), 2 * HOUR),
        (timedelta(days=13), 2 * HOUR),
        (timedelta(days=14), 4 * HOUR),
        (timedelta(days=400), 4 * HOUR),
    ],
)
def test_the_less_a_course_is_used_the_longer_it_waits(
    idle: timedelta, expected: timedelta
) -> None:
    assert wait(signs(called=idle), HOUR, NOW) == expected


def test_news_at_coursera_keep_a_course_at_its_pace_without_any_launch() -> None:
    assert wait(signs(called=timedelta(days=90), changed=MINUTE), HOUR, NOW) == HOUR


@pytest.mark.parametrize("every", [timedelta(seconds=5), MINUTE, 5 * MINUTE])
def test_a_short_pace_is_not_shortened(every: timedelta) -> None:
    assert wait(signs(called=MINUTE), every, NOW) == every


def test_a_quiet_course_is_read_once_a_day_at_least() -> None:
    assert wait(signs(called=timedelta(days=90)), 12 * HOUR, NOW) == LONGEST
    assert wait(signs(called=timedelta(days=90)), 48 * HOUR, NOW) == 48 * HOUR


def test_what_waits_to_be_planned_does_not_wait_for_the_pace() -> None:
    assert wait(signs(called=MINUTE, waits_since=NOW - MINUTE), HOUR, NOW) == MINUTE
    assert wait(signs(called=MINUTE, waits_since=NOW - 2 * HOUR), HOUR, NOW) == 10 * MINUTE


@pytest.mark.parametrize("seed", range(300))
def test_a_course_in_use_never_waits_longer_than_the_pace(seed: int) -> None:
    chance = random.Random(seed)
    every = timedelta(seconds=10 ** chance.uniform(0, 6))
    called, changed = (timedelta(seconds=10 ** chance.uniform(0, 7.5)) for _ in range(2))
    waits = chance.random() < 0.2
    more = {"waits_since": NOW - called} if waits else {}
    longest = wait(signs(called=called, changed=changed, **more), every, NOW)
    in_use = waits or min(called, changed) < timedelta(days=3)
    assert min(every, MINUTE) <= longest <= (every if in_use else max(every, LONGEST))


def test_a_course_that_was_never_read_is_due_at_once() -> None:
    new = Signs(polled_at=None, called_at=NOW)
    assert is_due(new, HOUR, NOW)
    assert not is_due(new, HOUR, NOW, Failures(1, NOW))


@pytest.mark.parametrize(("count", "seconds"), [(1, 30), (2, 60), (4, 240), (60, 3600)])
def test_a_course_that_can_not_be_read_is_asked_less_and_less(count: int, seconds: int) -> None:
    late = Signs(polled_at=NOW - 9 * HOUR, called_at=NOW - 9 * HOUR)
    failures = Failures(count, NOW)
    assert not is_due(late, HOUR, NOW + timedelta(seconds=seconds - 1), failures)
    assert is_due(late, HOUR, NOW + timedelta(seconds=seconds), failures)


def test_a_course_is_due_when_its_time_has_come() -> None:
    quiet = signs(called=timedelta(days=5))
    assert not is_due(quiet, HOUR, NOW) and is_due(quiet, HOUR, NOW + HOUR)
