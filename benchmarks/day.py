"""W9: a day of grades under way while one request in twenty fails, at Coursera and at the platform.

Time is virtual: the practice servers' clocks go on by minutes at once, and so does that of a
process of its own that polls, delivers and tidies as the scheduler does; sleeping only moves them.
All three options are published; learners' grades change and people launch all day. Requests fail at
random in every way that the fault suite knows: refused, hung up before or after the work was done,
answered with nonsense. Then the weather clears, and the fault suite's watch compares the gradebook
with the truth, and walks what the platform noted of every score.

The memory is that of the process of its own: the tool's alone.
"""

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.figures import Load
from benchmarks.soak import resident
from faults.weather import COURSERA_FAULTS, PLATFORM_FAULTS, Weather
from passport_lti import create_app
from passport_lti.config import ConfigFile
from passport_lti.extensions import db
from passport_lti.sandbox.campus.faults import Fault, Faults
from passport_lti.sandbox.campus.state import Activity
from passport_lti.sandbox.coursera.faults import Fault as CourseraFault
from passport_lti.sandbox.coursera.faults import Faults as CourseraFaults
from passport_lti.sync import work
from passport_lti.sync.dispatch import Here
from passport_lti.sync.services import Services
from worlds import opened

LOADS = {"W9": ("day_lost", "day_doubled", "day_growth_mb")}
STEP = 5
"""Minutes."""
HOUR = 60 // STEP
DAY = 24 * HOUR
CLEAR = 6
"""Rounds after the weather has cleared, an hour and five minutes apart."""
LEARNERS, CHANGES = 20, 6
"""People beside the five of the story, and grades that change in each step."""
SHARE = 0.05
SERVICES = {"token", "scores", "results", "lineitems", "lineitem", "members", "jwks"}


@dataclass(frozen=True)
class Toll:
    """What became of the grades of a day, and MB that the process grew from first to last hour."""

    lost: int
    doubled: int
    growth: float


def figures() -> Iterator[Load]:
    toll = day()
    yield Load("day_lost", "scores", toll.lost, 0, "W9")
    yield Load("day_doubled", "scores", toll.doubled, 0, "W9")
    yield Load("day_growth_mb", "MB", toll.growth, 5, "W9")


def day(steps: int = DAY) -> Toll:
    """So many steps in bad weather. Raises where the day was not what it should have been."""
    dice, grown = Random(9), []
    with opened(kind=Weather) as world:
        activities = published(world)
        world.configure(lambda values: values["sync"].update(poll_every="10m"))
        campus, coursera = Unsteady(dice), UnsteadyCoursera(dice)
        with working(world) as tool:
            world.campus.faults, world.coursera.faults = campus, coursera
            for step in range(steps):
                for _ in range(CHANGES):
                    regrade(world, dice)
                launched = world.campus.browser(dice.choice(world.school.learners))
                launched.launch(dice.choice(activities))
                grown.append(tool.round(minutes=STEP, is_hourly=step % HOUR == 0))
            world.campus.faults, world.coursera.faults = Faults(), CourseraFaults()
            for _ in range(CLEAR):
                tool.round(minutes=65, is_hourly=True)
        for name, chance in (("platform", campus.chance), ("Coursera", coursera.chance)):
            print(f"{name}: {chance.struck} of {chance.asked} requests failed", file=sys.stderr)
            assert chance.struck, "the weather was fine all day"
        assert len(world.campus.ledger.scores) > steps
        lost, doubled = judged(world)
    return Toll(lost, doubled, median(grown[-HOUR:]) - median(grown[:HOUR]))


def judged(world: Weather) -> tuple[int, int]:
    """Grades that are not where they belong, and those sent though they were there.

    Raises where the watch has seen anything else that must not be.
    """
    wrong = world.watch.violations(world.cells(), world.people())
    lost = [line for line in wrong if line.startswith("I1")]
    doubled = [line for line in wrong if line.startswith("I6") and line.endswith("twice")]
    assert len(wrong) == len(lost) + len(doubled), wrong
    for line in wrong:
        print(line, file=sys.stderr)
    return len(lost), len(doubled)


