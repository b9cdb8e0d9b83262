"""`keys`: the tool's signing keys."""

import click
from tabulate import tabulate

from passport_lti.cli.main import cli, opened
from passport_lti.lti import keys as signing


@cli.group()
def keys() -> None:
    """The tool's signing keys. Example: passport-lti keys list"""


@keys.command(name="list")
@click.pass_obj
def list_keys(path: str | None) -> None:
    """Every key, newest first; the one that was not retired signs.

    Example: passport-lti keys list
    """
    with opened(path) as services:
        signing.active_key(services.tool)
        rows = [
            {"kid": kid, "made": made, "retired": retired or "signs now"}
            for kid, made, retired in signing.listed()
        ]
        click.echo(tabulate(rows, headers="keys"))


@keys.command()
@click.pass_obj
def rotate(path: str | None) -> None:
    """Sign with a new key from now on; the old one stays published for a day.

    Example: passport-lti keys rotate
    """
    with opened(path) as services:
        click.echo(f"The key {signing.rotate(services.tool)} signs from now on.")
