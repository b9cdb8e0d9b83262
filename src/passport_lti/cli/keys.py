"""`keys`: the tool's signing keys, of LTI and of SAML."""

import click
from tabulate import tabulate

from passport_lti.cli.main import cli, opened
from passport_lti.lti import keys as signing
from passport_lti.sso import keys as saml


@cli.group()
def keys() -> None:
    """The tool's signing keys. Example: passport-lti keys list"""


@keys.command(name="list")
@click.pass_obj
def list_keys(path: str | None) -> None:
    """Every key, newest first; the one that was not retired signs.

    SAML keys are named by the SHA-256 of their certificate, and come once SAML was used.

    Example: passport-lti keys list
    """
    with opened(path) as services:
        signing.active_key(services.tool)
        rows = [
            {"kid": kid, "for": "LTI", "made": made, "retired": retired or "signs now"}
            for kid, made, retired in signing.listed()
        ]
        for key in saml.listed():
            state = "signs now" if key.signs_since else "waits in the metadata"
            rows.append(
                {"kid": key.fingerprint[:16], "for": "SAML", "made": key.created_at,
                 "retired": key.retired_at or state}
            )  # fmt: skip
        click.echo(tabulate(rows, headers="keys"))


@keys.command()
@click.option("--saml", "is_saml", is_flag=True, help="The key that signs people in at Coursera.")
@click.pass_obj
def rotate(path: str | None, is_saml: bool) -> None:
    """Sign with a new key from now on; the old one stays published for a day.

    With --saml in two steps, because Coursera has to be told: the first makes a key that waits in
    the metadata, the second lets it sign.

    Example: passport-lti keys rotate
    """
    with opened(path) as services:
        if not is_saml:
            click.echo(f"The key {signing.rotate(services.tool)} signs from now on.")
            return
        key = saml.rotate(services.tool)
        if key.signs_since is not None:
            click.echo(f"The SAML key {key.fingerprint[:16]} signs from now on.")
            return
        click.echo(
            f"The SAML key {key.fingerprint[:16]} waits in the metadata. Give Coursera "
            f"{services.config.tool.base_url}/saml/metadata again, and once it has both "
            "certificates: passport-lti keys rotate --saml"
        )
