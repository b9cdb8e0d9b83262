"""W7: 2,000 learners open an activity within a minute, each for the first time.

The tool is `passport-lti serve` with two processes, as the deployment files run it, told of one
proxy; all learners come from one address, as from behind a campus's own. Each has a browser of its
own, and so a new connection. The platform has changed its key the night before, and takes 50 ms
for its key set. Timed is each request as a
browser sees it, on a machine that plays the platform and all browsers, too; the figure is that of
the slower database.

Then the same learners come again without a pause: how many launches a second two processes manage
beside whoever asks them. PyLTI1p3's sample is asked the same way behind the same server, and ltijs
in a process of its own.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from random import Random
from statistics import quantiles

import pytest
from sqlalchemy import func, select

import databases
import ports
from benchmarks import peers
from benchmarks.door import Answer, Burst, HttpDoor
from benchmarks.figures import LeftOut, Load
from faults.processes import running, wait_for
from fleets import is_ready
from passport_lti.extensions import db
from passport_lti.models import LaunchLog
from passport_lti.sandbox.campus.state import Person
from worlds import World, opened

TIMES = (
    "burst_login_p50_ms", "burst_login_p99_ms", "burst_launch_p50_ms", "burst_launch_p99_ms",
)  # fmt: skip
LOADS = {"W7": (*TIMES, "burst_refused", "burst_key_set_requests", "burst_launches_per_second")}
LEARNERS, SECONDS = 2_000, 60.0
WARM = 50
"""Launches of the teacher before: the tool has not just been started."""
CLIENTS = 64
"""Browsers that may wait for an answer at the same time while the class starts."""
ROUND, PEER_ROUND, AT_ONCE = 2_000, 300, 8
"""Launches without a pause, ours and each peer's, and how many of them at the same time."""
KEY_SET_SECONDS = 0.05
ADDRESS = {"X-Forwarded-For": "203.0.113.7"}


@dataclass
class Seen:
    """What browsers saw: ms that requests took, by path, and answers that nobody wants."""

    logins: list[float] = field(default_factory=list)
    launches: list[float] = field(default_factory=list)
    refused: list[tuple[int, bytes]] = field(default_factory=list)

    def times(self) -> list[float]:
        """In the order of `TIMES`."""
        return [value for each in (self.logins, self.launches) for value in middle_and_tail(each)]


@dataclass
class Browser:
    """What one learner asks of the tool, timed: the login from when the learner `came`."""

    door: HttpDoor
    seen: Seen
    came: float | None = None

    def post(self, path: str, fields: dict[str, str], cookie: str = "") -> Answer:
        is_login = path == "/lti/login"
        took = self.seen.logins if is_login else self.seen.launches
        began = self.came if is_login and self.came else time.perf_counter()
        answer = self.door.post(path, fields, cookie)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status >= 400:
            self.seen.refused.append((answer.status, answer.body[:300]))
        return answer


@dataclass(frozen=True)
class Ours:
    """What one database gave: the minute, key sets asked for in it, and launches a second."""

    minute: Seen
    key_sets: int
    rate: float


def figures() -> Iterator[Load | LeftOut]:
    found: dict[str, Ours] = {}
    rates: dict[str, float] = {}
    for kind in databases.KINDS:
        try:
            with opened(kind) as world:
                burst = class_of(world)
                with serving(world) as port:
                    found[kind] = measured(world, burst, port)
                if kind == databases.KINDS[0]:
                    for name, peer in (("pylti1p3", peers.pylti1p3_served), ("ltijs", ltijs)):
                        try:
                            with peer(burst) as port:
                                rates[name] = rate(burst, port, PEER_ROUND)
                        except pytest.skip.Exception as missing:
                            yield LeftOut(f"{name} beside the burst", str(missing))
        except pytest.skip.Exception as missing:
            yield LeftOut(f"the burst on {kind}", str(missing))
    for number, name in enumerate(TIMES):
        both = {f"ours_{kind}": ours.minute.times()[number] for kind, ours in found.items()}
        yield Load(name, "ms", max(both.values()), None, "W7", both)
    refused = [len(ours.minute.refused) for ours in found.values()]
    yield Load("burst_refused", "requests", max(refused), 0, "W7")
    asked = max(ours.key_sets for ours in found.values())
    yield Load("burst_key_set_requests", "requests", asked, 2, "W7")
    both = {f"ours_{kind}": ours.rate for kind, ours in found.items()}
    slower = min(both.values())
    yield Load("burst_launches_per_second", "1/s", slower, 600, "W7", both | rates, at_least=True)


def middle_and_tail(values: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    found = quantiles(values, n=100, method="inclusive")
    return found[49], found[98]


def class_of(world: World) -> Burst:
    """An activity, and learners of whom the tool knows nothing yet."""
    school = world.school
    [activity] = world.publish("final", "final_grade")
    people = [school.campus.add_person("Learner", str(number)) for number in range(LEARNERS)]
    for person in people:
        school.campus.enrol(school.context, person, "learner")
    return Burst(school.campus, activity, people)


@contextmanager
def serving(world: World) -> Iterator[int]:
    """The tool in two processes behind a proxy, its log at the usual level; their port."""
    config = world.configure(
        lambda values: values.update(
            tool={**values["tool"], "proxy_hops": 1}, log={"level": "info"}
        )
    )
    port = ports.free()
    with running(world, "serve", "--workers", "2", "--port", str(port), config=config) as server:
        assert wait_for(lambda: is_ready(f"http://127.0.0.1:{port}")), server.said
        yield port


def measured(world: World, burst: Burst, port: int) -> Ours:
    """The class starts, and comes again. Raises where a launch was not written down."""
    campus = world.campus
    rate(replace(burst, people=[world.school.teacher]), port, WARM)
    campus.rotate_key()
    slow = campus.faults.add("jwks", times=None, delay=KEY_SET_SECONDS)
    asked, known = campus.ledger.count("jwks"), _written(world)
    minute = start(burst, port)
    assert _written(world) - known == LEARNERS - len(minute.refused), minute.refused[:3]
    assert slow.hits == campus.ledger.count("jwks") - asked
    return Ours(minute, slow.hits, rate(burst, port, ROUND))


def start(burst: Burst, port: int) -> Seen:
    """Everybody's launch at a time of its own within the minute."""
    seen, dice = Seen(), Random(7)
    times = sorted(dice.uniform(0, SECONDS) for _ in burst.people)
    began = time.perf_counter()

    def come(person: Person, at: float) -> None:
        time.sleep(max(began + at - time.perf_counter(), 0))
        _open(burst, person, port, seen, began + at)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(come, burst.people, times))
    return seen


def rate(burst: Burst, port: int, times: int) -> float:
    """Launches a second of so many without a pause. Raises where one was refused."""
    seen = Seen()
    people = list(chain(*[burst.people] * (times // len(burst.people) + 1)))[:times]
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda person: _open(burst, person, port, seen), people))
    took = time.monotonic() - began
    assert not seen.refused, seen.refused[:3]
    return times / took


def _open(burst: Burst, person: Person, port: int, seen: Seen, came: float | None = None) -> None:
    door = HttpDoor(port, ADDRESS)
    try:
        burst.open(Browser(door, seen, came), person)
    finally:
        door.connection.close()


@contextmanager
def ltijs(burst: Burst) -> Iterator[int]:
    with peers.ltijs(burst) as door:
        yield door.connection.port


def _written(world: World) -> int:
    """Launches that the tool has written down."""
    with world.app.app_context():
        count = db.session.scalar(select(func.count()).where(LaunchLog.verdict == "ok"))
        db.session.remove()
    return count or 0
