"""Delivery: what scores cost the platform and us, beside other ways to send them.

The platform is a receiver in a process of its own, so that its CPU is not counted as ours; the
ledger of the practice campus counts where nothing is to be sent. Everything that a delivery does
is in each figure: claim, token, read the columns, judge, send, record.

PyLTI1p3 posts in a loop, with a connector for each score or one for all; as it remembers nothing,
each poll sends every grade. What is like Hypothesis sends what has changed, in a task for each.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from statistics import median

import pytest
from sqlalchemy import select, update

import databases
from benchmarks import senders
from benchmarks.figures import Figure, LeftOut
from benchmarks.senders import Send
from fleets import fill
from passport_lti.extensions import db
from passport_lti.models import Cell, Platform
from passport_lti.sync.delivery import deliver
from passport_lti.sync.delivery.outcomes import Outcomes
from receivers import Apart, receiving_apart
from worlds import World, opened

NAMES = (
    "platform_requests_per_changed_grade",
    "idle_poll_platform_requests",
    "platform_limit_share",
    "cpu_ms_per_score",
)
RUNS = 3
LEARNERS, ITEMS, SHARE = 10_000, 40, 100
"""W3: one grade in a hundred has changed."""
CLASS, CLASS_ITEMS, POLLS = 500, 10, 20
"""W1."""
CONNECTIONS, LATENCY = 16, 0.05
LIMIT = CONNECTIONS / LATENCY
"""Scores a second that the platform allows."""
USUAL = 4
"""Connections while CPU is measured: what the tool makes to a platform unless it is changed."""
SCORES, COLUMNS, SLOW_SCORES = 6000, 4, 4800
"""Of a first delivery: to a platform that answers at once, and to the one that has a limit."""
RAW = 3000
PEERS: dict[str, tuple[Callable[[str], AbstractContextManager[Send]], int, int, int, int]] = {
    "pylti1p3_naive": (senders.pylti1p3_naive, 40, 60, 1, SHARE),
    "pylti1p3_one_connector": (senders.pylti1p3_one_connector, 400, 100, 1, SHARE),
    "hypothesis_like": (senders.hypothesis_like, 400, 1200, CONNECTIONS, 1),
}
"""By name: how it is set up, how many scores it sends in a run for CPU and for the limit, how many
of them side by side at the latter, and how many grades it sends for one that has changed."""


def figures() -> Iterator[Figure | LeftOut]:
    kinds = ["sqlite"]
    try:
        with databases.postgresql():
            kinds.append("postgresql")
    except pytest.skip.Exception as missing:
        yield LeftOut("delivery on PostgreSQL", str(missing))
    cpu: dict[str, float] = {}
    calls: dict[str, float] = {}
    for name, (peer, scores, _, _, sent_for_one) in PEERS.items():
        cpu[name], calls[name] = _peers_cost(peer, scores)
        calls[name] *= sent_for_one
    yield Figure(
        "platform_requests_per_changed_grade", "requests", requests_per_changed_grade(), 1.02, 1.0,
        calls,
    )  # fmt: skip
    yield Figure("idle_poll_platform_requests", "requests", idle_poll_requests(), 0, 0)
    share = min(limit_share(kind) for kind in kinds)
    shares = {name: _peers_share(*of[:1], *of[2:4]) for name, of in PEERS.items()}
    yield Figure("platform_limit_share", "share", share, 0.95, 1.0, shares, at_least=True)
    ours = max(cpu_per_score(kind) for kind in kinds)
    floor, _ = _peers_cost(senders.raw, RAW)
    yield Figure("cpu_ms_per_score", "ms", ours, 0.40, floor, cpu)


def requests_per_changed_grade() -> float:
    """W3: requests of every kind that the platform gets, for each of the grades that changed.

    10,000 learners in 40 columns have all that they should; then one grade in a hundred changes,
    the same number in each column, and is delivered. The columns answer with their 10,000
    results on one page, as Moodle does. What the poll before it asks the platform is
    `idle_poll_platform_requests`. On SQLite: the database makes no difference to the number.
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
            changed = update(Cell).where(Cell.id % SHARE == 0)
            db.session.execute(changed.values(wanted_given=60, state="due", due_at=now, version=2))
            db.session.commit()
        _deliver(world, 0, LEARNERS * ITEMS // SHARE)
        asked = receiver.seen().asked
        assert asked["scores"] == LEARNERS * ITEMS // SHARE, asked
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
        _publish(world)
        first = world.sync()
        assert first.ok and first.summary["delivered"] == CLASS * CLASS_ITEMS, first
        before = world.campus.ledger.count()
        for _ in range(POLLS):
            poll = world.sync()
            assert poll.ok and poll.summary["polled"], poll
        return world.campus.ledger.count() - before


def _publish(world: World) -> None:
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
    """W2, 4,800 scores of it: how much of what the platform allows is used, start to end.

    The platform takes 50 ms for each answer and allows 16 connections: 320 scores a second. Timed
    is the whole delivery into four new columns, its token and readings included. Raises where
    there were more calls at once than allowed. On each database; the lower share is the figure.
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


def _peers_cost(
    peer: Callable[[str], AbstractContextManager[Send]], scores: int
) -> tuple[float, float]:
    """CPU ms of this process and requests for one score, sent one after the other.

    CPU is the median of three runs; requests are those of all of them.
    """
    spent = []
    with receiving_apart(0) as receiver, peer(receiver.url) as send:
        for run in range(RUNS):
            began = time.process_time()
            for number in range(run * scores, (run + 1) * scores):
                send(number)
            spent.append(time.process_time() - began)
        asked = _all_sent(receiver, RUNS * scores)
    return median(spent) * 1000 / scores, sum(asked.values()) / asked["scores"]


def _peers_share(
    peer: Callable[[str], AbstractContextManager[Send]], scores: int, side_by_side: int
) -> float:
    """How much of the platform's limit a peer uses."""
    with receiving_apart(LATENCY) as receiver, peer(receiver.url) as send:
        began = time.monotonic()
        with ThreadPoolExecutor(side_by_side) as pool:
            list(pool.map(send, range(scores)))
        took = time.monotonic() - began
        _all_sent(receiver, scores)
    return scores / took / LIMIT


def _all_sent(receiver: Apart, scores: int) -> Counter[str]:
    asked = receiver.seen().asked
    assert asked["scores"] == scores, asked
    return asked
