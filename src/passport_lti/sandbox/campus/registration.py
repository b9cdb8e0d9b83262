"""Dynamic registration: the platform's side of openid-registration."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt
from flask import Blueprint, Response, jsonify, make_response, request

from passport_lti.sandbox.campus.school import random_client_id
from passport_lti.sandbox.campus.state import Tool
from passport_lti.sandbox.campus.tokens import LINE_ITEM, MEMBERS_READ, ags_scopes, permitted

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
_CLAIMS = ["sub", "iss", "name", "given_name", "family_name", "email"]
_VARIABLES = [
    "Context.id",
    "Context.title",
    "Context.label",
    "Context.id.history",
    "Context.sourcedId",
    "CourseSection.title",
    "CourseSection.label",
    "CourseSection.sourcedId",
    "ResourceLink.id",
    "ResourceLink.title",
    "ResourceLink.description",
    "User.id",
    "User.username",
    "Person.name.full",
    "Person.name.given",
    "Person.name.family",
    "Person.email.primary",
    "Person.sourcedId",
    "Membership.role",
    "LineItems.url",
    "LineItem.url",
    "ToolProxyBinding.memberships.url",
    "Moodle.Person.userGroupIds",
]


class _Wrong(Exception):
    """A registration that Moodle refuses, with its plain-text reason."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def registration_token(campus: "Campus", tool: Tool | None = None) -> str:
    """What the administrator's page hands to the tool; good for an hour and one registration."""
    now = int(campus.now())
    claims = {
        "sub": tool.deployment_id if tool else random_client_id(),
        "scope": "reg-update" if tool else "reg",
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, campus.private_key, "RS256", headers={"kid": campus.kid})


def registration(campus: "Campus") -> Blueprint:
    """The two public addresses."""
    pages = Blueprint("registration", __name__)

    @pages.get("/mod/lti/openid-configuration.php")
    def configuration() -> Response:
        return jsonify(_configuration(campus))

    @pages.route("/mod/lti/openid-registration.php", methods=["GET", "POST", "PUT", "DELETE"])
    def register() -> Response:
        try:
            subject, update = _token(campus)
            if request.method == "GET" and update:
                return jsonify(_document(_existing(campus, subject)))
            if request.method != "POST":
                raise _Wrong("Unsupported request method")
            fields = _fields(request.get_json(silent=True))
            if update:
                tool = _existing(campus, subject)
                vars(tool).update(fields)
            else:
                if campus.tool_by_client(subject) is not None:
                    raise _Wrong("token_already_used", 401)
                base = fields["launch_url"]
                tool = campus.add_tool(
                    base, client_id=subject, state="pending", in_chooser=False, **fields
                )
                tool.container = "iframe"
            return jsonify(_document(tool))
        except _Wrong as wrong:
            return make_response(str(wrong), wrong.status, {"Content-Type": "text/plain"})

    return pages


def _configuration(campus: "Campus") -> dict[str, Any]:
    root = f"{campus.url}/mod/lti"
    return {
        "issuer": campus.url,
        "token_endpoint": f"{root}/token.php",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": f"{root}/certs.php",
        "authorization_endpoint": f"{root}/auth.php",
        "registration_endpoint": f"{root}/openid-registration.php",
        "scopes_supported": [
            "https://purl.imsglobal.org/spec/lti-bo/scope/basicoutcome",
            *(_AGS + name for name in ("lineitem.readonly", "result.readonly", "score")),
            LINE_ITEM,
            MEMBERS_READ,
            "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting",
            "openid",
        ],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": _CLAIMS,
        _PLATFORM_CONFIGURATION: {
            "product_family_code": "moodle",
            "version": "4.5.5+ (Build: 20250613)",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
            "variables": _VARIABLES,
        },
    }


