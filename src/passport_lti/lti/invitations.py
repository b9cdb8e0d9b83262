"""One-time invitations: who may register a platform, and under which name."""

import hashlib
import re
import secrets
from datetime import timedelta
from urllib.parse import quote

from sqlalchemy import select

from passport_lti.errors import LaunchRefused, PassportError
from passport_lti.extensions import db
from passport_lti.lti.tool import Tool
from passport_lti.models import Invitation, Platform

FORMER = frozenset(("removed", "absent"))
"""States of platforms whose name is free: taken away by a command, or out of the YAML."""


class RegistrationRefused(LaunchRefused):
    """A registration that can't be done; `detail` is the sentence for the administrator."""


def invite(tool: Tool, name: str, coursera: str, expires: timedelta) -> str:
    """A one-time registration address for a platform to be called `name`.

    Raises PassportError for a name that can't be used or an unknown Coursera connection.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise PassportError(f"{name!r} is no name: use small letters, digits, - and _")
    if coursera not in tool.config().coursera:
        raise PassportError(f"there is no connection {coursera!r} under coursera: in the YAML")
    present = holder(name)
    taken = present and present.source == "yaml" and present.state not in FORMER
    if name in tool.config().platforms or taken:
        raise PassportError(f"{name!r} stands in the YAML: choose another name")
    secret, now = secrets.token_urlsafe(32), tool.clock()
    db.session.add(
        Invitation(
            secret_hash=_hash(secret),
            name=name,
            coursera=coursera,
            created_at=now,
            expires_at=now + expires,
        )
    )
    db.session.commit()
    return f"{tool.base_url}/lti/register?invite={quote(secret)}"


def usable(tool: Tool, secret: str) -> Invitation:
    """The invitation of a secret that may still be used; else raises RegistrationRefused."""
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.secret_hash == _hash(secret))
    )
    if invitation is None:
        raise RegistrationRefused("session", "This registration address is not valid.", 403)
    if invitation.used_at is not None:
        raise RegistrationRefused("session", "This invitation was already used.", 403)
    if invitation.expires_at <= tool.clock():
        raise RegistrationRefused("session", "This invitation is over; ask for a new one.", 403)
    return invitation


def is_known(secret: str) -> bool:
    """Whether we ever issued an invitation with this secret, open or not."""
    found = select(Invitation.id).where(Invitation.secret_hash == _hash(secret))
    return db.session.scalar(found) is not None


def holder(name: str) -> Platform | None:
    """The platform that has a name."""
    return db.session.scalar(select(Platform).where(Platform.name == name))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
