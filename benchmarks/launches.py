"""Launches and deep linking: W7, a class that starts at once, and W8, the answers of the picker.

`cpu_ms_per_launch` is the login and the launch of a learner, up to the redirect, measured as
`benchmarks.door` does: SQLite on disk, the log at its default level. PyLTI1p3 is measured at the
same door, ltijs with its own HTTP server in front. The floor is two redirects of an empty Flask
application and one RSA verification. What a web server adds: docs/decisions/0017.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask, redirect
from sqlalchemy import select

from benchmarks import peers
from benchmarks.door import Burst, Door
from benchmarks.figures import Figure, LeftOut
from passport_lti import logs
from passport_lti.cli.demo import Stage, staged
from passport_lti.config.settings import Log
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.grades import Choice
from passport_lti.lti import deep_linking
from passport_lti.models import Platform
from passport_lti.strategies import STRATEGIES

NAMES = (
    "cpu_ms_per_launch",
    "jwks_requests_per_1000_launches",
    "cpu_ms_per_deep_link",
    "web_rss_growth_mb",
)
WORKLOADS = {"W7": NAMES[:2], "W8": NAMES[2:3], "W9": NAMES[3:]}
CLASS, WARM, RUNS, LAUNCHES = 30, 100, 5, 180
"""Learners, and launches: a thousand in all."""
PEER_LAUNCHES = 50
DEEP_LINKS = 200
LINKED_COURSE_ITEMS = 10
SOAK_MINUTES = 20


def figures() -> Iterator[Figure | LeftOut]:
    with staged(0) as stage:
        ledger = stage.school.campus.ledger
        burst, door = burst_at(stage)
        with logging():
            burst.launch(door, WARM)
            ours = _per_launch(partial(burst.launch, door, LAUNCHES), LAUNCHES)
        # From the first message on: what a tool that has just started asks for is in it.
        asked = ledger.count("jwks")
        cpu, key_sets = {}, {}
        for name, peer in (("pylti1p3", peers.pylti1p3), ("ltijs", peers.ltijs)):
            try:
                with peer(burst) as its:
                    burst.launch(its, PEER_LAUNCHES)
                    ledger.clear()
                    cpu[name] = _per_launch(
                        partial(burst.launch, its, PEER_LAUNCHES), PEER_LAUNCHES
                    )
                    key_sets[name] = ledger.count("jwks") * 1000 / (RUNS * PEER_LAUNCHES)
            except pytest.skip.Exception as missing:
                yield LeftOut(f"{name} beside the launches", str(missing))
        yield Figure("cpu_ms_per_launch", "ms", ours, 1.5, _floor(stage), cpu)
        yield Figure("jwks_requests_per_1000_launches", "requests", asked, 1, 0, key_sets)
        yield _deep_link(stage)
    try:
        yield Figure("web_rss_growth_mb", "MB", _growth(), 5, 0)
    except subprocess.TimeoutExpired:
        yield LeftOut("web_rss_growth_mb", f"100,000 launches took over {SOAK_MINUTES} minutes")


def burst_at(stage: Stage) -> tuple[Burst, Door]:
    """A class of learners of one activity, and the tool's door."""
    school = stage.school
    [activity] = school.publish(stage.tool, course="final", strategy="final_grade")
    people = [school.campus.add_person("Learner", str(number)) for number in range(CLASS)]
    for person in people:
        school.campus.enrol(school.context, person, "learner")
    door = Door(stage.app.wsgi_app, stage.services.config.tool.base_url)
    return Burst(school.campus, activity, people), door


@contextmanager
def logging() -> Iterator[None]:
    """The log as it is unless somebody changes its level; nobody reads it here."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        logs.set_up(Log())
        try:
            yield
        finally:
            logs.set_up(Log(level="warning"))


def _per_launch(launch: Callable[[], float], times: int) -> float:
    """Milliseconds of CPU for one launch: the median of some runs of so many."""
    return median(launch() for _ in range(RUNS)) * 1000 / times


def _floor(stage: Stage) -> float:
    """What physics and Flask allow: two empty redirects, and one signature verified."""
    app = Flask("empty")

    @app.post("/lti/login")
    def empty():  # type: ignore[no-untyped-def]
        return redirect("/lti/launch")

    door, key = Door(app.wsgi_app, "http://127.0.0.1"), stage.school.campus.private_key
    signature = key.sign(b"signed", PKCS1v15(), SHA256())
    public = key.public_key()

    def pairs() -> float:
        before = door.cpu()
        for _ in range(2 * LAUNCHES):
            door.post("/lti/login", {"iss": stage.school.campus.url})
        began = time.thread_time()
        for _ in range(LAUNCHES):
            public.verify(signature, b"signed", PKCS1v15(), SHA256())
        return door.cpu() - before + time.thread_time() - began

    return _per_launch(pairs, LAUNCHES)


def _deep_link(stage: Stage) -> Figure:
    """CPU of a signed deep linking response with ten items."""
    school = stage.school
    course = school.coursera.add_course(
        school.program, "Benchmark", [(f"Item {n}", "EXAM", 1) for n in range(LINKED_COURSE_ITEMS)]
    )
    school.courses = {**school.courses, "large": course}
    school.publish(stage.tool, course="large", strategy="granular_auto_columns")
    with stage.app.app_context():
        tool = stage.services.tool
        platform = db.session.scalars(select(Platform)).one()
        known = catalogue.known_course("practice", school.program.id, course.id)
        assert known is not None
        links = STRATEGIES["granular_deep_linked"].links(
            known, Choice(items=tuple(item.id for item in known.items))
        )
        deep_linking.response(tool, platform, "1", links, None)
        began = time.thread_time()
        for _ in range(DEEP_LINKS):
            deep_linking.response(tool, platform, "1", links, None)
        spent = time.thread_time() - began
    return Figure("cpu_ms_per_deep_link", "ms", spent * 1000 / DEEP_LINKS, 1.0, 0.3)


def _growth() -> float:
    """How many MB a process that launches 100,000 times grows, after the first few."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, check=True, timeout=SOAK_MINUTES * 60,
    )  # fmt: skip
    return float(answer.stdout)
