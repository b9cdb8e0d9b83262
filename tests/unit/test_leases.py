"""A lease is had by one at a time, whoever else takes it or gives it back at that moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask import Flask

from passport_lti import leases
from passport_lti.sync.services import utc_now

MINUTE = timedelta(minutes=1)


def test_it_is_had_by_one(database: Flask) -> None:
    now = utc_now()

    assert leases.take("work", "first", now, MINUTE)
    assert not leases.take("work", "second", now, MINUTE)
    assert leases.take("work", "first", now + MINUTE * 0.7, MINUTE)
    assert not leases.take("work", "second", now + MINUTE * 1.5, MINUTE)
    leases.give_back("work", "second")
    assert not leases.take("work", "second", now + MINUTE * 1.5, MINUTE)
    leases.give_back("work", "first")
    assert leases.take("work", "second", now + MINUTE * 1.5, MINUTE)
    assert leases.take("work", "first", now + MINUTE * 3, MINUTE)


def test_one_that_has_run_out_may_be_taken_while_it_is_given_back(database: Flask) -> None:
    """Each finds the other's lease run out, and now and then gone before it can be taken over."""
    now = utc_now()

    def play(holder: str) -> int:
        with database.app_context():
            had = 0
            for _ in range(200):
                had += leases.take("work", holder, now, -MINUTE)
                leases.give_back("work", holder)
            return had

    with ThreadPoolExecutor() as players:
        had = list(players.map(play, ("first", "second", "third")))

    assert all(had)
