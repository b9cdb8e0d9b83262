"""`platform`: who may talk to the tool."""

from datetime import timedelta

import click
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from tabulate import tabulate

from passport_lti.cli.main import cli, emit_json, opened
from passport_lti.config import values
from passport_lti.extensions import db
from passport_lti.lti import registration
from passport_lti.models import Deployment, Platform

_DURATION: TypeAdapter[timedelta] = TypeAdapter(values.Duration)


@cli.group()
def platform() -> None:
    """The platforms that use this tool. Example: passport-lti platform list"""


@platform.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def list_platforms(path: str | None, as_json: bool) -> None:
    """Every platform with its deployments.

    Example: passport-lti platform list --json
    """
    with opened(path):
        rows = [
            {
                "name": row.name,
                "issuer": row.issuer,
                "client_id": row.client_id,
                "source": row.source,
                "state": row.state,
                "deployments": [
                    {"id": deployment.deployment_id, "state": deployment.state}
                    for deployment in row.deployments
                ],
            }
            for row in db.session.scalars(select(Platform).order_by(Platform.name))
        ]
    if as_json:
        emit_json({"platforms": rows})
        return
    for shown in rows:
        shown["deployments"] = ", ".join(f"{d['id']} ({d['state']})" for d in shown["deployments"])  # type: ignore[index]
    click.echo(tabulate(rows, headers="keys") if rows else "No platform yet.")


class Duration(click.ParamType[timedelta]):
    """A length of time as the configuration writes it: 30m, 24h, 7d."""

    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        try:
            return _DURATION.validate_python(value)
        except ValidationError:
            self.fail("expected a duration such as 30m, 24h or 7d", param, ctx)


@platform.command(name="invite")
@click.argument("name")
@click.option("--coursera", metavar="NAME", help="Its Coursera connection, where there are more.")
@click.option("--expires", default="24h", show_default=True, type=Duration())
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def invite_platform(
    path: str | None, name: str, coursera: str | None, expires: timedelta, as_json: bool
) -> None:
    """Print a one-time registration URL for a platform to be called NAME.

    In Moodle, paste it under Manage tools, Tool URL. The platform then sets both sides up.

    Example: passport-lti platform invite campus --expires 7d
    """
    with opened(path) as services:
        connections = list(services.config.coursera)
        if coursera is None and len(connections) > 1:
            raise click.BadParameter(
                f"choose one of {', '.join(connections)}", None, None, "--coursera"
            )
        chosen = coursera or connections[0]
        if chosen not in connections:
            raise click.BadParameter(f"expected {', '.join(connections)}", None, None, "--coursera")
        url = registration.invite(services.tool, name, chosen, expires)
        until = services.clock() + expires
    if as_json:
        emit_json({"name": name, "url": url, "expires": until.isoformat()})
        return
    click.echo(url)
    click.echo(
        f"Good once, until {until:%Y-%m-%d %H:%M} UTC. In Moodle: Site administration, Plugins, "
        "External tool, Manage tools: paste it as the tool URL, Add LTI Advantage.",
        err=True,
    )


@platform.command()
@click.argument("name")
@click.argument("deployment", required=False)
@click.pass_obj
def approve(path: str | None, name: str, deployment: str | None) -> None:
    """Accept a deployment that waits (or all of them), and a platform that was removed.

    Example: passport-lti platform approve campus 3
    """
    with opened(path):
        row = _named(name)
        if row.state == "removed":
            row.state = "active"
        waiting = [
            found
            for found in row.deployments
            if found.state == "waiting" and deployment in (None, found.deployment_id)
        ]
        if deployment is not None and not waiting:
            _expect_known(row, deployment)
        for found in waiting:
            found.state = "approved"
            click.echo(f"Deployment {found.deployment_id} of {name} may launch now.")
        if not waiting:
            click.echo(f"Nothing of {name} waits for approval.")
        db.session.commit()


@platform.command()
@click.argument("name")
@click.pass_obj
def remove(path: str | None, name: str) -> None:
    """Stop all traffic with a platform and keep its history; `approve` brings it back.

    Example: passport-lti platform remove campus
    """
    with opened(path):
        _named(name).state = "removed"
        db.session.commit()
        click.echo(f"{name} neither launches nor receives grades any more.")


def _named(name: str) -> Platform:
    row = db.session.scalar(select(Platform).where(Platform.name == name))
    if row is None:
        raise click.BadParameter(f"no platform is called {name!r}", param_hint="NAME")
    return row


def _expect_known(row: Platform, deployment: str) -> Deployment:
    for found in row.deployments:
        if found.deployment_id == deployment:
            return found
    raise click.BadParameter(
        f"{row.name} has never launched from deployment {deployment!r}", param_hint="DEPLOYMENT"
    )
