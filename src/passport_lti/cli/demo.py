"""`demo`: the whole story on this machine, with nothing but Python."""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
from flask import Flask
from sqlalchemy import select
from tabulate import tabulate

from passport_lti import create_app
from passport_lti.cli.main import cli, migrate_schema, prepare
from passport_lti.config import ConfigFile
from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.lti.registration import invite
from passport_lti.models import Platform
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.state import Activity, Tool
from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.serving import HOST, Server, WSGIApp, serve
from passport_lti.sandbox.story import School, found
from passport_lti.scheduler import Clock
from passport_lti.sync import engine
from passport_lti.sync.services import Services

CONFIG = Path(__file__).with_name("demo.yaml")


@dataclass
class Stage:
    """The three servers of the demo and what stands on them."""

    app: Flask
    services: Services
    school: School
    tool: Tool
    environ: dict[str, str]
    """What `demo.yaml` is filled in with, for commands in processes of their own."""


@cli.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1024, 65533))
@click.option("--once", is_flag=True, help="End after the table instead of serving on.")
@click.option(
    "--sso",
    type=click.Choice(["link", "saml"]),
    default="link",
    show_default=True,
    help="saml: the tool signs learners in at Coursera.",
)
def demo(port: int, once: bool, sso: str) -> None:
    """The whole story with nothing but Python: from a launch to a grade in the gradebook.

    Starts the tool, a practice campus (in the place of Moodle) and a practice Coursera on this
    machine, publishes a course with each of the three options, plays learners, syncs, prints the
    gradebook, and keeps serving until Ctrl-C.

    Example: passport-lti demo --port 9000 --once
    """
    with staged(port, sso=sso) as stage:
        play(stage)
        if not once:
            _serve_on(stage)


@contextmanager
def staged(
    port: int, database: str | None = None, host: str = HOST, sso: str = "link"
) -> Iterator[Stage]:
    """The tool on `port`, the practice servers on the two after it, and the school.

    `port` 0 stands for any free ones; a practice server takes another port where its own is used.

    The campus registers the tool by itself, with an invitation: nothing is copied by hand.

    `database` is the address of an empty database; without one, SQLite in a folder that is
    removed at the end. `host` is another name of this machine for the tool: to browsers it is
    then a site of its own, as a tool is to a Moodle.

    With `sso` saml the two have been introduced to each other, as two administrators would do it.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="passport-lti-"))
        campus, coursera = Campus(), PracticeCoursera(name="Campus University")
        campus_server = stack.enter_context(_served_near(campus.app, port and port + 1))
        coursera_server = stack.enter_context(_served_near(coursera.app, port and port + 2))
        campus.url, coursera.url = campus_server.url, coursera_server.url
        school = found(campus, coursera)
        late = _LateApp()
        try:
            server = stack.enter_context(serve(late, port))
        except OSError:
            raise PassportError(
                f"Port {port} is in use. Try: passport-lti demo --port 9000"
            ) from None
        environ = {
            "DEMO_TOOL": f"http://{host}:{server.port}",
            "DEMO_SECRET": secrets.token_hex(32),
            "DEMO_FOLDER": folder,
            "DEMO_DATABASE": database or f"sqlite:///{folder}/passport.db",
            "DEMO_COURSERA": coursera.url,
            "DEMO_ORG": coursera.credentials.org_id,
            "DEMO_KEY": coursera.credentials.api_key,
            "DEMO_API_SECRET": coursera.credentials.api_secret,
            "DEMO_OUTLINE": coursera.outline_path,
        }
        services = Services(ConfigFile(CONFIG, environ))
        app = late.app = create_app(services=services)
        with app.app_context():
            if database:
                migrate_schema(app)
            prepare(app)
            address = invite(services.tool, "campus", "practice", timedelta(hours=1))
        tool = school.register(address)
        if sso == "saml":
            introduce(app, services, coursera)
        yield Stage(app, services, school, tool, environ)


def introduce(app: Flask, services: Services, coursera: PracticeCoursera) -> None:
    """Coursera gets the tool's metadata; the platform, which registered itself, the mode."""
    address = f"{services.config.tool.base_url}/saml/metadata"
    try:
        coursera.trust(services.http.get(address).text)
    except ImportError:
        raise PassportError(
            "The practice Coursera needs one more package to be signed in to: "
            "pip install 'passport-lti[practice]'"
        ) from None
    with app.app_context(), db.session.begin():
        for platform in db.session.scalars(select(Platform)):
            platform.settings = {**platform.settings, "sso": {"mode": "saml"}}


