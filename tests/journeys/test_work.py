"""Work is proportional to change: rows that did not change cost no write and no call."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell
from passport_lti.scheduler import Clock

RUN = ("sync_run", "program_course")
"""The tables that a poll writes in any case: that it was, and when the course was read."""


@pytest.fixture
def published(world):
    """Five learners with a grade each in one item, all delivered."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for place, learner in enumerate(world.school.learners):
        world.grade(learner, "columns", "Averages", 80 + place)
    assert world.sync().ok
    world.campus.ledger.clear()
    world.coursera.ledger.clear()
    return world


@contextmanager
def written(world):
    """The rows written meanwhile, as (verb, table) with how many rows each statement named."""
    seen = []

    def note(connection, cursor, statement, parameters, context, many):
        words = statement.replace('"', "").split()
        verb = words[0].upper()
        if verb in ("INSERT", "UPDATE", "DELETE"):
            table = words[1] if verb == "UPDATE" else words[2]
            seen.extend([(verb, table)] * (len(parameters) if many else 1))

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def poll_later(world, minutes=61):
    """What the scheduler does an hour later."""
    now = world.services.clock() + timedelta(minutes=minutes)
    world.services.clock = lambda: now
    clock = Clock(world.app)
    with world.app.app_context():
        clock._poll()
        clock._deliver()
        db.session.remove()


def rows_of(world, model):
    with world.app.app_context():
        rows = [tuple(row) for row in db.session.execute(db.select(*model.__table__.columns))]
        db.session.remove()
    return rows


def tables(seen):
    return {table for _, table in seen}


def test_an_idle_poll_writes_when_it_was_and_asks_the_platform_nothing(published):
    with written(published) as seen:
        poll_later(published)

    assert published.campus.ledger.requests == []
    assert published.coursera.count("gradebook") == 1
    assert tables(seen) <= {*RUN, "lease", "sync_share"} and len(seen) <= 5


def test_one_new_grade_writes_for_one_learner_alone(published):
    before = set(rows_of(published, Cell))
    published.grade(published.school.learners[0], "columns", "Chance", 50)
    with written(published) as seen:
        poll_later(published)

    assert len(published.campus.ledger.scores) == 2  # the item, and with it the course grade
    assert not tables(seen) & {"member", "membership", "unmatched_learner"}
    assert [verb for verb, table in seen if table == "match"] == ["UPDATE"]  # what was planned
    assert sum(table == "cell_change" for _, table in seen) == 1
    assert len(set(rows_of(published, Cell)) - before) == 2


def test_a_roster_without_news_writes_no_person(published):
    with published.app.app_context():
        db.session.execute(db.update(Activity).values(planned_digest=""))
        db.session.commit()
    with written(published) as seen:
        poll_later(published)

    assert [request.path for request in published.campus.ledger.requests] != []
    assert not tables(seen) & {"match", "member", "membership", "unmatched_learner", "cell"}


def test_who_left_over_changes_alone_are_written(published):
    zoe = published.coursera.add_person("zoe@elsewhere.example", "zoe@elsewhere.example", "Zoe")
    published.coursera.grade(zoe, published.school.courses["columns"], "Averages", 70)
    with written(published) as seen:
        poll_later(published)

    assert [verb for verb, table in seen if table == "unmatched_learner"] == ["INSERT"]
    assert "match" not in tables(seen)
