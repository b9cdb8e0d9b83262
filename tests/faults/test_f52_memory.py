"""F52: the memory of a sync stays small however many grades there are.

`F52_LEARNERS` in the environment takes that many learners of 40 items: 100000 are 4 million grades.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

import databases
import measuring
from passport_lti.sandbox.campus.state import Grade
from worlds import World, opened

LEARNERS = int(os.environ.get("F52_LEARNERS", "2000"))
ITEMS = 40
LIMIT = 256
"""MiB."""
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
    " WHERE m.email LIKE 'learner%'"
)
CELLS = text(
    "INSERT INTO cell (line_item_fk, member_fk, wanted_given, wanted_maximum, completed, version,"
    " delivered_given, delivered_maximum, delivered_completed, state, forced, attempts, sent_stamp,"
    " coursera_at, read_at, accepted_at)"
    " SELECT l.id, m.id, :old, l.maximum, true, 1, :old, l.maximum, true, 'delivered', false, 0,"
    " :stamp, :now, :now, :now FROM line_item l CROSS JOIN member m"
    " WHERE l.owner = 'tool' AND m.email LIKE 'learner%'"
)


@pytest.fixture
def plain() -> Iterator[World]:
    with opened() as world:
        yield world


def stand(world: World, learners: int) -> dict[tuple[str, str], int]:
    """Option B with everything delivered to these learners and then a few regrades.

    Everybody's grades are put where they would be after a sync of them all. Returns what the
    gradebook is to show for the regraded, by column and `sub`.
    """
    course = world.coursera.add_course(
        world.school.program, "Big", [(f"Item {n:02}", "EXAM", 1) for n in range(ITEMS)]
    )
    world.school.courses["big"] = course
    [activity] = world.publish("big", "granular_auto_columns", include_final=None)
    world.meet(activity)
    world.grade(world.school.learners[0], "big", "Item 00", OLD)
    assert world.sync().ok
    columns = {c.label: c for c in world.school.context.line_items if c.label.startswith("Item")}
    assert len(columns) == ITEMS
    now = datetime.now(UTC) - timedelta(minutes=1)
    stamp = int(now.timestamp())
    same = {item.id: OLD / 100 for item in course.items}
    people, news = [], {}
    for number in range(learners):
        email = f"learner{number}@campus.example"
        person = world.campus.add_person("Learner", f"Number {number}", email=email)
        world.campus.enrol(world.school.context, person, "learner")
        enrolled = world.coursera.enrol(world.coursera.add_person(email, email, email), course)
        enrolled.standing.grades = same
        people.append({"sub": person.id, "name": person.name, "email": email, "now": now})
        for place, item in enumerate(course.items):
            column = columns[item.name]
            column.grades[person.id] = Grade(OLD, OLD, column.maximum, stamp)
            if (number + place) % EVERY == 0:
                enrolled.standing.grades = {**enrolled.standing.grades, item.id: NEW / 100}
                news[item.name, person.id] = NEW
    with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
        connection.execute(PEOPLE, people)
        connection.execute(MEMBERSHIPS)
        cells = connection.execute(CELLS, {"old": OLD, "stamp": stamp, "now": now}).rowcount
    assert cells == learners * ITEMS
    world.campus.ledger.clear()
    return news


def test_f52_a_sync_of_a_large_gradebook_stays_small(plain):
    news = stand(plain, LEARNERS)

    peak = measuring.peak(plain, "sync")

    print(f"{peak} MiB resident for {LEARNERS * ITEMS} grades")
    assert peak < LIMIT, f"{peak} MiB resident for {LEARNERS * ITEMS} grades"
    sent = {(s.line_item_id, s.user_id): s.given for s in plain.campus.ledger.scores}
    columns = {c.id: c.label for c in plain.school.context.line_items}
    assert {(columns[item], sub): given for (item, sub), given in sent.items()} == news
    assert len(plain.campus.ledger.scores) == len(news) > 0
