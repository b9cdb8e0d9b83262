"""The tool's signing keys: made on first use, encrypted at rest, rotated with an overlap."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from passport_lti.extensions import apart
from passport_lti.lti.sealing import opened, sealer
from passport_lti.lti.tool import Tool
from passport_lti.models import SigningKey

OVERLAP = timedelta(hours=24)
"""How long a retired key stays published: our longest signed message lives minutes, and
platforms that cache a key set ask again within a day."""
LIFETIME = timedelta(days=90)
"""How long a key signs before the scheduler replaces it by itself."""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A private key as an object: loading the PEM text costs 50 to 80 ms, so do it once."""

    kid: str
    private_key: RSAPrivateKey


_loaded: dict[tuple[str, str], LoadedKey] = {}


def active_key(tool: Tool) -> LoadedKey:
    """The key to sign with. Raises PassportError where the secret key can't open it."""
    row = _active_row(tool)
    kept = _loaded.get((tool.secret, row.kid))
    if kept is None:
        key = opened(
            tool.secret,
            row.private_pem,
            "The signing key was stored with another tool.secret_key: "
            "restore the old secret, or run: passport-lti keys rotate",
        )
        kept = _loaded[(tool.secret, row.kid)] = LoadedKey(row.kid, key)
    return kept


def public_key_set(tool: Tool) -> dict[str, list[dict[str, Any]]]:
    """The JWKS to publish: the active key and those retired less than `OVERLAP` ago."""
    _active_row(tool)
    published_since = tool.clock() - OVERLAP
    with apart() as session:
        rows = session.scalars(select(SigningKey).order_by(SigningKey.id.desc())).all()
    return {
        "keys": [
            row.public_jwk
            for row in rows
            if row.retired_at is None or row.retired_at > published_since
        ]
    }


def rotate(tool: Tool) -> str:
    """Retire the active key and make a new one; returns its kid."""
    try:
        with apart() as session, session.begin():
            new = _new_row(tool)
            session.execute(
                update(SigningKey)
                .where(SigningKey.retired_at.is_(None))
                .values(retired_at=tool.clock())
            )
            session.add(new)
            session.flush()
            return new.kid
    except IntegrityError:
        # Somebody else rotated in the same moment: theirs is as new as ours would be.
        return _active_row(tool).kid


def rotate_if_old(tool: Tool) -> bool:
    """Rotate a key that has signed for `LIFETIME`; True where that was so."""
    if tool.clock() - _active_row(tool).created_at < LIFETIME:
        return False
    rotate(tool)
    return True


def listed() -> list[tuple[str, datetime, datetime | None]]:
    """(kid, made, retired) of every key, newest first."""
    with apart() as session:
        rows = session.scalars(select(SigningKey).order_by(SigningKey.id.desc())).all()
        return [(row.kid, row.created_at, row.retired_at) for row in rows]


def _active_row(tool: Tool) -> SigningKey:
    with apart() as session:
        row = session.scalar(select(SigningKey).where(SigningKey.retired_at.is_(None)))
    return row or _create(tool)


def _create(tool: Tool) -> SigningKey:
    """Make the first key; where another process was faster, take its key."""
    try:
        with apart() as session, session.begin():
            row = _new_row(tool)
            session.add(row)
        return row
    except IntegrityError:
        with apart() as session:
            return session.scalars(select(SigningKey).where(SigningKey.retired_at.is_(None))).one()


def _new_row(tool: Tool) -> SigningKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kid = secrets.token_hex(8)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    jwk = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return SigningKey(
        kid=kid,
        private_pem=sealer(tool.secret).encrypt(pem),
        public_jwk={
            "kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"],
            "kid": kid, "use": "sig", "alg": "RS256",
        },
        created_at=tool.clock(),
    )  # fmt: skip
