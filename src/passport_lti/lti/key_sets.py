"""The platforms' public keys: kept in the process and the database, fetched only for news."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError
from sqlalchemy import Connection, select, update

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import database
from passport_lti.http import bounded
from passport_lti.lti.platforms import Registered
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform

COOLDOWN = timedelta(seconds=30)
"""After a fetch that did not bring the key asked for: none, however many keys are named."""
RETRY = timedelta(seconds=5)
"""The same while we have no key at all: nobody can launch until there is one."""
LIFETIME = timedelta(hours=24)
"""A key that a platform withdrew is trusted at most this long; old keys stay if it is down."""
LARGEST = 256 * 1024
TIMEOUT = (3.0, 3.0)

Keys = Mapping[str, tuple[RSAPublicKey, ...]]


@dataclass
class _Known:
    url: str
    keys: Keys
    read_at: datetime | None
    fruitless_at: datetime | None = None
    fetches: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_known: dict[tuple[str, int], _Known] = {}
_known_lock = threading.Lock()


def fits(
    tool: Tool,
    connection: Connection,
    platform: Registered,
    kid: str,
    signed: Callable[[RSAPublicKey], bool],
) -> bool:
    """Whether `signed` holds for a key that the platform publishes under `kid`.

    The platform is asked at most once: for a kid that we do not know, or for a known one that
    does not fit, as the same name may stand for a new key. Raises LaunchRefused `kid_unknown`,
    or `keyset` where the platform has no usable keys at all. Ends the connection's transaction,
    which must have written nothing, before it asks.
    """
    known = _remembered(connection, platform)
    fetches = known.fetches
    if kid not in known.keys or _stale(tool, known):
        _refresh(tool, connection, platform, known, lambda: kid in known.keys)
    if not known.keys:
        raise LaunchRefused("keyset", "the platform's key set can't be read or has no RSA keys")
    if kid not in known.keys:
        raise LaunchRefused("kid_unknown", "the platform does not publish this signing key")

    def fitting() -> bool:
        return any(map(signed, known.keys.get(kid, ())))

    if fitting():
        return True
    if known.fetches == fetches:
        _refresh(tool, connection, platform, known, fitting)
    return fitting()


def _refresh(
    tool: Tool,
    connection: Connection,
    platform: Registered,
    known: _Known,
    found: Callable[[], bool],
) -> None:
    """Fetch a key set, unless a fetch that did not bring what was `found` is just over."""
    fetches = known.fetches
    connection.rollback()
    with known.lock:
        now = tool.clock()
        if known.fetches != fetches and found():
            return  # another thread has fetched it while this one waited
        rest = COOLDOWN if known.keys else RETRY
        if known.fruitless_at and now - known.fruitless_at < rest:
            return
        fetched = _fetch(tool, platform.key_set_url)
        known.fetches += 1
        fresh = usable_keys(fetched)
        news = bool(fresh) and _names(fresh) != _names(known.keys)
        if fresh:
            known.keys, known.read_at = fresh, now
        known.fruitless_at = None if fresh and found() else now
        if news:
            connection.execute(
                update(Platform)
                .where(Platform.id == platform.id)
                .values(key_set=fetched, key_set_read_at=now)
            )
            connection.commit()


def usable_keys(key_set: object) -> Keys:
    """RSA signing keys of 2048 to 8192 bits by kid; everything else is passed over."""
    entries = key_set.get("keys") if isinstance(key_set, dict) else None
    found: dict[str, tuple[RSAPublicKey, ...]] = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            continue
        if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        if entry.get("alg", "RS256") != "RS256" or "d" in entry:
            continue
        try:
            key = RSAAlgorithm.from_jwk(entry)
        except (InvalidKeyError, ValueError, TypeError, KeyError, OverflowError):
            continue
        if isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 8192:
            found[entry["kid"]] = (*found.get(entry["kid"], ()), key)
    return found


def _remembered(connection: Connection, platform: Registered) -> _Known:
    place = (database(), platform.id)
    with _known_lock:
        known = _known.get(place)
        if known is None or known.url != platform.key_set_url:
            keys = _stored(connection, platform)
            known = _known[place] = _Known(platform.key_set_url, keys, platform.key_set_read_at)
        elif _is_newer(platform, known):
            # Another process has fetched it: nobody has to ask the platform again.
            known.keys = _stored(connection, platform)
            known.read_at = platform.key_set_read_at
        return known


def _stored(connection: Connection, platform: Registered) -> Keys:
    key_set = select(Platform.key_set).where(Platform.id == platform.id)
    return usable_keys(connection.scalar(key_set))


def _is_newer(platform: Registered, known: _Known) -> bool:
    there, here = platform.key_set_read_at, known.read_at
    return there is not None and (here is None or there > here)


def _stale(tool: Tool, known: _Known) -> bool:
    too_old = known.read_at is None or tool.clock() - known.read_at > LIFETIME
    resting = known.fruitless_at and tool.clock() - known.fruitless_at < COOLDOWN
    return too_old and not resting


def _names(keys: Keys) -> set[tuple[str, int]]:
    return {(kid, key.public_numbers().n) for kid, found in keys.items() for key in found}


def _fetch(tool: Tool, url: str) -> dict[str, Any] | None:
    """The key set, or None for anything but a small JSON object within the time."""
    deadline = time.monotonic() + sum(TIMEOUT)
    try:
        with tool.http.get(url, timeout=TIMEOUT, stream=True) as answer:
            if answer.status_code != 200:
                return None
            key_set = json.loads(bounded(answer.raw, LARGEST, deadline))
    except (requests.RequestException, ValueError, RecursionError):
        return None
    return key_set if isinstance(key_set, dict) else None
