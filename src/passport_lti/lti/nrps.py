"""Names and Role Provisioning Services: who is in a context, and as what."""

from dataclasses import dataclass
from typing import Any

from passport_lti.errors import Gone, RetryLater
from passport_lti.lti.ags import MOST_PAGES, next_page, no_context
from passport_lti.lti.claims import full_roles, role_of
from passport_lti.lti.service import PlatformService

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_CONTAINER = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


@dataclass(frozen=True, slots=True)
class RosterMember:
    """A person on the roster; what privacy settings hide is empty."""

    sub: str
    role: str
    active: bool = True
    name: str = ""
    email: str = ""
    sourcedid: str = ""
    username: str = ""
    given_name: str = ""
    family_name: str = ""


def members(service: PlatformService, url: str) -> list[RosterMember]:
    """Everybody on the roster. Raises typed errors; half a roster is never returned."""
    found: list[RosterMember] = []
    seen: set[str] = set()
    following: str | None = url
    while following:
        if following in seen or len(seen) >= MOST_PAGES:
            raise RetryLater("platform_down", "the roster's pages go round in circles")
        seen.add(following)
        try:
            answer = service.get(following, SCOPE, _CONTAINER)
        except Gone as error:
            raise no_context(error) from None
        rows = answer.value.get("members") if isinstance(answer.value, dict) else None
        if not isinstance(rows, list):
            raise RetryLater("platform_down", "the platform did not answer with a roster")
        found += [member for member in map(_member, rows) if member is not None]
        following = next_page(answer)
    return found


def _member(row: Any) -> RosterMember | None:
    if not isinstance(row, dict) or row.get("user_id") in (None, ""):
        return None
    names = (_text(row, "given_name"), _text(row, "family_name"))
    roles = row.get("roles")
    return RosterMember(
        sub=str(row["user_id"]),
        role=role_of(full_roles(roles if isinstance(roles, list) else [])),
        active=row.get("status", "Active") == "Active",
        name=_text(row, "name") or " ".join(filter(None, names)),
        email=_text(row, "email"),
        sourcedid=_text(row, "lis_person_sourcedid"),
        username=_text(row, "ext_user_username"),
        given_name=names[0],
        family_name=names[1],
    )


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value[:320] if isinstance(value, str) else ""
