"""Delivery: what scores cost the platform and us, beside other ways to send them.

The platform is a receiver in a process of its own, so that its CPU is not counted as ours; the
ledger of the practice campus counts where nothing is to be sent. Everything that a delivery does
is in each figure: claim, token, read the columns, judge, send, record.

PyLTI1p3 posts in a loop, with a connector for each score or one for all; as it remembers nothing,
each poll sends every grade: its requests for a score are measured, and counted for so many. What
is like Hypothesis sends what has changed, as its dashboard does, in a task for each.
"""

import json
import time
from collections.abc import Iterator
from statistics import median

import pytest
from sqlalchemy import select, update

import databases
from benchmarks.figures import Figure, LeftOut
from benchmarks.hypothesis import hypothesis_like
from benchmarks.senders import Peer, pylti1p3_naive, pylti1p3_one_connector, raw
from fleets import fill
from passport_lti.extensions import db
from passport_lti.models import Cell, Platform
from passport_lti.sync.delivery import deliver
from passport_lti.sync.delivery.outcomes import Outcomes
from receivers import receiving_apart
from worlds import World, opened

NAMES = (
    "platform_requests_per_changed_grade",
    "idle_poll_platform_requests",
    "platform_limit_share",
    "cpu_ms_per_score",
)
WORKLOADS = {"W2": NAMES[2:], "W3": NAMES[:1], "W5": NAMES[1:2]}
RUNS = 3
LEARNERS, ITEMS, ONE_IN = 10_000, 40, 100
"""W3: one grade in a hundred has changed."""
CLASS, CLASS_ITEMS, POLLS = 500, 10, 20
"""W1."""
CONNECTIONS, LATENCY = 16, 0.05
LIMIT = CONNECTIONS / LATENCY
"""Scores a second that the platform allows."""
USUAL = 4
"""Connections while CPU is measured: what the tool makes to a platform unless it is changed."""
SCORES, COLUMNS, SLOW_SCORES = 6000, 4, 12_800
"""Of a first delivery: to a platform that answers at once, and to the one that has a limit."""

PEERS = {
    "pylti1p3_naive": Peer(pylti1p3_naive, 40, 60, 1, sends_all=True),
    "pylti1p3_one_connector": Peer(pylti1p3_one_connector, 400, 100, 1, sends_all=True),
    "hypothesis_like": Peer(hypothesis_like, 400, 1200, CONNECTIONS, sends_all=False),
}
RAW = Peer(raw, 3000, 3200, CONNECTIONS, sends_all=True)
"""The floor of CPU, and what the limit is on this machine."""


def figures() -> Iterator[Figure | LeftOut]:
    kinds = ["sqlite"]
    try:
        with databases.postgresql():
            kinds.append("postgresql")
    except pytest.skip.Exception as missing:
        yield LeftOut("delivery on PostgreSQL", str(missing))
    costs = {name: peer.cost() for name, peer in PEERS.items()}
    calls = {name: requests for name, (_, requests) in costs.items()}
    first = "platform_requests_per_changed_grade"
    theirs = {x: calls[x] * (ONE_IN if peer.sends_all else 1) for x, peer in PEERS.items()}
    yield Figure(first, "requests", requests_per_changed_grade(), 1.02, 1, theirs)
    idle = CLASS * CLASS_ITEMS * POLLS
    theirs = {x: calls[x] * idle if peer.sends_all else 0 for x, peer in PEERS.items()}
    yield Figure("idle_poll_platform_requests", "requests", idle_poll_requests(), 0, 0, theirs)
    share = min(limit_share(kind) for kind in kinds)
    everybody = {**PEERS, "http_client": RAW}
    theirs = {name: peer.rate(LATENCY) / LIMIT for name, peer in everybody.items()}
    yield Figure("platform_limit_share", "share", share, 0.95, 1, theirs, at_least=True)
    ours = max(cpu_per_score(kind) for kind in kinds)
    theirs = {name: spent for name, (spent, _) in costs.items()}
    yield Figure("cpu_ms_per_score", "ms", ours, 0.40, RAW.cost()[0], theirs)


