"""The keys that sign assertions: apart from those of LTI, sealed at rest, rotated in two steps.

Coursera reads our metadata when a person tells it to, not by itself. So a new key first waits in
the metadata, and signs only once somebody says that Coursera knows it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from passport_lti.errors import PassportError
from passport_lti.extensions import apart
from passport_lti.lti.sealing import opened, sealer
from passport_lti.lti.tool import Tool
from passport_lti.models import SamlKey

OVERLAP = timedelta(hours=24)
"""How long a retired certificate stays in the metadata; what it signed lives for minutes."""
LIFETIME = timedelta(days=5 * 365)
"""Of a certificate: whoever trusts it has to be told of the next one by hand."""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    private_key: RSAPrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as the administrator sees it; `fingerprint` is the certificate's SHA-256 in hex."""

    fingerprint: str
    created_at: datetime
    signs_since: datetime | None
    retired_at: datetime | None
    ends_at: datetime


_loaded: dict[tuple[str, str], LoadedKey] = {}


def active_key(tool: Tool) -> LoadedKey:
    """The key to sign with. Raises PassportError where the secret key can't open it."""
    row = _active_row(tool)
    kept = _loaded.get((tool.secret, row.fingerprint))
    if kept is None:
        key = opened(
            tool.secret,
            row.private_pem,
            "The SAML key was stored with another tool.secret_key: restore the old secret, or "
            "run passport-lti keys rotate --saml twice and give Coursera the metadata again",
        )
        kept = LoadedKey(key, x509.load_pem_x509_certificate(row.certificate.encode()))
        _loaded[(tool.secret, row.fingerprint)] = kept
    return kept


def published(tool: Tool) -> list[x509.Certificate]:
    """The certificates for the metadata: who signs, who waits, who signed within `OVERLAP`."""
    _active_row(tool)
    since = tool.clock() - OVERLAP
    with apart() as session:
        rows = session.scalars(select(SamlKey).order_by(SamlKey.id)).all()
    shown = [row for row in rows if row.retired_at is None or row.retired_at > since]
    # Whoever takes only the first certificate takes the one that signs.
    shown.sort(key=lambda row: (row.signs_since is None, row.retired_at is not None))
    return [x509.load_pem_x509_certificate(row.certificate.encode()) for row in shown]


def rotate(tool: Tool) -> KeyState:
    """The next step: a key that waits signs from now on; where none waits, one is made."""
    _active_row(tool)
    now = tool.clock()
    try:
        with apart() as session, session.begin():
            waiting = session.scalar(select(SamlKey).where(SamlKey.signs_since.is_(None)))
            if waiting is None:
                waiting = _new_row(tool)
                session.add(waiting)
            else:
                session.execute(
                    update(SamlKey)
                    .where(SamlKey.signs_since.is_not(None), SamlKey.retired_at.is_(None))
                    .values(retired_at=now)
                )
                waiting.signs_since = now
            session.flush()
            return _state(waiting)
    except IntegrityError:
        raise PassportError("Somebody else rotates the SAML key at this moment.") from None


def listed() -> list[KeyState]:
    """Every key, newest first; none before SAML was used."""
    with apart() as session:
        rows = session.scalars(select(SamlKey).order_by(SamlKey.id.desc())).all()
        return [_state(row) for row in rows]


def _state(row: SamlKey) -> KeyState:
    ends = x509.load_pem_x509_certificate(row.certificate.encode()).not_valid_after_utc
    return KeyState(row.fingerprint, row.created_at, row.signs_since, row.retired_at, ends)


def _active_row(tool: Tool) -> SamlKey:
    wanted = select(SamlKey).where(SamlKey.signs_since.is_not(None), SamlKey.retired_at.is_(None))
    with apart() as session:
        row = session.scalar(wanted)
    if row is not None:
        return row
    try:
        with apart() as session, session.begin():
            row = _new_row(tool)
            row.signs_since = tool.clock()
            session.add(row)
        return row
    except IntegrityError:
        # Another process was faster: take its key.
        with apart() as session:
            return session.scalars(wanted).one()


def _new_row(tool: Tool) -> SamlKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    now = tool.clock()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Passport LTI SAML")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SamlKey(
        private_pem=sealer(tool.secret).encrypt(pem),
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        created_at=now,
    )
