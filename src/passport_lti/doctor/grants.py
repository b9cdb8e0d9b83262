"""Access tokens: what the platform grants against what we need, one scope at a time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from passport_lti.doctor.findings import Finding, Findings, fail, ok, setting
from passport_lti.errors import ServiceError
from passport_lti.lti import ags, nrps, tokens
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform
from passport_lti.sync.services import Services

_GRADES = "Services, IMS LTI Assignment and Grade Services"
_SYNC = f"{_GRADES}: Use this service for grade sync and column management"
_NAMES = (
    "Services, IMS LTI Names and Role Provisioning: "
    "Use this service to retrieve members' information"
)
NEEDED = {
    ags.LINE_ITEM: ("make columns", _SYNC),
    ags.LINE_ITEM_READONLY: ("read columns", _SYNC),
    ags.SCORE: ("send grades", _SYNC),
    ags.RESULT_READONLY: ("read grades", _SYNC),
    nrps.SCOPE: ("read the roster", _NAMES),
}
"""Each scope: what for, and the setting in Moodle's form of the tool that grants it."""


def check(services: Services, platform: Platform) -> Findings:
    """Asks for fresh tokens: a kept one would hide a setting that was changed since."""
    service, tool = services.platform(platform), services.tool
    for scope, (purpose, granting) in NEEDED.items():
        what = f"{platform.name} token to {purpose}"
        kept = tokens.stored(tool, platform.id, [scope])
        if kept:
            tokens.drop(tool, platform.id, [scope], kept)
        with _overheard(tool, platform.auth_token_url) as answers:
            try:
                service.get_access_token([scope])
            except ServiceError as error:
                if error.reason == "scope_missing":
                    name = scope.rsplit("/", 1)[1]
                    yield fail(
                        what, f"the platform does not grant the scope {name}",
                        f"in the tool's settings at the platform: {granting}",
                    )  # fmt: skip
                    continue
                yield _refused(f"{platform.name} token", tool, platform, error, answers)
                return
        yield ok(what)


def _refused(
    what: str, tool: Tool, platform: Platform, error: ServiceError, answers: list[str]
) -> Finding:
    """Why no token comes at all. The platform's own word decides; Moodle's JSON may be broken."""
    said = answers[-1] if answers else ""
    readable = " ".join(re.findall(r"[\w.,:()'-]+", said))[:120]
    if re.search(r"invalid_client|unauthorized_client|client.{0,20}not found", said, re.I):
        return fail(
            what, f"the platform does not know the client id {platform.client_id} ({readable})",
            setting(platform, "client_id"),
        )  # fmt: skip
    if re.search(r"prior to|expired token|iat|nbf", said, re.I):
        return fail(
            what, f"by the platform's clock our request has the wrong time ({readable})",
            "the wrong server's clock (NTP)",
        )  # fmt: skip
    if re.search(r"key ?set|kid|signature|jwk", said, re.I):
        return fail(
            what, f"the platform can't check our signature ({readable})",
            "in the tool's settings at the platform: Public key type to Keyset URL and "
            f"Public keyset to {tool.base_url}/lti/jwks.json, which it must be able to reach",
        )  # fmt: skip
    if error.reason == "token_refused":
        where = setting(platform, "client_id")
        return fail(
            what, f"the platform refuses it ({readable or error.detail})",
            f"{where}, or at the platform: Public keyset to {tool.base_url}/lti/jwks.json",
        )  # fmt: skip
    return fail(
        what, f"{platform.auth_token_url}: {error.detail}", setting(platform, "auth_token_url")
    )


@contextmanager
def _overheard(tool: Tool, url: str) -> Iterator[list[str]]:
    """The error answers of the token address while this lasts: their wording tells the cause."""
    heard: list[str] = []

    def listen(answer: requests.Response, *_: Any, **__: Any) -> None:
        if answer.request.method == "POST" and answer.url == url and not answer.ok:
            heard.append(answer.text[:500])

    tool.http.hooks["response"].append(listen)
    try:
        yield heard
    finally:
        tool.http.hooks["response"].remove(listen)
