"""The first step of every launch: the platform starts a login, we send the browser back to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from passport_lti.errors import LaunchRefused
from passport_lti.lti import state as flows
from passport_lti.lti.platforms import Registered, registered
from passport_lti.lti.tool import Tool

MOST = 50
"""Parameters of one login; Moodle sends six."""
LONGEST = 8_000
"""Characters of one login parameter; Moodle's message hint has about a hundred."""
_ASKED = urlencode(
    {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
    }
)
"""What every login asks for (Security Framework 5.1.1.2)."""
_NO_ADDRESS = re.compile(r"[\s\x00-\x1f\\]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LoginStart:
    """Where to send the browser, and the cookie that ties the launch to it."""

    url: str
    cookie_name: str
    cookie_value: str
    platform_id: int


def begin_login(tool: Tool, params: Mapping[str, str]) -> LoginStart:
    """Answer a third-party login initiation. Raises LaunchRefused; stores nothing.

    Security Framework 5.1.1. Moodle starts it before checking that somebody is signed in
    (`login_hint` 0), so this authenticates nobody.
    """
    if len(params) > MOST:
        raise LaunchRefused("malformed", "the login has too many parameters")
    for name in ("iss", "login_hint", "target_link_uri"):
        if not params.get(name):
            raise LaunchRefused("malformed", f"the login has no {name}")
    for name, value in params.items():
        if len(value) > LONGEST or not _is_text(value):
            raise LaunchRefused("malformed", f"the login's {name[:40]!r} is too long or no text")
    platform = _platform(params["iss"], params.get("client_id"))
    target = params["target_link_uri"]
    if not is_ours(tool, target):
        detail = "the login asks for an address that is not this tool's"
        raise _claimed(LaunchRefused("target_link", detail), platform)
    nonce = flows.new_nonce(tool.secret)
    state = flows.seal(
        tool.secret, flows.Flow(nonce, platform.id, target, int(tool.clock().timestamp()))
    )
    request = {
        "client_id": platform.client_id,
        "redirect_uri": tool.launch_url,
        "login_hint": params["login_hint"],
        "state": state,
        "nonce": nonce,
    }
    if "lti_message_hint" in params:
        request["lti_message_hint"] = params["lti_message_hint"]
    joint = "&" if urlsplit(platform.auth_login_url).query else "?"
    return LoginStart(
        url=f"{platform.auth_login_url}{joint}{_ASKED}&{urlencode(request)}",
        cookie_name=flows.cookie_name(tool.base_url, state),
        cookie_value=flows.cookie_value(tool.secret, state),
        platform_id=platform.id,
    )


def is_ours(tool: Tool, url: str) -> bool:
    """Whether an address belongs to this tool, so that a launch may go there."""
    if url == tool.launch_url:
        return True
    if _NO_ADDRESS.search(url):
        return False
    try:
        parts, own = urlsplit(url), urlsplit(tool.base_url)
        same = (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    inside = parts.path.startswith(own.path.rstrip("/") + "/") or parts.path == own.path
    return same and parts.username is None and inside and ".." not in parts.path.split("/")


def _is_text(value: str) -> bool:
    """Neither NUL, which PostgreSQL refuses, nor half a surrogate pair, which no URL can hold."""
    return _NO_TEXT.search(value) is None


def _shown(value: str) -> str:
    """An id as it arrived, so that it can be compared; no words that a stranger could put there."""
    return value if re.fullmatch(r"[A-Za-z0-9_.:/~-]{1,200}", value) else "(no usual one)"


def _platform(issuer: str, client_id: str | None) -> Registered:
    platforms = registered(issuer)
    if not platforms:
        raise LaunchRefused(
            "issuer_unknown",
            f"the platform sent platform ID {_shown(issuer)}, which is the issuer of no entry",
        )
    if client_id:
        for platform in platforms:
            if platform.client_id == client_id:
                return platform
        detail = (
            f"the platform sent client ID {_shown(client_id)}, which is in no entry of its issuer"
        )
        raise _claimed(LaunchRefused("client_unknown", detail), *platforms)
    if len(platforms) > 1:
        raise LaunchRefused(
            "client_unknown", "this issuer has several registrations and sent no client_id"
        )
    return platforms[0]


def _claimed(refusal: LaunchRefused, *platforms: Registered) -> LaunchRefused:
    """A refusal of what claims to come from a platform, where only one is meant."""
    if len(platforms) == 1:
        refusal.platform_id = platforms[0].id
    return refusal
