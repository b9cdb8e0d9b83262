"""What a Moodle says of itself, against what stands in its entry here."""

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import requests

from passport_lti.doctor.findings import Findings, fail, note, ok, setting
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform

_NAMES = {
    "issuer": "issuer",
    "authorization_endpoint": "auth_login_url",
    "token_endpoint": "auth_token_url",
    "jwks_uri": "key_set_url",
}
"""Moodle's words for the settings, which its OpenID configuration shows to everybody."""


def announced(tool: Tool, platform: Platform) -> Mapping[str, str]:
    """Moodle's own values by the names of our settings; empty where none are published."""
    if "/mod/lti/" not in urlsplit(platform.auth_login_url).path:
        return {}
    url = urljoin(platform.auth_login_url, "openid-configuration.php")
    try:
        answer = tool.http.get(url, timeout=(5.0, 10.0), allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {ours: found[name] for name, ours in _NAMES.items() if isinstance(found.get(name), str)}


def differences(platform: Platform, said: Mapping[str, str]) -> Findings:
    """Issuer and sign-in page must be Moodle's own; a server may be reached by another address."""
    for key, value in said.items():
        what, where = f"{platform.name} {key}", f"{setting(platform, key)} to {value}"
        here = getattr(platform, key)
        if here == value:
            if key == "issuer":
                yield ok(what, "as the platform calls itself")
        elif key in ("issuer", "auth_login_url"):
            yield fail(what, f"the platform says {value}, here stands {here}", where)
        else:
            yield note(what, f"the platform says {value}; if it fails below", where)
