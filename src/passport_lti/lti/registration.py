"""Dynamic registration: a platform that holds an invitation sets both sides up by itself.

LTI Dynamic Registration 1.0, and how Moodle does it (the token is a JWT of its own; the answer
carries the deployment id). Nothing is stored, and the invitation not used, before the platform
has said yes.
"""

import jwt
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from passport_lti.config import Platform as Entry
from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.lti import openid
from passport_lti.lti.invitations import FORMER, RegistrationRefused, holder, invite, usable
from passport_lti.lti.tool import Tool
from passport_lti.models import Deployment, Invitation, Platform

__all__ = ["RegistrationRefused", "asks_for_update", "invite", "register"]


def register(tool: Tool, secret: str, configuration_url: str, token: str) -> Platform:
    """Register with the platform at `configuration_url` and store it; returns its row.

    `secret` is the `invite` of the address, `token` the `registration_token` (may be empty).
    Raises RegistrationRefused: `session` for an invitation that is unknown, used or over,
    `platform_error` for a platform that refuses or fails, `malformed` for anything unsound.
    """
    invitation = usable(tool, secret)
    is_update = asks_for_update(token)
    _refuse_taken(invitation.name, is_update)
    db.session.commit()  # nothing stays open while the platform thinks
    there = openid.configuration(tool, configuration_url)
    answer = openid.ask(tool, there["registration_endpoint"], token)
    entry, deployment_id = openid.entry(there, answer, invitation.coursera)
    try:
        platform = _stored(tool, invitation, entry, is_update)
        if deployment_id:
            _approve(tool, platform, deployment_id)
        used = db.session.execute(
            update(Invitation)
            .where(Invitation.id == invitation.id, Invitation.used_at.is_(None))
            .values(used_at=tool.clock(), platform_fk=platform.id)
        )
        if used.rowcount != 1:  # type: ignore[attr-defined]
            raise RegistrationRefused("session", "This invitation was already used.", 403)
        db.session.commit()
    except (PassportError, IntegrityError) as error:
        db.session.rollback()
        if isinstance(error, PassportError):
            raise
        raise RegistrationRefused(
            "session", "Somebody else registered this platform at the same moment.", 403
        ) from None
    return platform


def _refuse_taken(name: str, is_update: bool) -> None:
    """Before the platform is asked: the name must be free, or ours to update."""
    present = holder(name)
    if present is None or present.state in FORMER:
        return
    if present.source != "registration" or not is_update:
        raise RegistrationRefused(
            "malformed",
            f"A platform called {name} exists already. In Moodle choose to update that tool; if it "
            f"was deleted there, run passport-lti platform remove {name} first. For one more "
            "platform ask for an invitation with another name.",
        )


def _stored(tool: Tool, invitation: Invitation, entry: Entry, is_update: bool) -> Platform:
    """The row of the platform, flushed. An existing one is only changed by its own update."""
    platform = db.session.scalar(
        select(Platform).where(
            Platform.issuer == entry.issuer, Platform.client_id == entry.client_id
        )
    )
    named = holder(invitation.name)
    if platform is not None and not _may_change(platform, invitation.name, is_update):
        raise RegistrationRefused("malformed", _registered_already(platform))
    if named is not None and named is not platform:
        if named.state not in FORMER:
            raise RegistrationRefused("malformed", "The update is meant for another platform.")
        named.name = f"{named.name[:50]}-{named.id}"
        db.session.flush()
    if platform is None:
        platform = Platform(
            name=invitation.name, issuer=entry.issuer, client_id=entry.client_id,
            source="registration", created_at=tool.clock(), settings=entry.settings,
        )  # fmt: skip
        db.session.add(platform)
    platform.state, platform.source = "active", "registration"
    platform.auth_login_url, platform.auth_token_url = entry.auth_login_url, entry.auth_token_url
    platform.key_set_url, platform.key_set = entry.key_set_url, None
    platform.auth_audience = entry.auth_audience
    platform.settings = {**platform.settings, "coursera": invitation.coursera}
    db.session.flush()
    return platform


def _may_change(platform: Platform, name: str, is_update: bool) -> bool:
    """Its own update may; one that left the YAML becomes a registered one by that."""
    own = platform.source == "registration" or platform.state == "absent"
    return own and is_update and platform.name == name


def _registered_already(platform: Platform) -> str:
    if platform.source == "yaml" and platform.state != "absent":
        way = f"it stands as {platform.name} in the tool's configuration"
    else:
        way = f"update it with an address from: passport-lti platform invite {platform.name}"
    return f"This platform and client id are registered already: {way}."


def _approve(tool: Tool, platform: Platform, deployment_id: str) -> None:
    row = next((d for d in platform.deployments if d.deployment_id == deployment_id), None)
    if row is None:
        row = Deployment(deployment_id=deployment_id, first_seen_at=tool.clock())
        platform.deployments.append(row)
    row.state = "approved"
    db.session.flush()


def asks_for_update(token: str) -> bool:
    """Whether Moodle's token says so; it guards nothing, the platform checks its own token."""
    try:
        scope = jwt.decode(token, options={"verify_signature": False}).get("scope")
    except (jwt.PyJWTError, ValueError):
        return False
    return scope == "reg-update"
