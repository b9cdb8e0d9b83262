"""The platforms that may talk to us: those in YAML, and those that registered themselves."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Text, bindparam, cast, exists, select
from sqlalchemy.exc import IntegrityError

from passport_lti.config import Config, PlatformSettings
from passport_lti.extensions import apart, db
from passport_lti.models import Deployment, LaunchLog, Platform


def apply_config(config: Config, now: datetime) -> None:
    """Bring the stored platforms in line with the YAML, which wins where both name one.

    An entry that vanished makes its platform `absent`; a `removed` one stays removed.
    """
    try:
        _apply(config, now)
    except IntegrityError:
        # Another process applies the same file at the same moment: see what it has stored.
        _apply(config, now)


def _apply(config: Config, now: datetime) -> None:
    with apart() as session, session.begin():
        rows = {(row.issuer, row.client_id): row for row in session.scalars(select(Platform))}
        named = {(p.issuer, p.client_id): name for name, p in config.platforms.items()}
        taken = {name: key for key, name in named.items()}
        for key, row in rows.items():
            if taken.get(row.name, key) != key:
                row.name = f"{row.name[:50]}-{row.id}"
            if row.source == "yaml" and key not in named and row.state == "active":
                row.state = "absent"
        session.flush()
        for key, name in named.items():
            entry = config.platforms[name]
            found = rows.get(key)
            if found is None:
                found = Platform(issuer=key[0], client_id=key[1], created_at=now)
                session.add(found)
            found.name, found.source = name, "yaml"
            if found.state != "removed":
                found.state = "active"
            found.auth_login_url = entry.auth_login_url
            found.auth_token_url = entry.auth_token_url
            if found.key_set_url != entry.key_set_url:
                found.key_set_url, found.key_set = entry.key_set_url, None
            found.auth_audience = entry.auth_audience
            if found.settings != entry.settings:
                found.settings = entry.settings
            session.flush()
            known = {row.deployment_id: row for row in found.deployments}
            for deployment_id in entry.deployment_ids:
                if deployment_id in known:
                    known[deployment_id].state = "approved"
                else:
                    session.add(
                        Deployment(
                            platform_id=found.id,
                            deployment_id=deployment_id,
                            state="approved",
                            first_seen_at=now,
                        )
                    )


def settings_of(platform: Platform) -> PlatformSettings:
    """The settings of a platform, wherever they came from."""
    return PlatformSettings.model_validate(platform.settings)


@dataclass(frozen=True, slots=True)
class Registered:
    """An active platform as its messages are judged by; read anew for each of them."""

    id: int
    name: str
    issuer: str
    client_id: str
    auth_login_url: str
    key_set_url: str
    key_set_read_at: datetime | None
    settings: PlatformSettings


# Tables, not mapped classes: to look such a statement up among the compiled ones costs less.
_platform, _deployment, _log = (m.__table__ for m in (Platform, Deployment, LaunchLog))
_REGISTERED = (
    select(
        _platform.c.id, _platform.c.name, _platform.c.issuer, _platform.c.client_id,
        _platform.c.auth_login_url, _platform.c.key_set_url, _platform.c.key_set_read_at,
        cast(_platform.c.settings, Text),
    )
    .where(_platform.c.issuer == bindparam("issuer"), _platform.c.state == "active")
    .order_by(_platform.c.id)
)  # fmt: skip


_STANDING = _REGISTERED.add_columns(
    exists(_log.c.id).where(_log.c.nonce == bindparam("nonce")),
    select(_deployment.c.state)
    .where(
        _deployment.c.platform_id == _platform.c.id,
        _deployment.c.deployment_id == bindparam("deployment_id"),
    )
    .scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A platform, and what is known of the nonce and the deployment that a message names.

    `deployment_state` is approved, waiting, or None for one that was never seen.
    """

    platform: Registered
    nonce_used: bool
    deployment_state: str | None


def standing(connection: Connection, issuer: str, nonce: str, deployment_id: str) -> list[Standing]:
    """All that judging a message takes, in one statement; `nonce` as `state.nonce_key` has it."""
    values = {"issuer": issuer, "nonce": nonce, "deployment_id": deployment_id}
    rows = connection.execute(_STANDING, values).all()
    return [Standing(_registered(row[:-2]), bool(row[-2]), row[-1]) for row in rows]


def registered(issuer: str) -> list[Registered]:
    """The active platforms of an issuer; several, where it knows us by several client ids."""
    # A session would cost as much again.
    with db.engine.connect() as connection:
        rows = connection.execute(_REGISTERED, {"issuer": issuer}).all()
    return [_registered(row) for row in rows]


def _registered(row: Sequence[Any]) -> Registered:
    return Registered(*(*row[:-1], _read_settings(row[-1])))


@lru_cache(maxsize=1024)
def _read_settings(text: str) -> PlatformSettings:
    return PlatformSettings.model_validate_json(text)


def remember_deployment(platform_id: int, deployment_id: str, now: datetime) -> None:
    """Note a deployment that nobody has approved yet; harmless when it is known."""
    # Where another process met the same deployment first, its row is as good as ours.
    with suppress(IntegrityError), apart() as session, session.begin():
        session.add(
            Deployment(
                platform_id=platform_id,
                deployment_id=deployment_id,
                state="waiting",
                first_seen_at=now,
            )
        )


def is_of(platform: Platform | Registered, url: str) -> bool:
    """Whether an address is on a host that the platform was registered with."""
    try:
        parts = urlsplit(url)
        places = [urlsplit(platform.issuer), urlsplit(platform.auth_login_url)]
        own = {(place.scheme, place.hostname, place.port) for place in places}
        return (parts.scheme, parts.hostname, parts.port) in own and parts.username is None
    except ValueError:
        return False
