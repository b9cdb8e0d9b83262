"""The claims of a verified message as one typed value."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from passport_lti.errors import LaunchRefused

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"

RESOURCE_LINK_REQUEST = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST = "LtiDeepLinkingRequest"

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_TEST_USERS = frozenset(
    (
        "http://purl.imsglobal.org/vocab/lti/system/person#TestUser",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#TestUser",
        _MEMBERSHIP + "TestUser",
    )
)
"""LTI Core 1.3, A.2.5, and two spellings of it that were seen."""
_ADDRESS = re.compile(r"https?://[^\s\x00-\x20<>\"\\]{1,990}")
_ADMINISTRATORS = frozenset(
    f"http://purl.imsglobal.org/vocab/lis/v2/{place}/person#Administrator"
    for place in ("institution", "system")
)


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """The Moodle course; `history` are ids of the courses it was copied from, nearest first."""

    id: str
    label: str = ""
    title: str = ""
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeepLinkingSettings:
    """Where and how the platform wants its content items back; `data` is echoed if given."""

    return_url: str
    accept_multiple: bool
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """One verified LTI message. Empty text means: the platform did not say."""

    platform_id: int
    deployment_id: str
    message_type: str
    nonce: str
    sub: str
    roles: frozenset[str]
    name: str = ""
    email: str = ""
    sourcedid: str = ""
    username: str = ""
    given_name: str = ""
    family_name: str = ""
    context: LaunchContext | None = None
    resource_link_id: str = ""
    resource_link_title: str = ""
    custom: Mapping[str, str] = ()  # type: ignore[assignment]
    line_items_url: str = ""
    line_item_url: str = ""
    ags_scopes: tuple[str, ...] = ()
    memberships_url: str = ""
    deep_linking: DeepLinkingSettings | None = None
    locale: str = ""
    target: str = ""

    @property
    def is_instructor(self) -> bool:
        return _MEMBERSHIP + "Instructor" in self.roles

    @property
    def is_admin(self) -> bool:
        return not _ADMINISTRATORS.isdisjoint(self.roles)

    @property
    def is_test(self) -> bool:
        """Whether it is nobody, but a way for staff to see what learners see."""
        return not _TEST_USERS.isdisjoint(self.roles)

    @property
    def role(self) -> str:
        """instructor, learner or none: the least privilege for roles that we do not know."""
        return role_of(self.roles)


def role_of(roles: Collection[str]) -> str:
    """instructor, learner or none for full role URIs; instructor wins."""
    if _MEMBERSHIP + "Instructor" in roles:
        return "instructor"
    return "learner" if _MEMBERSHIP + "Learner" in roles else "none"


def full_roles(roles: Iterable[object]) -> frozenset[str]:
    """Role URIs; the short names of LTI 1.1 are accepted, as Core 1.3 A.2.4 wants."""
    return frozenset(
        _MEMBERSHIP + role if role.isalpha() and role.isascii() else role
        for role in roles
        if isinstance(role, str) and role
    )


def read(claims: Mapping[str, Any], platform_id: int) -> Launch:
    """A `Launch` from a message's claims. Raises LaunchRefused for missing or broken ones."""
    message_type = claims.get(CLAIM + "message_type")
    _require(claims, message_type)
    links = _mapping(claims, CLAIM + "resource_link")
    context = _mapping(claims, CLAIM + "context")
    custom = _custom(claims)
    lis = _mapping(claims, CLAIM + "lis")
    ext = claims.get(CLAIM + "ext")
    # A vendor's own: nothing in it is malformed.
    username = ext.get("user_username") if isinstance(ext, dict) else None
    username = username[:1000] if isinstance(username, str) else ""
    presentation = _mapping(claims, CLAIM + "launch_presentation")
    ags = _mapping(claims, AGS)
    scopes = ags.get("scope", [])
    if not isinstance(scopes, list):
        raise LaunchRefused("malformed", "the AGS scope is not a list")
    names = (_text(claims, "given_name"), _text(claims, "family_name"))
    return Launch(
        platform_id=platform_id,
        deployment_id=_identifier(claims, CLAIM + "deployment_id"),
        message_type=str(message_type),
        nonce=str(claims.get("nonce", "")),
        sub=_identifier(claims, "sub"),
        roles=_roles(claims),
        name=_text(claims, "name") or " ".join(filter(None, names)),
        email=_text(claims, "email"),
        sourcedid=_text(lis, "person_sourcedid") or custom.get("person_sourcedid", ""),
        username=username or custom.get("username", ""),
        given_name=names[0],
        family_name=names[1],
        context=LaunchContext(
            id=_identifier(context, "id"),
            label=_text(context, "label"),
            title=_text(context, "title"),
            history=tuple(filter(None, custom.get("context_history", "").split(","))),
        )
        if context.get("id")
        else None,
        resource_link_id=_identifier(links, "id") if links.get("id") is not None else "",
        resource_link_title=_text(links, "title"),
        custom=custom,
        line_items_url=_address(ags, "lineitems"),
        line_item_url=_address(ags, "lineitem"),
        ags_scopes=tuple(str(scope) for scope in scopes),
        memberships_url=_address(_mapping(claims, NRPS), "context_memberships_url"),
        deep_linking=_deep_linking(claims) if message_type == DEEP_LINKING_REQUEST else None,
        locale=_text(presentation, "locale"),
        target=_text(presentation, "document_target"),
    )


