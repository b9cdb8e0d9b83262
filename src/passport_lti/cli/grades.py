"""`sync` and `status`: what is sent, what stands, and why."""

import click
from flask import current_app
from tabulate import tabulate

from passport_lti.cli.main import cli, emit_json, opened
from passport_lti.sync import engine, reasons, report
from passport_lti.sync.rehearsal import rehearsal

platform_option = click.option("--platform", metavar="NAME", help="Only this platform.")
activity_option = click.option("--activity", type=int, metavar="ID", help="Only this activity.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@cli.command()
@platform_option
@activity_option
@click.option("--dry-run", is_flag=True, help="Send and store nothing; list what would be done.")
@json_option
@click.pass_obj
def sync(
    path: str | None, platform: str | None, activity: int | None, dry_run: bool, as_json: bool
) -> None:
    """Poll Coursera once, then deliver until nothing is due.

    Exit 0: every wanted score is delivered or deliberately held. Exit 1: something is rejected
    or still failing; the table says what and why.

    Example: passport-lti sync --platform campus --dry-run
    """
    with opened(path) as services:
        _check(platform, activity)
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        if dry_run:
            with rehearsal(services):
                outcome = engine.run(
                    services, app.app_context, platform=platform, activity=activity, send=False
                )
                shown = _shown(platform, activity, as_json)
        else:
            outcome = engine.run(services, app.app_context, platform=platform, activity=activity)
            shown = _shown(platform, activity, as_json)
        if as_json:
            emit_json({**shown, "summary": outcome.summary, "problems": outcome.problems})
        else:
            only = ("due",) if dry_run else ("due", "held", "rejected", "superseded")
            _print_cells([cell for cell in shown["cells"] if cell["state"] in only])
            for problem in outcome.problems:
                click.echo(problem, err=True)
            click.echo(_sentence(outcome.summary, dry_run))
    raise SystemExit(0 if outcome.ok else 1)


@cli.command()
@platform_option
@activity_option
@json_option
@click.pass_obj
def status(path: str | None, platform: str | None, activity: int | None, as_json: bool) -> None:
    """Every cell (learner x column) with its state, reason and times.

    Example: passport-lti status --activity 3
    """
    with opened(path):
        _check(platform, activity)
        shown = _document(platform, activity)
        if as_json:
            emit_json(shown)
            return
        _print_cells(shown["cells"])
        if not shown["cells"]:
            click.echo(
                "No grade has met a column yet: "
                "see `passport-lti platform list` and `passport-lti sync`."
            )
        for row in shown["unmatched_learners"]:
            click.echo(f"Coursera reports {row['external_id']}, who matches no single member.")
        for row in shown["activities"]:
            for reason in dict.fromkeys((row["problem"], row["roster"], row["privacy"])):
                if reason is None:
                    continue
                remedy = reasons.REMEDIES.get(reason, reason)
                click.echo(f"Activity {row['id']} ({row['title']}): {remedy}")


def _shown(platform: str | None, activity: int | None, as_json: bool) -> dict[str, list[dict]]:
    """What a sync shows: people see what is unfinished, and nothing more is read for them."""
    if as_json:
        return _document(platform, activity)
    return {"cells": report.cells(platform, activity, unfinished=True)}


def _document(platform: str | None, activity: int | None) -> dict[str, list[dict]]:
    return {
        "cells": report.cells(platform, activity),
        "people": report.people(platform, activity),
        "unmatched_learners": report.unmatched(platform, activity),
        "activities": report.problems(platform, activity),
    }


def _check(platform: str | None, activity: int | None) -> None:
    """A name that nobody has is wrong usage, not an empty answer."""
    if platform is not None and not report.platform_exists(platform):
        raise click.BadParameter(f"no platform is called {platform!r}", param_hint="--platform")
    if activity is not None and not report.activity_exists(activity):
        raise click.BadParameter(f"there is no activity {activity}", param_hint="--activity")


def _print_cells(cells: list[dict]) -> None:
    if cells:
        click.echo(tabulate([_line(cell) for cell in cells], headers="keys"))


def _line(cell: dict) -> dict[str, object]:
    wanted, held = cell["wanted"], cell["delivered"]
    return {
        "platform": cell["platform"],
        "context": cell["context"],
        "activity": cell["activity"],
        "member": cell["member"]["name"] or cell["member"]["sub"],
        "column": cell["column"]["label"][:40],
        "wanted": f"{wanted['given']:g}/{wanted['maximum']:g}" if wanted else "",
        "in gradebook": f"{held['given']:g}/{held['maximum']:g}" if held else "",
        "state": cell["state"],
        "reason": cell["reason"] or "",
        "accepted": cell["times"]["accepted"] or "",
    }


def _sentence(summary: dict, dry_run: bool) -> str:
    if dry_run:
        return f"Dry run: {summary['changed']} cells would change; nothing was sent or stored."
    return (
        f"Read {summary['polled']} courses; {summary['changed']} cells changed, "
        f"{summary['sent']} scores sent, {summary['held']} held, "
        f"{summary['rejected']} rejected, {summary['failed']} still to be sent."
    )