@dataclass
class Chance:
    """Whether a request fails, and how many did."""

    dice: Random
    asked: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        self.asked += 1
        struck = self.dice.random() < SHARE
        self.struck += struck
        return struck


class Unsteady(Faults):
    """A platform at which some requests fail, at random."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.chance = Chance(dice)

    def strike(self, kind: str, method: str, target: str, body: bytes) -> Fault | None:
        if kind not in SERVICES or not self.chance.strikes():
            return None
        return Fault(kind, **self.chance.dice.choice(PLATFORM_FAULTS))


class UnsteadyCoursera(CourseraFaults):
    """The same of Coursera."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.chance = Chance(dice)

    def strike(self, target: str) -> CourseraFault | None:
        if not self.chance.strikes():
            return None
        return CourseraFault(target, **self.chance.dice.choice(COURSERA_FAULTS))


def published(world: Weather) -> list[Activity]:
    """All three options, each opened once, and more learners on both sides."""
    school = world.school
    accounts, more = dict(school.accounts), []
    for number in range(LEARNERS):
        person = school.campus.add_person("Learner", str(number))
        school.campus.enrol(school.context, person, "learner")
        accounts[person.id] = school.coursera.add_person(person.email, person.email, person.name)
        more.append(person)
    school.accounts, school.learners = accounts, (*school.learners, *more)
    for account in accounts.values():
        for course in school.courses.values():
            school.coursera.enrol(account, course)
    items = [item.id for item in school.courses["linked"].items]
    made = [
        *world.publish("final", "final_grade"),
        *world.publish("linked", "granular_deep_linked", item=items),
        *world.publish("columns", "granular_auto_columns", include_final="1"),
    ]
    for activity in made:
        world.meet(activity)
    return made


def regrade(world: Weather, dice: Random) -> None:
    course = dice.choice(sorted(world.school.courses))
    item = dice.choice(world.school.courses[course].items)
    world.grade(dice.choice(world.school.learners), course, item.name, dice.randint(0, 100))


@dataclass(frozen=True)
class Working:
    """The process that works, seen from here."""

    world: Weather
    _pipe: Connection

    def round(self, *, minutes: float, is_hourly: bool) -> float:
        """Let time go by, then have what is due polled and delivered; MB that are resident then."""
        self.world.later(minutes=minutes)
        self.world.watch.look()
        self._pipe.send((self.world.ahead, is_hourly))
        while isinstance(said := self._pipe.recv(), timedelta):
            self.world.later(seconds=said.total_seconds())
            self._pipe.send(self.world.ahead)
        self.world.watch.see_columns()
        return float(said)


@contextmanager
def working(world: Weather) -> Iterator[Working]:
    """The scheduler's work in a process of its own, which ends with the block."""
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe()
    path, environ = world.services.config_file.path, world.environ
    process = processes.Process(target=_work, args=[there, path, environ], daemon=True)
    process.start()
    there.close()
    try:
        yield Working(world, here)
    finally:
        here.close()
        process.join()


def _work(pipe: Connection, config: Path, environ: dict[str, str]) -> None:
    """A round for each time that comes; says how long it sleeps, and MB at the end."""
    ahead, one_at_a_time = timedelta(0), threading.Lock()

    def nap(seconds: float) -> None:
        nonlocal ahead
        with one_at_a_time:
            pipe.send(timedelta(seconds=seconds))
            ahead = pipe.recv()

    services = Services(
        ConfigFile(config, environ), clock=lambda: datetime.now(UTC) + ahead, sleep=nap
    )
    app = create_app(services=services)
    here = Here(services, app.app_context)
    while True:
        try:
            ahead, is_hourly = pipe.recv()
        except EOFError:
            return
        with app.app_context():
            here.poll()
            while here.deliver():
                pass
            if is_hourly:
                here.read_catalogues()
                work.tidy(services)
            db.session.remove()
        pipe.send(resident())
