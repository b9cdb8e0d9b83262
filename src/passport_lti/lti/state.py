"""The values of one OIDC flow: a nonce and a state that we can recognise without storing them.

Nothing is written for a login, so a flood of them costs no memory; a launch stores the nonce it
used (see `sync.arrivals`), and that is the one durable write of a launch.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from itsdangerous import BadData

from passport_lti import signed

LIFETIME = 600
"""Seconds from the login to the launch; a person may have to sign in to the platform between."""

COOKIE_PREFIX = "passport_lti_"


@dataclass(frozen=True, slots=True)
class Flow:
    """What a login remembers for its launch."""

    nonce: str
    platform_id: int
    target_link_uri: str
    at: int
    """Epoch seconds of the login."""


def new_nonce(secret: str) -> str:
    """A random value with a mark that only we can make."""
    value = secrets.token_hex(16)
    return value + _mark(secret, value)


def is_ours(secret: str, nonce: str) -> bool:
    """Whether `new_nonce` made this nonce."""
    value, mark = nonce[:32], nonce[32:]
    return hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(secret, value).encode())


def nonce_key(nonce: str) -> str:
    """The 64 characters under which a used nonce is remembered."""
    return hashlib.sha256(nonce.encode("utf-8", "replace")).hexdigest()


def seal(secret: str, flow: Flow) -> str:
    """The `state` parameter that carries a flow through the browser."""
    values = {
        "nonce": flow.nonce, "platform_id": flow.platform_id,
        "target_link_uri": flow.target_link_uri, "at": flow.at,
    }  # fmt: skip
    return signed.dumps(secret, "state", values)


def unseal(secret: str, state: str, now: datetime) -> Flow | None:
    """The flow in a state that we made less than `LIFETIME` ago."""
    try:
        flow = Flow(**signed.loads(secret, "state", state))
    except BadData:
        return None
    return flow if now.timestamp() - flow.at <= LIFETIME else None


def cookie_prefix(base_url: str) -> str:
    """How the names of our cookies begin; on https no other host can set one of that name."""
    return f"__Host-{COOKIE_PREFIX}" if base_url.startswith("https:") else COOKIE_PREFIX


def cookie_name(base_url: str, state: str) -> str:
    """Each state has its own cookie, so that launches side by side do not disturb each other."""
    return (
        cookie_prefix(base_url) + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]
    )


def cookie_value(secret: str, state: str) -> str:
    """What the browser that began the flow holds."""
    return _mark(secret, "cookie" + state) + _mark(secret, state)


def _mark(secret: str, text: str) -> str:
    return hmac.digest(_key(secret), text.encode("utf-8", "replace"), "sha256").hex()[:32]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"passport-lti nonce" + secret.encode()).digest()
