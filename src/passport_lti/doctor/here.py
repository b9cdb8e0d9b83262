"""Ourselves: the public address, the cache, the signing key."""

from urllib.parse import urlsplit

import requests

from passport_lti.doctor.findings import Finding, Findings, fail, ok
from passport_lti.errors import PassportError
from passport_lti.extensions import cache
from passport_lti.lti import keys
from passport_lti.lti.tool import Tool

_BASE = "tool.base_url"


def check(tool: Tool) -> Findings:
    yield _cache()
    try:
        kid = keys.active_key(tool).kid
    except PassportError as error:
        yield fail("signing key", str(error), "tool.secret_key")
        return
    yield ok("signing key", kid)
    yield _address(tool)


def _cache() -> Finding:
    try:
        cache.set("doctor", "ok", timeout=10)
        works = cache.get("doctor") == "ok"
    except Exception as error:  # every kind of cache has errors of its own
        return fail(
            "cache", f"it can't be used ({type(error).__name__})", "cache.type and cache.url"
        )
    if not works:
        return fail("cache", "what is stored does not come back", "cache.type and cache.dir")
    return ok("cache")


def _address(tool: Tool) -> Finding:
    """Our own key set, asked for at the public address."""
    url = f"{tool.base_url}/lti/jwks.json"
    try:
        answer = tool.http.get(url, timeout=(5.0, 10.0), allow_redirects=False)
    except requests.exceptions.SSLError:
        return fail(
            _BASE, f"{url} does not speak https with a trusted certificate",
            f"{_BASE}, or the certificate of the proxy in front",
        )  # fmt: skip
    except requests.RequestException as error:
        why = type(error).__name__
        return fail(_BASE, f"{url} does not answer ({why})", f"{_BASE}, or start the server")
    if 300 <= answer.status_code < 400:
        return _redirected(tool, answer.headers.get("Location", ""))
    if answer.status_code != 200:
        return fail(
            _BASE, f"{url} answers {answer.status_code}", f"{_BASE} to the address of this tool"
        )
    try:
        there = {key["kid"] for key in answer.json()["keys"]}
    except (ValueError, KeyError, TypeError):
        return fail(_BASE, f"at {url} something else answers", f"{_BASE} to this tool's address")
    if there != {key["kid"] for key in keys.public_key_set(tool)["keys"]}:
        return fail(
            _BASE, f"at {url} an installation with other keys answers",
            f"{_BASE}, or database.url: both must be those of the running server",
        )  # fmt: skip
    return ok(_BASE, f"{tool.base_url} answers with our keys")


def _redirected(tool: Tool, target: str) -> Finding:
    here, there = urlsplit(tool.base_url), urlsplit(target)
    if here.scheme == "http" and there.scheme == "https":
        better = target.removesuffix("/lti/jwks.json")
        return fail(_BASE, "it says http but the server redirects to https", f"{_BASE} to {better}")
    return fail(
        _BASE, f"it redirects to {target[:200] or 'nowhere'}",
        f"{_BASE} to the address that answers without a redirect",
    )  # fmt: skip