def requests_per_changed_grade() -> float:
    """W3: requests of every kind that the platform gets, for each of the grades that changed.

    10,000 learners in 40 columns have all that they should; then one grade in a hundred changes,
    the same number in each column, and is delivered. The columns answer with their 10,000
    results on one page, as Moodle does. The poll that finds the changes is not in it. On SQLite:
    the database makes no difference to the number.
    """
    results = json.dumps([_result(str(number)) for number in range(LEARNERS)]).encode()
    with receiving_apart(0, results) as receiver, opened("sqlite") as world:
        fill(world, receiver, 1, LEARNERS, columns=ITEMS)
        with world.app.app_context():
            now = world.services.clock()
            db.session.execute(
                update(Cell).values(
                    state="delivered", due_at=None, delivered_given=Cell.wanted_given,
                    delivered_maximum=Cell.wanted_maximum, delivered_completed=True,
                    accepted_at=now, sent_stamp=int(now.timestamp()) - 3600,
                )
            )  # fmt: skip
            changed = update(Cell).where(Cell.id % ONE_IN == 0)
            db.session.execute(changed.values(wanted_given=60, state="due", due_at=now, version=2))
            db.session.commit()
        _deliver(world, 0, LEARNERS * ITEMS // ONE_IN)
        asked = receiver.seen().asked
        assert asked["scores"] == LEARNERS * ITEMS // ONE_IN, asked
        return sum(asked.values()) / asked["scores"]


def _result(sub: str) -> dict[str, object]:
    return {
        "id": f"/results/{sub}", "userId": sub, "resultScore": 50, "resultMaximum": 100,
        "timestamp": "2026-01-05T08:00:00+00:00",
    }  # fmt: skip


def idle_poll_requests() -> float:
    """W5: all that a platform is asked in 20 polls that find nothing new, after W1's first sync.

    500 learners with 10 items at the practice servers, option B; counted by the campus itself.
    """
    with opened("sqlite") as world:
        publish(world)
        first = world.sync()
        assert first.ok and first.summary["delivered"] == CLASS * CLASS_ITEMS, first
        before = world.campus.ledger.count()
        for _ in range(POLLS):
            poll = world.sync()
            assert poll.ok and poll.summary["polled"], poll
        return world.campus.ledger.count() - before


def publish(world: World) -> None:
    """Option B of a course in the context, its roster known, all its grades at Coursera."""
    school = world.school
    course = school.coursera.add_course(
        school.program, "Benchmark", [(f"Item {n}", "EXAM", 1) for n in range(CLASS_ITEMS)]
    )
    school.courses = {**school.courses, "large": course}
    accounts = []
    for number in range(CLASS):
        person = school.campus.add_person("Learner", str(number))
        school.campus.enrol(school.context, person, "learner")
        accounts.append(school.coursera.add_person(person.email, person.email, person.name))
    [activity] = world.publish("large", "granular_auto_columns")
    world.meet(activity)
    for number, account in enumerate(accounts):
        school.coursera.enrol(account, course)
        grades = dict.fromkeys(course.items, (50 + number % 50) / 100)
        school.coursera.set_grades(account, course, grades)


def limit_share(kind: str) -> float:
    """W2, 12,800 scores of it: how much of what the platform allows is used, start to end.

    The platform takes 50 ms for each answer and allows 16 connections: 320 scores a second. Timed
    is the whole delivery into four new columns, its tokens and readings included. Raises where
    there were more calls at once than allowed. On each database; the lower share is the figure.
    Beside it is what 16 bare connections of `http.client` reach on this machine.
    """
    with receiving_apart(LATENCY) as receiver, opened(kind) as world:
        fill(world, receiver, 1, SLOW_SCORES // COLUMNS, columns=COLUMNS, connections=CONNECTIONS)
        began = time.monotonic()
        _deliver(world, 0, SLOW_SCORES)
        took = time.monotonic() - began
        assert receiver.seen().at_once["p0"] <= CONNECTIONS, "more calls at once than allowed"
    return SLOW_SCORES / took / LIMIT


def cpu_per_score(kind: str) -> float:
    """W2, 6,000 scores of it: ms of our process's CPU per score, of all threads.

    Into four new columns of a platform that answers at once, on four connections; the median of
    three deliveries, each to a platform of its own. On each database; the dearer is the figure.
    The floor is a kept connection of `http.client` that posts the same score again and again.
    """
    with receiving_apart(0) as receiver, opened(kind) as world:
        spent = []
        for number in range(RUNS):
            fill(world, receiver, 1, SCORES // COLUMNS, first=number, columns=COLUMNS)
            began = time.process_time()
            _deliver(world, number, SCORES)
            spent.append(time.process_time() - began)
            assert receiver.seen().at_once[f"p{number}"] <= USUAL, "more calls than allowed"
    return median(spent) * 1000 / SCORES


def _deliver(world: World, number: int, scores: int) -> None:
    """Deliver what is due to one platform, so many scores; raises where any did not arrive."""
    outcomes = Outcomes()
    with world.app.app_context():
        name = select(Platform.id).where(Platform.name == f"p{number}")
        platform = db.session.scalars(name).one()
        deliver.deliver(world.services, outcomes, world.app.app_context, platform_id=platform)
        db.session.remove()
    assert (outcomes.sent, outcomes.delivered) == (scores, scores), outcomes.reasons
