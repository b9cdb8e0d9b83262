"""F52: the memory of a sync stays small however many grades there are.

The environment can ask for more: `F52_COURSES=40 F52_LEARNERS=2500` are 4 million grades.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import databases
import measuring
from passport_lti.sandbox.campus.state import Context, Grade
from worlds import World, opened

COURSES = int(os.environ.get("F52_COURSES", "4"))
LEARNERS = int(os.environ.get("F52_LEARNERS", "250"))
ITEMS = 40
LIMIT = 256
"""MiB."""
SLACK = 0.2
"""How much more many courses may take than a part of them."""
EVERY = 100
"""One in so many cells has news."""
OLD, NEW = 50, 60

PEOPLE = text(
    "INSERT INTO member (platform_id, sub, name, email, external_id, seen_at)"
    " SELECT id, :sub, :name, :email, :email, :now FROM platform"
)
MEMBERSHIPS = text(
    "INSERT INTO membership (context_fk, member_fk, role, state)"
    " SELECT c.id, m.id, 'learner', 'active' FROM context c CROSS JOIN member m"
    " WHERE c.context_id = :context AND m.email LIKE :emails"
)
CELLS = text(
    "INSERT INTO cell (line_item_fk, member_fk, wanted_given, wanted_maximum, completed, version,"
    " delivered_given, delivered_maximum, delivered_completed, state, forced, attempts, sent_stamp,"
    " coursera_at, read_at, accepted_at)"
    " SELECT l.id, m.id, :old, l.maximum, true, 1, :old, l.maximum, true, 'delivered', false, 0,"
    " :stamp, :now, :now, :now FROM line_item l CROSS JOIN member m"
    " JOIN context c ON c.id = l.context_fk"
    " WHERE l.owner = 'tool' AND c.context_id = :context AND m.email LIKE :emails"
)


@pytest.fixture
def plain() -> Iterator[World]:
    with opened() as world:
        yield world


def publish(world: World, name: str) -> Context:
    """A context with option B and one learner, whose columns the next sync makes."""
    context = world.campus.add_context(name, name)
    world.campus.enrol(context, world.school.teacher, "instructor")
    world.campus.enrol(context, world.school.learners[0], "learner")
    course = world.coursera.add_course(
        world.school.program, name, [(f"Item {n:02}", "EXAM", 1) for n in range(ITEMS)]
    )
    world.school.courses[name] = course
    school = replace(world.school, context=context)
    [activity] = school.publish(world.tool, course=name, strategy="granular_auto_columns")
    world.meet(activity)
    world.grade(world.school.learners[0], name, "Item 00", OLD)
    return context


def fill(world: World, context: Context) -> dict[tuple[str, str], int]:
    """Put everybody's grades where they would be after a sync of them all, then regrade a few.

    Returns what the gradebook is to show for the regraded, by line item and `sub`.
    """
    name = context.shortname
    course = world.school.courses[name]
    columns = {c.label: c for c in context.line_items if c.activity is None}
    assert len(columns) == ITEMS
    now = datetime.now(UTC) - timedelta(minutes=1)
    stamp = int(now.timestamp())
    same = {item.id: OLD / 100 for item in course.items}
    people, news = [], {}
    for number in range(LEARNERS):
        email = f"{name}-{number}@campus.example"
        person = world.campus.add_person(name, f"Number {number}", email=email)
        world.campus.enrol(context, person, "learner")
        enrolled = world.coursera.enrol(world.coursera.add_person(email, email, email), course)
        enrolled.standing.grades = same
        people.append({"sub": person.id, "name": person.name, "email": email, "now": now})
        for place, item in enumerate(course.items):
            column = columns[item.name]
            column.grades[person.id] = Grade(OLD, OLD, column.maximum, stamp)
            if (number + place) % EVERY == 0:
                enrolled.standing.grades = {**enrolled.standing.grades, item.id: NEW / 100}
                news[column.id, person.id] = NEW
    with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
        here = {"context": context.id, "emails": f"{name}-%"}
        connection.execute(PEOPLE, people)
        connection.execute(MEMBERSHIPS, here)
        cells = connection.execute(CELLS, {"old": OLD, "stamp": stamp, "now": now, **here})
    assert cells.rowcount == LEARNERS * ITEMS
    return news


def test_f52_a_sync_of_large_gradebooks_stays_small_however_many_there_are(plain):
    contexts = [publish(plain, f"big{number}") for number in range(COURSES)]
    assert plain.sync().ok
    peaks = []
    for part in (contexts[: COURSES // 4 or 1], contexts[COURSES // 4 or 1 :]):
        news = {}
        for context in part:
            news |= fill(plain, context)
        plain.campus.ledger.clear()

        peaks.append(measuring.peak(plain, "sync"))

        scores = plain.campus.ledger.scores
        assert {(s.line_item_id, s.user_id): s.given for s in scores} == news
        assert len(scores) == len(news) > 0

    print(f"{peaks} MiB resident for a part and for all of {COURSES} x {LEARNERS} x {ITEMS} grades")
    assert max(peaks) < LIMIT
    assert peaks[1] < peaks[0] * (1 + SLACK)
