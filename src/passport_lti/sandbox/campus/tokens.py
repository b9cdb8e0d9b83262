"""mod/lti/token.php: access tokens for services."""

import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from passport_lti.sandbox.campus.keys import BadToken, unverified_claims
from passport_lti.sandbox.campus.messages import Answer, Call
from passport_lti.sandbox.campus.state import Tool

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM = _AGS + "lineitem"
LINE_ITEM_READ = _AGS + "lineitem.readonly"
RESULT_READ = _AGS + "result.readonly"
SCORE = _AGS + "score"
MEMBERS_READ = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

LIFETIME = 3600
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def ags_scopes(tool: Tool) -> list[str]:
    """By the tool's setting of the grade service."""
    read = [LINE_ITEM_READ, RESULT_READ, SCORE] if tool.ags >= 1 else []
    return [*([LINE_ITEM] if tool.ags >= 2 else []), *read]


def permitted(tool: Tool) -> list[str]:
    return [*ags_scopes(tool), *([MEMBERS_READ] if tool.nrps else [])]


class AccessTokens:
    """Opaque tokens; several of a tool are good at the same time."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[Tool, frozenset[str], float]] = {}

    def issue(self, tool: Tool, scopes: list[str], now: float) -> str:
        token = secrets.token_hex(16)
        self._issued[token] = (tool, frozenset(scopes), now + LIFETIME)
        return token

    def owner(self, token: str, now: float) -> tuple[Tool, frozenset[str]] | None:
        """Whose token this is and what for; None if unknown or expired."""
        found = self._issued.get(token)
        if found is None or now >= found[2]:
            return None
        return found[0], found[1]

    def clear(self) -> None:
        self._issued.clear()


def token(campus: "Campus", call: Call) -> Answer:
    """Client credentials with a signed assertion. JSON that says it is text/html."""
    form = {k: v[-1] for k, v in parse_qs(call.body.decode("utf-8", "replace")).items()}
    assertion, wanted = form.get("client_assertion", ""), form.get("scope", "")
    if not assertion or not wanted or form.get("client_assertion_type") != _ASSERTION:
        return _error("invalid_request")
    if form.get("grant_type") != "client_credentials":
        return _error("unsupported_grant_type")
    try:
        client_id = str(unverified_claims(assertion).get("sub", ""))
        tool = campus.tool_by_client(client_id)
        if tool is None:
            return _error("invalid_client")
        campus.tool_keys.checked(tool, assertion, int(campus.now()))
    except BadToken as bad:
        return _error(str(bad))
    scopes = [scope for scope in permitted(tool) if scope in wanted.split()]
    if not scopes:
        return _error("invalid_scope")
    document = {
        "access_token": campus.access_tokens.issue(tool, scopes, campus.now()),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": " ".join(scopes),
    }
    return Answer(200, json.dumps(document).encode())


def _error(text: str) -> Answer:
    # Not escaped, as in Moodle: with quotes inside, this is no valid JSON.
    return Answer(400, f'{{"error" : "{text}"}}'.encode())