def _served_near(app: WSGIApp, port: int) -> Server:
    """A practice server on this port; on any free one where it is in use."""
    try:
        return serve(app, port)
    except OSError:
        return serve(app, 0)


class _LateApp:
    """The tool needs its own address before it can be made, so its port is opened first."""

    app: Flask

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


def play(stage: Stage) -> None:
    """The story, told in a handful of lines, and the gradebook at its end."""
    school, tool = stage.school, stage.tool
    _say(1, f"{school.teacher.name} selects content in {school.context.fullname}:")
    activities = publish(school, tool)
    for strategy, made in activities.items():
        click.echo(f"      {strategy}: {', '.join(activity.title for activity in made)}")
    absent = school.learners[-1]
    _say(2, f"Four learners open an activity and are on Coursera; {absent.name} never does.")
    for learner, activity in zip(school.learners[:-1], _first_of_each(activities), strict=True):
        school.campus.browser(learner).launch(activity)
    _say(3, "Coursera records progress for all five.")
    study(school)
    _say(4, "Passport LTI reads Coursera and sends what is new.")
    click.echo(f"      {_sync(stage)}")
    click.echo(f"      once more: {_sync(stage)}")
    _say(5, f"A regrade: {school.learners[0].name}'s Averages go from 90 to 95.")
    school.coursera.grade(
        school.accounts[school.learners[0].id], school.courses["columns"], "Averages", 95
    )
    click.echo(f"      {_sync(stage)}")
    _say(6, f"The gradebook of {school.context.fullname}:")
    headers, rows = school.campus.table(school.context)
    click.echo()
    click.echo(tabulate(rows, headers=headers, missingval="-", numalign="right"))
    click.echo()


def publish(school: School, tool: Tool) -> dict[str, list[Activity]]:
    """One course by each of the three options."""
    chosen = [item.id for item in school.courses["linked"].items if item.name != "Colour and form"]
    return {
        "Final grade": school.publish(tool, course="final", strategy="final_grade"),
        "Option A": school.publish(
            tool, course="linked", strategy="granular_deep_linked", item=chosen
        ),
        "Option B": school.publish(
            tool, course="columns", strategy="granular_auto_columns", include_final="1"
        ),
    }


def study(school: School) -> None:
    """Five learners with different progress: from finished to hardly begun."""
    none = (None, None, None)
    scores = {
        "final": ((92, 88, 95), (75, 80, 70), (60, None, None), (100, 100, 100), (85, 90, None)),
        "linked": ((80, 90, 85), (70, None, None), none, (95, 90, 100), (88, 70, 92)),
        "columns": ((90, 85, None), (78, 64, 81), (55, None, None), (100, 98, 99), none),
    }
    for course, table in scores.items():
        for learner, grades in zip(school.learners, table, strict=True):
            account = school.accounts[learner.id]
            school.coursera.enrol(account, school.courses[course])
            for item, grade in zip(school.courses[course].items, grades, strict=True):
                if grade is not None:
                    school.coursera.grade(account, school.courses[course], item.name, grade)


def _first_of_each(activities: dict[str, list[Activity]]) -> list[Activity]:
    made = [activity for group in activities.values() for activity in group]
    return made[:4]


def _sync(stage: Stage) -> str:
    with stage.app.app_context():
        outcome = engine.run(stage.services, stage.app.app_context)
    for problem in outcome.problems:
        click.echo(f"      problem: {problem}", err=True)
    summary = outcome.summary
    return (
        f"{summary['polled']} courses read, {summary['changed']} grades new, "
        f"{summary['sent']} scores sent"
    )


def _say(step: int, what: str) -> None:
    click.echo(f"{step}/6  {what}")


def _serve_on(stage: Stage) -> None:
    clock = Clock(stage.app)
    clock.start()
    click.echo("Look for yourself (no passwords; new grades arrive within half a minute):")
    click.echo(f"  campus    {stage.school.campus.url}/   be the teacher, a learner or the admin")
    click.echo(f"  Coursera  {stage.school.coursera.url}/control   give grades, change courses")
    click.echo(f"  tool      {stage.services.config.tool.base_url}/lti/setup")
    click.echo("Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
    finally:
        clock.stop()
