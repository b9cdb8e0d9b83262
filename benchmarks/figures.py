"""The figures, each measured on the practice servers of this machine in the same run."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from passport_lti.cli.demo import CONFIG, Stage, staged
from passport_lti.sandbox.coursera.state import Course
from passport_lti.sandbox.coursera.state import Person as Account

LEARNERS, ITEMS, CHANGED = 300, 10, 30


@dataclass(frozen=True)
class Figure:
    """One measured figure; `floor` is what physics allows, `peers` what others need.

    `target` is what we want at most, or `at_least`: a share or ratio that is to be high.
    """

    name: str
    unit: str
    ours: float
    target: float
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.ours >= self.target if self.at_least else self.ours <= self.target

    def as_dict(self) -> dict[str, object]:
        """The figure as `make bench ARGS=--json` prints it."""
        shown = asdict(self)
        del shown["at_least"]
        return {**shown, "met": self.met}


@dataclass(frozen=True)
class LeftOut:
    """A figure, or a peer of one, that this machine can't measure, and why."""

    name: str
    why: str


NAMES = (
    "cpu_ms_per_score",
    "idle_poll_platform_requests",
    "platform_requests_per_changed_grade",
)


def figures() -> Iterator[Figure]:
    """W1, W3 and W5, small: a first sync, one without news, one with a tenth changed."""
    with staged(0) as stage:
        yield from _syncs(stage)


def _syncs(stage: Stage) -> Iterator[Figure]:
    course, accounts = _large_course(stage)
    _, idle_cpu = _sync(stage)
    first, first_cpu = _fill_and_sync(stage, course, accounts)
    yield Figure("cpu_ms_per_score", "ms", (first_cpu - idle_cpu) * 1000 / first["sent"], 0.40)
    idle, _ = _sync(stage)
    yield Figure("idle_poll_platform_requests", "requests", idle["http_requests"]["platform"], 0, 0)
    for account in accounts[:CHANGED]:
        stage.school.coursera.grade(account, course, "Item 0", 12.5)
    changed, _ = _sync(stage)
    requests, sent = changed["http_requests"]["platform"], changed["sent"]
    yield Figure("platform_requests_per_changed_grade", "requests", requests / sent, 1.02, 1)


def _large_course(stage: Stage) -> tuple[Course, list[Account]]:
    """Option B of an empty large course in the context, its roster known."""
    school = stage.school
    course = school.coursera.add_course(
        school.program, "Benchmark", [(f"Item {n}", "EXAM", 1) for n in range(ITEMS)]
    )
    school.courses = {**school.courses, "large": course}
    accounts = []
    for number in range(LEARNERS):
        person = school.campus.add_person("Learner", str(number))
        school.campus.enrol(school.context, person, "learner")
        accounts.append(school.coursera.add_person(person.email, person.email, person.name))
    [activity] = school.publish(stage.tool, course="large", strategy="granular_auto_columns")
    school.campus.browser(school.learners[0]).launch(activity)
    for account in accounts:
        school.coursera.enrol(account, course)
    return course, accounts


def _fill_and_sync(
    stage: Stage, course: Course, accounts: list[Account]
) -> tuple[dict[str, object], float]:
    for number, account in enumerate(accounts):
        stage.school.coursera.set_grades(
            account, course, dict.fromkeys(course.items, (50 + number % 50) / 100)
        )
    return _sync(stage)


def _sync(stage: Stage) -> tuple[dict, float]:
    """One `passport-lti sync` in a process of its own: its summary and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(
        [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), "sync", "--json"],
        env={**os.environ, **stage.environ}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(answer.stdout)["summary"], cpu
