"""The figures, each measured on the practice servers of this machine in the same run."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from sqlalchemy import select

from passport_lti.cli.demo import CONFIG, Stage
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.grades import Choice
from passport_lti.lti import deep_linking
from passport_lti.models import Platform
from passport_lti.sandbox.coursera.state import Course
from passport_lti.sandbox.coursera.state import Person as Account
from passport_lti.strategies import STRATEGIES

LEARNERS, ITEMS, CHANGED = 300, 10, 30
LAUNCHES, DEEP_LINKS = 200, 200


@dataclass(frozen=True)
class Figure:
    """One measured figure; `floor` is what physics allows, `target` what we want at most."""

    name: str
    unit: str
    ours: float
    target: float
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return self.ours <= self.target

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "met": self.met}


def measured(stage: Stage) -> Iterator[Figure]:
    """All figures, one after the other, on one stage."""
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
    yield _launch(stage)
    before = stage.school.campus.ledger.count("jwks")
    yield Figure("jwks_requests_per_1000_launches", "requests", before * 1000 / LAUNCHES, 1, 0)
    yield _deep_link(stage)


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


def _launch(stage: Stage) -> Figure:
    """CPU of login and launch in the tool alone; the campus signs outside of the measure."""
    school, client = stage.school, stage.app.test_client()
    [activity] = school.publish(stage.tool, course="final", strategy="final_grade")
    browser = school.campus.browser(school.learners[0])
    school.campus.ledger.clear()
    spent = 0.0
    for _ in range(LAUNCHES):
        start = browser.get(f"{school.campus.url}/mod/lti/launch.php?id={activity.cmid}")
        began = time.thread_time()
        login = client.post("/lti/login", data=_fields(start.forms[0]))
        spent += time.thread_time() - began
        back = browser.get(login.headers["Location"])
        began = time.thread_time()
        answer = client.post("/lti/launch", data=_fields(back.forms[0]))
        spent += time.thread_time() - began
        assert answer.status_code in (302, 303), answer.status_code
    return Figure("cpu_ms_per_launch", "ms", spent * 1000 / LAUNCHES, 1.5, 0.89)


def _fields(form) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {name: values[0] for name, values in form.fields.items()}


def _deep_link(stage: Stage) -> Figure:
    """CPU of a signed deep linking response with ten items."""
    with stage.app.app_context():
        tool = stage.services.tool
        platform = db.session.scalars(select(Platform)).one()
        course = catalogue.known_course(
            "practice", stage.school.program.id, stage.school.courses["large"].id
        )
        assert course is not None
        links = STRATEGIES["granular_deep_linked"].links(
            course, Choice(items=tuple(item.id for item in course.items))
        )
        deep_linking.response(tool, platform, "1", links, None)
        began = time.thread_time()
        for _ in range(DEEP_LINKS):
            deep_linking.response(tool, platform, "1", links, None)
        spent = time.thread_time() - began
    return Figure("cpu_ms_per_deep_link", "ms", spent * 1000 / DEEP_LINKS, 1.0, 0.3)