def _require(claims: Mapping[str, Any], message_type: object) -> None:
    version = claims.get(CLAIM + "version")
    for value in (version, message_type):
        if not isinstance(value, str | None):
            raise LaunchRefused("malformed", "the version or type of the message is not text")
    if version and version != "1.3.0":
        raise LaunchRefused("version", "the message's LTI version is not 1.3.0")
    if message_type and message_type not in (RESOURCE_LINK_REQUEST, DEEP_LINKING_REQUEST):
        raise LaunchRefused("message_type", "this tool does not handle this type of message")
    missing = [
        (code, claim)
        for code, claim in (
            ("version", CLAIM + "version"),
            ("message_type", CLAIM + "message_type"),
            ("claims_missing", CLAIM + "target_link_uri"),
            ("deployment_missing", CLAIM + "deployment_id"),
            ("sub_missing", "sub"),
        )
        if claims.get(claim) in (None, "")
    ]
    if claims.get(CLAIM + "roles") is None:
        missing.append(("roles_missing", CLAIM + "roles"))
    if message_type == RESOURCE_LINK_REQUEST:
        link = claims.get(CLAIM + "resource_link")
        if link is None or (isinstance(link, dict) and link.get("id") in (None, "")):
            missing.append(("resource_link_missing", CLAIM + "resource_link"))
    if message_type == DEEP_LINKING_REQUEST and claims.get(DEEP_LINKING) is None:
        missing.append(("claims_missing", DEEP_LINKING))
    if missing:
        names = ", ".join(claim.rsplit("/", 1)[-1] for _, claim in missing)
        code = missing[0][0] if len(missing) == 1 else "claims_missing"
        raise LaunchRefused(code, f"the message lacks {names}")


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    roles = claims[CLAIM + "roles"]
    if not isinstance(roles, list):
        raise LaunchRefused("malformed", "the roles are not a list")
    return full_roles(roles)


def _custom(claims: Mapping[str, Any]) -> dict[str, str]:
    """Custom values as text; a value that is still a variable ($Name) is unknown."""
    return {
        key: str(value)[:4000]
        for key, value in _mapping(claims, CLAIM + "custom").items()
        if isinstance(value, str | int | float) and not str(value).startswith("$")
    }


def _deep_linking(claims: Mapping[str, Any]) -> DeepLinkingSettings:
    settings = _mapping(claims, DEEP_LINKING)
    types = settings.get("accept_types", [])
    if not isinstance(types, list) or "ltiResourceLink" not in types:
        raise LaunchRefused("malformed", "the platform does not accept LTI links here")
    return_url = settings.get("deep_link_return_url")
    if not isinstance(return_url, str) or not return_url:
        raise LaunchRefused("claims_missing", "the message lacks deep_link_return_url")
    data = settings.get("data")
    return DeepLinkingSettings(
        return_url=return_url,
        accept_multiple=settings.get("accept_multiple", True) is True,
        data=data if isinstance(data, str) else None,
    )


def _mapping(claims: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = claims.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LaunchRefused("malformed", f"{key.rsplit('/', 1)[-1]} is not an object")
    return value


def _identifier(claims: Mapping[str, Any], key: str) -> str:
    """An id: text of 1 to 255 characters, none of them a control character."""
    value = claims.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise LaunchRefused("malformed", f"{key.rsplit('/', 1)[-1]} is not a short text")
    return value


def _text(claims: Mapping[str, Any], key: str) -> str:
    value = claims.get(key)
    if not isinstance(value, str | None):
        raise LaunchRefused("malformed", f"{key} is not text")
    return (value or "")[:1000]


def _address(claims: Mapping[str, Any], key: str) -> str:
    """The address of a service; never a shortened one, and nothing but http(s)."""
    value = claims.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise LaunchRefused("malformed", f"{key} is not an address")
    return value
