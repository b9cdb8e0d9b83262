"""The `passport-lti` command and what all of its commands share."""

import contextlib
import fcntl
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from passport_lti import create_app
from passport_lti.config import config_path, load
from passport_lti.errors import ConfigError, PassportError
from passport_lti.extensions import db
from passport_lti.logs import redacted
from passport_lti.lti.platforms import apply_config
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)


class Command(click.Group):
    """A group whose commands end with one sentence, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(problem, err=True)
            raise SystemExit(2) from None
        except PassportError as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            first = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise click.ClickException(
                f"The database can't be used ({first}). Check database.url."
            ) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # The reader of a pipe has seen enough; click knows how to end then.
            raise
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise click.ClickException(f"{error.strerror or error}{where}") from None
        except Exception as error:
            if os.environ.get("PASSPORT_LTI_TRACE"):
                raise
            what = redacted(f"{type(error).__name__}: {error}").splitlines()[0]
            raise click.ClickException(
                f"Passport LTI made a mistake ({what}). "
                "Please report it; PASSPORT_LTI_TRACE=1 shows where it was made."
            ) from None


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration; else $PASSPORT_LTI_CONFIG, else config/passport.yaml.",
)
@click.version_option(package_name="passport-lti")
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """Use Coursera from Moodle as if it were one place.

    Try it without any account: passport-lti demo
    """
    ctx.obj = config


@cli.group()
def config() -> None:
    """The configuration file. Example: passport-lti config check"""


@config.command()
@click.pass_obj
def check(path: str | None) -> None:
    """Validate the configuration: exit 0, or 2 with every problem, one line each.

    Example: passport-lti --config config/passport.yaml config check
    """
    file = config_path(path)
    found = load(file)
    click.echo(f"{file}: fine ({len(found.coursera)} Coursera, {len(found.platforms)} platforms)")


@cli.group(name="db")
def database() -> None:
    """The database. Example: passport-lti db upgrade"""


@database.command(name="upgrade")
@click.pass_obj
def db_upgrade(path: str | None) -> None:
    """Migrate the schema to this version.

    Example: passport-lti db upgrade
    """
    app = create_app(path)
    with app.app_context():
        migrate_schema(app)
        click.echo("The database has all that this version needs.")


@contextlib.contextmanager
def opened(path: str | None) -> Iterator[Services]:
    """An app with a migrated database and the platforms of its configuration."""
    app = create_app(path)
    with app.app_context():
        prepare(app)
        yield app.extensions["passport_lti"]
        db.session.remove()


def prepare(app: Flask) -> None:
    """Make the database ready: SQLite is migrated by itself, others must have been."""
    if not is_current():
        if db.engine.dialect.name != "sqlite":
            raise PassportError(
                "The database lacks this version's tables. Run: passport-lti db upgrade"
            )
        migrate_schema(app)
    services: Services = app.extensions["passport_lti"]
    apply_config(services.config, services.clock())


def is_current() -> bool:
    """Whether the database has all that this version needs.

    It may be newer: within a series, migrations only add (docs/decisions, 9), so that the machines
    of a deployment are upgraded one by one. Raises PassportError for a later series.
    """
    scripts = ScriptDirectory(str(Path(__file__).parents[1] / "migrations"))
    with db.engine.connect() as connection:
        here = set(MigrationContext.configure(connection).get_current_heads())
    unknown = here - {script.revision for script in scripts.walk_revisions()}
    if not unknown:
        return here == set(scripts.get_heads())
    newer, ours = max(unknown), max(scripts.get_heads())
    if series(newer) != series(ours):
        raise PassportError(
            f"The database belongs to a newer version of Passport LTI ({newer}). "
            "Install that version, or go back to a copy of the database."
        )
    log.warning("the database is newer (%s) than this version (%s): upgrade it soon", newer, ours)
    return True


def series(revision: str) -> str:
    """What revisions have in common that a program of any of them can work with: `0` of `0012`."""
    return revision[:-3]


def migrate_schema(app: Flask) -> None:
    """Bring the schema up to date; of several processes at once, one does it."""
    file = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and file:
        with Path(f"{file}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_current():
                upgrade()
    elif not is_current():
        upgrade()


def emit_json(value: object) -> None:
    """One JSON document on stdout and nothing else there."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def main() -> None:
    """Run the command line; also the distribution's console script."""
    from passport_lti.cli import (  # noqa: F401
        demo,
        doctor,
        grades,
        keys,
        learners,
        platforms,
        servers,
    )

    cli(prog_name="passport-lti")
