"""`doctor`: the live connections, step by step."""

import dataclasses

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from passport_lti import create_app
from passport_lti.cli.main import cli, emit_json, prepare
from passport_lti.config import config_path
from passport_lti.doctor import Finding, examine
from passport_lti.doctor.findings import Findings, fail, ok
from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.sync import report
from passport_lti.sync.services import Services


@cli.command()
@click.option("--platform", metavar="NAME", help="Only this platform.")
@click.option("--write-test", is_flag=True, help="Make, fill and delete a column of our own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def doctor(path: str | None, platform: str | None, write_test: bool, as_json: bool) -> None:
    """Check the live connections step by step; each line says ok, note or FAIL.

    A FAIL line names what is wrong and the setting to change. Exit 0: no FAIL; 1: at least one;
    2: the configuration itself is broken.

    Example: passport-lti doctor --platform campus --write-test
    """
    app = create_app(path)
    found: list[Finding] = []
    with app.app_context():
        services: Services = app.extensions["passport_lti"]
        for finding in _findings(app, path, services, platform, write_test):
            found.append(finding)
            if not as_json:
                click.echo(finding.line())
        db.session.remove()
    fine = all(finding.state != "FAIL" for finding in found)
    if as_json:
        emit_json({"ok": fine, "findings": [dataclasses.asdict(finding) for finding in found]})
    raise SystemExit(0 if fine else 1)


def _findings(
    app: Flask, path: str | None, services: Services, name: str | None, write_test: bool
) -> Findings:
    yield ok("configuration", str(config_path(path)))
    try:
        prepare(app)
    except SQLAlchemyError as error:
        first = str(getattr(error, "orig", error)).splitlines()[0]
        yield fail("database", f"it can't be used ({first})", "database.url")
        return
    except PassportError as error:
        yield fail("database", str(error), "nothing but the schema: passport-lti db upgrade")
        return
    yield ok("database", db.engine.dialect.name)
    if name is not None and not report.platform_exists(name):
        raise click.BadParameter(f"no platform is called {name!r}", param_hint="--platform")
    yield from examine(services, name, write_test=write_test)
