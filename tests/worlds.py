"""A tool, a practice campus and a practice Coursera over HTTP, and people who use them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

import databases
from passport_lti.cli.demo import CONFIG, Stage, staged
from passport_lti.config import ConfigFile
from passport_lti.extensions import db
from passport_lti.lti.registration import invite
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.state import Activity, Person, Tool
from passport_lti.sandbox.serving import serve
from passport_lti.sandbox.story import School
from passport_lti.sync import engine, report
from passport_lti.sync.engine import Outcome


@dataclass
class World(Stage):
    """The stage of the demo, with what a test does on it."""

    @property
    def campus(self) -> Any:
        return self.school.campus

    @property
    def coursera(self) -> Any:
        return self.school.coursera

    @property
    def book(self) -> Any:
        return self.campus.gradebook(self.school.context)

    def sync(self, **options: Any) -> Outcome:
        with self.app.app_context():
            try:
                return engine.run(self.services, self.app.app_context, **options)
            finally:
                db.session.remove()

    def cells(self) -> list[dict[str, Any]]:
        with self.app.app_context():
            return report.cells()

    def grade(self, learner: Person, course: str, item: str, percent: float | None) -> None:
        account = self.school.accounts[learner.id]
        self.coursera.grade(account, self.school.courses[course], item, percent)

    def publish(self, course: str, strategy: str, **fields: Any) -> list[Activity]:
        return self.school.publish(self.tool, course=course, strategy=strategy, **fields)

    def meet(self, activity: Activity) -> None:
        """Somebody launches once: Moodle's first deep linking launch carries no roster."""
        self.campus.browser(self.school.learners[0]).launch(activity)

    def configure(self, edit: Callable[[dict[str, Any]], object]) -> Path:
        """Have this process follow an edited copy of the configuration file; its path."""
        values = yaml.safe_load(self.services.config_file.path.read_text())
        edit(values)
        path = Path(self.environ["DEMO_FOLDER"]) / "edited.yaml"
        path.write_text(yaml.safe_dump(values))
        self.services.config_file = ConfigFile(path, self.environ)
        return path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `passport-lti` in a process of its own on this world's configuration."""
        return subprocess.run(
            [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        answer = self.command(*arguments, "--json")
        assert "Traceback" not in answer.stderr
        return json.loads(answer.stdout)


def setting(world: World, **values: Any) -> None:
    """The same world with other sync settings."""
    folder = Path(world.environ["DEMO_FOLDER"])
    text = world.services.config_file.path.read_text()
    edited = yaml.safe_load(text)
    edited["sync"] = {**edited.get("sync", {}), **values}
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump(edited))
    world.services.config_file = ConfigFile(path, world.environ)


@contextmanager
def opened(
    database: str = "", kind: type[Any] = World, host: str = "127.0.0.1", sso: str = "link"
) -> Iterator[Any]:
    """A world of its own on this kind of database (else that of the run), closed at the end.

    The practice servers are at 127.0.0.1; `host` is the tool's name for browsers.
    """
    with (
        databases.of_a_world(database) as url,
        ExitStack() as last,
        staged(0, url, host, sso) as stage,
    ):
        last.enter_context(databases.left_by(stage.app))
        yield kind(stage.app, stage.services, stage.school, stage.tool, stage.environ)


@contextmanager
def second_campus(world: World, ahead: float = 0.0) -> Iterator[tuple[School, Tool]]:
    """A platform `other` with the first learner of the world, and the tool in it.

    Its clock is as many seconds `ahead`.
    """
    campus = Campus()
    with serve(campus.app) as server:
        campus.url, campus.clock_offset = server.url, ahead
        admin = campus.add_person("Ada", "Admin", username="admin", admin=True)
        teacher = campus.add_person("Tom", "Teacher", username="tom")
        amy = campus.add_person("Amy", "Adams", email=world.school.learners[0].email)
        context = campus.add_context("STAT", "Statistics")
        campus.enrol(context, teacher, "instructor")
        campus.enrol(context, amy, "learner")
        school = replace(
            world.school, campus=campus, admin=admin, teacher=teacher, learners=(amy,),
            context=context,
        )  # fmt: skip
        with world.app.app_context():
            address = invite(world.services.tool, "other", "practice", timedelta(hours=1))
        yield school, school.register(address)
