"""A platform's public side: key set, clock, and the page that signs people in."""

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from passport_lti.doctor.announced import announced, differences
from passport_lti.doctor.findings import Finding, Findings, fail, note, ok, setting
from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti.key_sets import usable_keys
from passport_lti.lti.oidc import begin_login
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform

LATEST = 10
"""Seconds that the platform may be behind us: our token requests are dated back that far."""


def check(tool: Tool, platform: Platform) -> Findings:
    if platform.state != "active":
        yield note(
            platform.name, f"it is {platform.state}: passport-lti platform approve {platform.name}"
        )
    said = announced(tool, platform)
    yield from differences(platform, said)
    what = f"{platform.name} key set"
    where = setting(platform, "key_set_url")
    try:
        answer = tool.http.get(platform.key_set_url, timeout=(5.0, 10.0), allow_redirects=False)
    except requests.RequestException as error:
        yield _unreachable(what, platform.key_set_url, error, where)
        return
    yield _key_set(what, where, platform.key_set_url, answer)
    yield from _clock(tool, platform, answer)
    if said.get("auth_login_url", platform.auth_login_url) == platform.auth_login_url:
        yield _login(tool, platform)


def _key_set(what: str, where: str, url: str, answer: requests.Response) -> Finding:
    if 300 <= answer.status_code < 400:
        return _redirected(what, url, answer, where)
    if answer.status_code != 200:
        return fail(what, f"{url} answers {answer.status_code}", where)
    try:
        found = usable_keys(answer.json())
    except ValueError:
        return fail(what, f"{url} does not answer with keys", where)
    if not found:
        return fail(what, f"{url} shows no usable RSA key", where)
    return ok(what, f"{len(found)} key(s)")


def _clock(tool: Tool, platform: Platform, answer: requests.Response) -> Findings:
    what = f"{platform.name} clock"
    try:
        there = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        yield note(what, "the platform does not say what time it is")
        return
    ahead = round(there - tool.clock().timestamp())
    allowed = round(tool.config().lti.clock_skew.total_seconds())
    word = "ahead of" if ahead >= 0 else "behind"
    measured = f"the platform is {abs(ahead)} s {word} this tool"
    if ahead > allowed or ahead < -min(allowed, LATEST):
        yield fail(
            what, f"{measured}, lti.clock_skew allows {allowed} s",
            "the wrong server's clock (NTP), or else lti.clock_skew",
        )  # fmt: skip
    else:
        yield ok(what, measured)


def _login(tool: Tool, platform: Platform) -> Finding:
    """Ask as a launch does, for nobody: without parameters Moodle may answer 404 to anything."""
    what, url = f"{platform.name} sign-in page", platform.auth_login_url
    where = setting(platform, "auth_login_url")
    try:
        asking = _asking(tool, platform)
        db.session.commit()
        answer = tool.http.get(asking, timeout=(5.0, 10.0), allow_redirects=False)
    except requests.RequestException as error:
        return _unreachable(what, url, error, where)
    target = urlsplit(answer.headers.get("Location", ""))
    if 300 <= answer.status_code < 400 and target.scheme == "https" and url.startswith("http:"):
        return _redirected(what, url, answer, where)
    if answer.status_code == 404 or answer.status_code >= 500:
        return fail(what, f"{url} answers {answer.status_code}", where)
    return ok(what)


def _asking(tool: Tool, platform: Platform) -> str:
    """The address of a complete authentication request, in nobody's name."""
    initiation = {
        "iss": platform.issuer, "client_id": platform.client_id, "login_hint": "0",
        "lti_message_hint": "{}", "target_link_uri": tool.launch_url,
    }  # fmt: skip
    try:
        return begin_login(tool, initiation).url
    except LaunchRefused:
        # It is not active yet; then the bare address must do.
        return platform.auth_login_url


def _redirected(what: str, url: str, answer: requests.Response, where: str) -> Finding:
    target = answer.headers.get("Location", "")
    if url.startswith("http:") and target.startswith("https:"):
        return fail(what, "the address says http but the platform redirects to https", where)
    return fail(what, f"{url} redirects to {target[:200] or 'nowhere'}", where)


def _unreachable(what: str, url: str, error: Exception, where: str) -> Finding:
    if isinstance(error, requests.exceptions.SSLError):
        return fail(what, f"{url} does not speak https with a trusted certificate", where)
    return fail(what, f"{url} does not answer ({type(error).__name__})", where)
