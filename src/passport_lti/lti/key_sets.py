"""The platforms' public keys: kept in the process and the database, fetched only for news."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError
from sqlalchemy import update
from sqlalchemy.orm import Session

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform

COOLDOWN = timedelta(seconds=30)
"""After a fetch that brought no news: however many unknown keys are named, no further one."""
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
    lock: threading.Lock = field(default_factory=threading.Lock)


_known: dict[tuple[str, int], _Known] = {}


def keys_for(tool: Tool, platform: Platform, kid: str) -> tuple[RSAPublicKey, ...]:
    """The keys a platform publishes under a kid, asking it at most once.

    Raises LaunchRefused `kid_unknown`, or `keyset` where it has no usable keys at all.
    """
    known = _remembered(platform)
    if kid in known.keys and not _stale(tool, known):
        return known.keys[kid]
    refresh(tool, platform)
    known = _remembered(platform)
    if kid in known.keys:
        return known.keys[kid]
    if not known.keys:
        raise LaunchRefused("keyset", "the platform's key set can't be read or has no RSA keys")
    raise LaunchRefused("kid_unknown", "the platform does not publish this signing key")


def refresh(tool: Tool, platform: Platform) -> bool:
    """Fetch a platform's key set unless that was fruitless a moment ago; True for new keys."""
    known = _remembered(platform)
    with known.lock:
        now = tool.clock()
        if known.fruitless_at and now - known.fruitless_at < COOLDOWN:
            return False
        fetched = _fetch(tool, platform)
        fresh = usable_keys(fetched) if fetched else {}
        news = bool(fresh) and _names(fresh) != _names(known.keys)
        if fresh:
            known.keys, known.read_at = fresh, now
        known.fruitless_at = None if news else now
        if news:
            with Session(db.engine) as session, session.begin():
                session.execute(
                    update(Platform)
                    .where(Platform.id == platform.id)
                    .values(key_set=fetched, key_set_read_at=now)
                )
        return news


def usable_keys(key_set: object) -> Keys:
    """RSA signing keys of 2048 bits or more by kid; everything else is passed over."""
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
        except (InvalidKeyError, ValueError, TypeError, KeyError, AttributeError):
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= 2048:
            found[entry["kid"]] = (*found.get(entry["kid"], ()), key)
    return found


def _remembered(platform: Platform) -> _Known:
    place = (str(db.engine.url), platform.id)
    known = _known.get(place)
    if known is None or known.url != platform.key_set_url:
        keys = usable_keys(platform.key_set)
        known = _known[place] = _Known(platform.key_set_url, keys, platform.key_set_read_at)
    return known


def _stale(tool: Tool, known: _Known) -> bool:
    too_old = known.read_at is None or tool.clock() - known.read_at > LIFETIME
    resting = known.fruitless_at and tool.clock() - known.fruitless_at < COOLDOWN
    return too_old and not resting


def _names(keys: Keys) -> set[tuple[str, int]]:
    return {(kid, key.public_numbers().n) for kid, found in keys.items() for key in found}


def _fetch(tool: Tool, platform: Platform) -> dict[str, Any] | None:
    """The key set, or None for anything but a small JSON object within the time."""
    try:
        with tool.http.get(platform.key_set_url, timeout=TIMEOUT, stream=True) as answer:
            if answer.status_code != 200:
                return None
            deadline = tool.clock() + timedelta(seconds=6)
            body = bytearray()
            for chunk in answer.iter_content(16 * 1024):
                body += chunk
                if len(body) > LARGEST or tool.clock() > deadline:
                    return None
        key_set = json.loads(bytes(body))
    except (requests.RequestException, ValueError, RecursionError):
        return None
    return key_set if isinstance(key_set, dict) else None