def _token(campus: "Campus") -> tuple[str, bool]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise _Wrong("missing_registration_token", 401)
    try:
        claims = jwt.decode(
            token,
            campus.private_key.public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise _Wrong("invalid_registration_token", 401) from error
    if campus.now() >= claims["exp"]:
        raise _Wrong("Expired token", 401)
    return claims["sub"], claims["scope"] == "reg-update"


def _existing(campus: "Campus", subject: str) -> Tool:
    tool = campus.tools.get(subject)
    if tool is None:
        raise _Wrong("Unknown registration", 401)
    return tool


def _fields(document: Any) -> dict[str, Any]:
    """What Moodle takes from a registration; the rest is ignored."""
    if not isinstance(document, dict):
        raise _Wrong("missing_response_type")
    tool = document.get(TOOL_CONFIGURATION)
    if "id_token" not in document.get("response_types", []):
        raise _Wrong("invalid_response_types")
    for name in ("initiate_login_uri", "redirect_uris", "client_name", "jwks_uri"):
        if not document.get(name):
            raise _Wrong(f"missing_{name}")
    if document.get("token_endpoint_auth_method") != "private_key_jwt":
        raise _Wrong("invalid_token_endpoint_auth_method")
    if document.get("application_type", "web") != "web":
        raise _Wrong("invalid_application_type")
    if not isinstance(document["redirect_uris"], list):
        raise _Wrong("invalid_redirect_uris")
    if not isinstance(tool, dict) or not tool.get("domain"):
        raise _Wrong("missing_domain")
    target = tool.get("target_link_uri") or f"https://{tool['domain']}"
    if urlsplit(target).netloc.removeprefix("www.") != str(tool["domain"]).removeprefix("www."):
        raise _Wrong("domain_targetlinkuri_mismatch")
    scopes = str(document.get("scope", "")).split()
    level = 2 if LINE_ITEM in scopes else int(any(s.startswith(_AGS) for s in scopes))
    shared = tool.get("claims") or []
    custom = tool.get("custom_parameters") or {}
    messages = [m for m in tool.get("messages") or [] if m.get("type") == "LtiDeepLinkingRequest"]
    return {
        "name": str(document["client_name"]),
        "description": str(tool.get("description") or ""),
        "launch_url": target,
        "login_url": document["initiate_login_uri"],
        "redirect_urls": list(document["redirect_uris"]),
        "jwks_url": document["jwks_uri"],
        "deep_link_url": (messages[0].get("target_link_uri") or target) if messages else "",
        "custom": "\n".join(f"{name}={value}" for name, value in custom.items()),
        "share_name": bool({"name", "given_name", "family_name"}.intersection(shared)),
        "share_email": "email" in shared,
        "ags": level,
        "nrps": MEMBERS_READ in scopes,
        "accept_grades": "delegate" if level else "never",
    }


def _document(tool: Tool) -> dict[str, Any]:
    # Moodle reports more than it grants: any grade service also lists `lineitem`.
    scopes = [*permitted(tool), *([LINE_ITEM] if ags_scopes(tool) and tool.ags == 1 else [])]
    names = ["sub", "iss", *(_CLAIMS[2:5] if tool.share_name else [])]
    custom = (line.split("=") for line in tool.custom.splitlines())
    messages = [{"type": "LtiDeepLinkingRequest", "target_link_uri": tool.deep_link_url}]
    return {
        "client_id": tool.client_id,
        "response_types": ["id_token"],
        "jwks_uri": tool.jwks_url,
        "initiate_login_uri": tool.login_url,
        "grant_types": ["client_credentials", "implicit"],
        "redirect_uris": tool.redirect_urls,
        "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt",
        "client_name": tool.name,
        "logo_uri": "",
        "scope": " ".join(scopes),
        TOOL_CONFIGURATION: {
            "version": "1.3.0",
            "deployment_id": tool.deployment_id,
            "target_link_uri": tool.launch_url,
            "domain": urlsplit(tool.launch_url).netloc,
            "description": tool.description,
            "messages": messages if tool.deep_link_url else [],
            # A value with "=" inside is cut here, though stored whole.
            "custom_parameters": {parts[0]: parts[1] for parts in custom if len(parts) > 1},
            "claims": [*names, *(["email"] if tool.share_email else [])],
        },
    }
