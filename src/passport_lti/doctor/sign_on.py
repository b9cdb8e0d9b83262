"""The SAML identity provider, for platforms that want it: partner, keys, metadata."""

from base64 import b64encode
from datetime import datetime, timedelta

import requests
from cryptography.hazmat.primitives.serialization import Encoding

from passport_lti.doctor.findings import Finding, Findings, fail, note, ok, setting
from passport_lti.errors import PassportError
from passport_lti.lti.platforms import settings_of
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform
from passport_lti.sso import keys
from passport_lti.sso.providers import ServiceProvider, of_organisation

SOON = timedelta(days=90)
"""How early a certificate's end is told: Coursera has to be given the next one by hand."""


def check(tool: Tool, platform: Platform) -> Findings:
    chosen = settings_of(platform)
    if chosen.sso.mode != "saml":
        return
    what = f"{platform.name} sign-on"
    provider = of_organisation(tool.config(), chosen.coursera)
    if provider is None:
        yield fail(
            what, f"sso mode saml needs coursera.{chosen.coursera}.saml",
            f"coursera.{chosen.coursera}.saml, or {setting(platform, 'sso.mode')} to link",
        )  # fmt: skip
        return
    yield ok(what, f"SAML, assertions go to {provider.acs_url}")
    yield from _keys(tool, what)
    yield _metadata(tool, what, provider)
    yield from _partner(tool.clock(), what, provider)


def _keys(tool: Tool, what: str) -> Findings:
    try:
        ends = keys.active_key(tool).certificate.not_valid_after_utc
    except PassportError as error:
        yield fail(f"{what} key", str(error), "tool.secret_key")
        return
    advice = "passport-lti keys rotate --saml makes the next one"
    if ends - tool.clock() < SOON:
        yield note(f"{what} key", f"its certificate ends on {ends:%Y-%m-%d}: {advice}")
    else:
        yield ok(f"{what} key", f"its certificate ends on {ends:%Y-%m-%d}")
    if any(key.signs_since is None for key in keys.listed()):
        yield note(
            f"{what} key",
            "a new one waits: give Coursera the metadata again, then passport-lti keys rotate "
            "--saml lets it sign",
        )


def _metadata(tool: Tool, what: str, provider: ServiceProvider) -> Finding:
    """Our metadata at the public address, as Coursera would read it."""
    url, what = provider.identity.entity_id, f"{what} metadata"
    try:
        answer = tool.http.get(url, timeout=(5.0, 10.0), allow_redirects=False)
    except requests.RequestException as error:
        why = type(error).__name__
        return fail(what, f"{url} does not answer ({why})", "tool.base_url, or start the server")
    mine = b64encode(keys.published(tool)[0].public_bytes(Encoding.DER)).decode()
    if answer.status_code != 200 or f'"{url}"' not in answer.text or mine not in answer.text:
        return fail(
            what, f"{url} does not show this installation's certificate",
            "tool.base_url, or database.url: both must be those of the running server",
        )  # fmt: skip
    return ok(what, f"{url} is what Coursera is to be given")


def _partner(now: datetime, what: str, provider: ServiceProvider) -> Findings:
    where = f"coursera.{provider.organisation}.saml.certificate"
    ended = [c for c in provider.certificates if c.not_valid_after_utc < now]
    if ended and len(ended) == len(provider.certificates):
        ends = max(c.not_valid_after_utc for c in ended)
        yield note(f"{what} certificate", f"Coursera's ended on {ends:%Y-%m-%d}", where)
