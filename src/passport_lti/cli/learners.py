"""`learner`: what is stored of a person, and erasing it."""

import click
from sqlalchemy import select
from tabulate import tabulate

from passport_lti.cli.main import cli, emit_json, opened
from passport_lti.extensions import db
from passport_lti.models import Platform
from passport_lti.sync.people import personal

platform_option = click.option("--platform", metavar="NAME", help="Only on this platform.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@cli.group()
def learner() -> None:
    """What is stored of a person. Example: passport-lti learner show amy@campus.example"""


@learner.command()
@click.argument("person", metavar="EMAIL_OR_SUB")
@platform_option
@json_option
@click.pass_obj
def show(path: str | None, person: str, platform: str | None, as_json: bool) -> None:
    """Everything that is stored of a person, on every platform that knows the name.

    Example: passport-lti learner show amy@campus.example --json
    """
    with opened(path):
        found = personal.records(personal.find(person, _id(platform)))
    if as_json:
        emit_json(found)
        return
    if not any(found.values()):
        click.echo(f"Nothing is stored of {person}.")
    for table, rows in found.items():
        if rows:
            click.echo(f"\n{table}")
            click.echo(tabulate(rows, headers="keys"))


@learner.command()
@click.argument("person", metavar="EMAIL_OR_SUB")
@platform_option
@json_option
@click.pass_obj
def erase(path: str | None, person: str, platform: str | None, as_json: bool) -> None:
    """Erase all that is stored of a person; grades in the platform's gradebook stay there.

    Example: passport-lti learner erase amy@campus.example
    """
    with opened(path) as services:
        found = personal.find(person, _id(platform))
        if len(found.platforms) > 1 and platform is None:
            names = ", ".join(sorted(found.platforms))
            raise click.UsageError(f"{person} is known on {names}: choose one with --platform")
        counts = personal.erase(found, services.tool, services.clock())
    if as_json:
        emit_json({"erased": counts})
    if not any(counts.values()):
        raise click.ClickException(f"Nothing is stored of {person}.")
    if not as_json:
        listed = ", ".join(f"{number} {table}" for table, number in counts.items() if number)
        click.echo(f"Erased: {listed}.")
        click.echo(
            "Grades that are in the platform's gradebook stay there, and Coursera keeps its own. "
            "What Coursera reports of this person is not stored again, unless the person launches "
            "an activity or is on a roster again: who is still enrolled in a course with Coursera "
            "activities comes back with its next roster, so take the person out of it first. "
            "Grades that stand in the gradebook then count as a teacher's own and are kept."
        )
        if counts["provisions"]:
            click.echo(
                "An invitation, membership or enrollment that a launch has made at Coursera stays "
                "there, and so does its seat: remove the person from the program in Coursera's "
                "administration to free it."
            )


def _id(name: str | None) -> int | None:
    if name is None:
        return None
    found = db.session.scalar(select(Platform.id).where(Platform.name == name))
    if found is None:
        raise click.BadParameter(f"no platform is called {name!r}", param_hint="--platform")
    return found
