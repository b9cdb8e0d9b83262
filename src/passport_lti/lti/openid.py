"""The two requests of a dynamic registration, and what a platform may answer to them."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from passport_lti.config import Platform as Entry
from passport_lti.config import is_loopback
from passport_lti.lti import ags, claims, guarded, nrps
from passport_lti.lti.invitations import RegistrationRefused
from passport_lti.lti.tool import Tool

SCOPES = (
    ags.LINE_ITEM, ags.LINE_ITEM_READONLY, ags.RESULT_READONLY, ags.SCORE, nrps.SCOPE,
)  # fmt: skip
CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email")
CUSTOM = {
    "context_history": "$Context.id.history",
    "username": "$User.username",
    "person_sourcedid": "$Person.sourcedId",
}
_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint",
)  # fmt: skip


def document(tool: Tool) -> dict[str, Any]:
    """What we ask of a platform: exactly what is used."""
    settings = tool.config().tool
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["client_credentials", "implicit"],
        "initiate_login_uri": f"{tool.base_url}/lti/login",
        "redirect_uris": [tool.launch_url],
        "client_name": settings.title,
        "jwks_uri": f"{tool.base_url}/lti/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(SCOPES),
        _TOOL: {
            "domain": urlsplit(tool.base_url).netloc,
            "description": settings.description,
            "target_link_uri": tool.launch_url,
            "custom_parameters": CUSTOM,
            "claims": list(CLAIMS),
            "messages": [
                {"type": kind, "target_link_uri": tool.launch_url, "label": settings.title}
                for kind in (claims.DEEP_LINKING_REQUEST, claims.RESOURCE_LINK_REQUEST)
            ],
        },
    }


def configuration(tool: Tool, url: str) -> dict[str, str]:
    """The platform's addresses; all of them on the host that the document came from."""
    reply = _called(tool, "GET", url, {"Accept": "application/json"})
    found = _object(reply, "openid-configuration")
    values = {name: found.get(name) for name in ("issuer", *_ENDPOINTS)}
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise RegistrationRefused("malformed", f"The platform's configuration has no {name}.")
        if _origin(value) != _origin(url):
            raise RegistrationRefused(
                "malformed", f"The platform's {name} is not on the host that the address names."
            )
    audience = found.get("authorization_server")
    if isinstance(audience, str) and audience:
        values["authorization_server"] = audience
    return {name: str(value) for name, value in values.items()}


def ask(tool: Tool, url: str, token: str) -> dict[str, Any]:
    """The platform's answer to our registration. Raises RegistrationRefused."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        if not re.fullmatch(r"[\x21-\x7e]{1,8000}", token):
            raise RegistrationRefused("malformed", "The registration token is not one.")
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(document(tool)).encode()
    return _object(_called(tool, "POST", url, headers, body), "registration")


def entry(there: Mapping[str, str], answer: Mapping[str, Any], coursera: str) -> tuple[Entry, str]:
    """The platform as the YAML would have it, checked alike, and its deployment id if named."""
    configuration = answer.get(_TOOL)
    named = configuration.get("deployment_id") if isinstance(configuration, dict) else None
    deployment_id = str(named) if isinstance(named, str | int) else ""
    try:
        found = Entry.model_validate(
            {
                "issuer": there["issuer"],
                "client_id": answer.get("client_id"),
                "deployment_ids": [deployment_id] if deployment_id else [],
                "auth_login_url": there["authorization_endpoint"],
                "auth_token_url": there["token_endpoint"],
                "key_set_url": there["jwks_uri"],
                "auth_audience": there.get("authorization_server"),
                "coursera": coursera,
            }
        )
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RegistrationRefused(
            "malformed", f"The platform's answer has no usable {place}."
        ) from None
    if not deployment_id.isprintable() or not found.client_id.isprintable():
        raise RegistrationRefused("malformed", "The platform's answer has no usable ids.")
    return found, deployment_id


def _called(
    tool: Tool, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> guarded.Reply:
    base = urlsplit(tool.base_url)
    here = base.scheme == "http" and is_loopback(base.hostname)
    try:
        reply = guarded.request(tool.http, method, url, loopback=here, headers=headers, body=body)
    except ValueError as error:
        raise RegistrationRefused(
            "platform_error", f"The platform's address can't be used: {error}."
        ) from None
    if reply.status not in (200, 201):
        said = " ".join(re.findall(r"[\w.,:;'-]+", reply.body[:200].decode("utf-8", "replace")))
        raise RegistrationRefused(
            "platform_error", f"The platform answered {reply.status}: {said[:120] or 'nothing'}."
        )
    return reply


def _object(reply: guarded.Reply, what: str) -> dict[str, Any]:
    try:
        value = reply.value
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RegistrationRefused("platform_error", f"The platform's {what} is not JSON.")
    return value


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise RegistrationRefused("malformed", "An address of the platform is not one.") from None
