"""Access tokens: kept encrypted in the database, shared by all processes, renewed in time."""

import hashlib
import json
import math
import re
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from passport_lti import leases
from passport_lti.errors import Rejected, RetryLater
from passport_lti.extensions import apart, database
from passport_lti.http import retry_after
from passport_lti.lti.sealing import sealer
from passport_lti.lti.tool import Tool
from passport_lti.models import AccessToken

MARGIN = timedelta(seconds=60)
"""A token is not used in its last minute: a call may take that long. One of less than two minutes
is used for half its life, or every call would ask for another."""

ASKING = timedelta(seconds=15)
"""How long the others wait for the process that asks a platform for a token."""

_kept: dict[tuple[str, int, str], tuple[str, float]] = {}
_lock = threading.Lock()
"""Memory and database change together, or a slow reader would bring a dropped token back."""


def stored(tool: Tool, platform_id: int, scopes: Sequence[str]) -> str | None:
    """A token that is good for another call, if there is one."""
    place = _place(platform_id, scopes)
    text, until = _kept.get(place, ("", 0.0))
    if text and until > tool.clock().timestamp():
        return text
    with _lock:
        with apart() as session:
            row = session.scalar(_of(select(AccessToken), place))
        if row is None or row.expires_at <= tool.clock():
            return None
        found = _opened(tool, row)
        if found:
            _kept[place] = (found, row.expires_at.timestamp())
        return found


def store(tool: Tool, platform_id: int, scopes: Sequence[str], answer: dict[str, Any]) -> str:
    """Keep a platform's answer for everybody; returns the token. Raises `scope_missing`."""
    granted = answer.get("scope")
    if isinstance(granted, str) and granted and not set(scopes) <= set(granted.split()):
        missing = sorted(set(scopes) - set(granted.split()))
        raise Rejected("scope_missing", f"the platform does not grant {', '.join(missing)}")
    life = timedelta(seconds=_life(answer.get("expires_in")))
    expires = tool.clock() + max(life - MARGIN, life / 2)
    place = _place(platform_id, scopes)
    text = str(answer["access_token"])
    row = AccessToken(
        platform_id=platform_id,
        scopes=place[2],
        granted=str(granted or "")[:500],
        token=sealer(tool.secret).encrypt(text.encode()),
        issued_at=tool.clock(),
        expires_at=expires,
    )
    with _lock:
        _kept[place] = (text, expires.timestamp())
        try:
            with apart() as session, session.begin():
                session.execute(_of(delete(AccessToken), place))
                session.add(row)
        except IntegrityError:
            # Another process stored one in the same moment; both are valid.
            return text
    return text


@contextmanager
def turn(tool: Tool, platform_id: int, scopes: Sequence[str]) -> Iterator[None]:
    """Of all processes one at a time asks for a token: look once more whether there is one now.

    Who waits in vain may ask all the same: two tokens are better than none.
    """
    place = _place(platform_id, scopes)
    name = f"token:{platform_id}:{hashlib.sha256(place[2].encode()).hexdigest()[:16]}"
    holder, until = secrets.token_hex(8), time.monotonic() + ASKING.total_seconds()
    while not leases.take(name, holder, tool.clock(), ASKING):
        if stored(tool, platform_id, scopes) or time.monotonic() > until:
            yield
            return
        time.sleep(0.05)
    try:
        yield
    finally:
        leases.give_back(name, holder)


def drop(tool: Tool, platform_id: int, scopes: Sequence[str], text: str) -> None:
    """Forget a token that the platform refused, unless somebody has renewed it already."""
    place = _place(platform_id, scopes)
    with _lock, apart() as session, session.begin():
        if _kept.get(place, ("", 0.0))[0] == text:
            _kept.pop(place, None)
        for row in session.scalars(_of(select(AccessToken), place)).all():
            if _opened(tool, row) in (text, None):
                session.execute(delete(AccessToken).where(AccessToken.id == row.id))


def understood(answer: requests.Response, now: float) -> dict[str, Any]:
    """The token answer's values; Moodle labels its JSON as text/html. Raises typed errors."""
    value: Any
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        value = None
    status = answer.status_code
    text = value.get("access_token") if isinstance(value, dict) else None
    # RFC 6750: anything else can't stand in a header.
    if status == 200 and isinstance(text, str) and re.fullmatch(r"[\x21-\x7e]+", text):
        return dict(value)
    if status == 429 or status >= 500:
        reason = "rate_limited" if status == 429 else "platform_down"
        raise RetryLater(reason, f"the token address answered {status}", retry_after(answer, now))
    if status == 200 or 300 <= status < 400:
        raise RetryLater("platform_down", "the token address did not answer with a token")
    error = value.get("error") if isinstance(value, dict) else None
    if error == "invalid_scope":
        raise Rejected("scope_missing", "the platform grants none of the scopes asked for")
    raise Rejected("token_refused", f"the token address answered {status}")


def _opened(tool: Tool, row: AccessToken) -> str | None:
    try:
        return sealer(tool.secret).decrypt(row.token).decode()
    except InvalidToken:
        return None


def _life(seconds: object) -> float:
    """Seconds that a token lives: an hour where the platform says nothing sensible."""
    try:
        life = float(seconds) if isinstance(seconds, int | float | str) else math.nan
    except (ValueError, OverflowError):
        life = math.nan
    return min(max(life, 1.0), 86_400.0) if math.isfinite(life) else 3600.0


def _place(platform_id: int, scopes: Sequence[str]) -> tuple[str, int, str]:
    return database(), platform_id, " ".join(sorted(scopes))


def _of(statement: Any, place: tuple[str, int, str]) -> Any:
    return statement.where(AccessToken.platform_id == place[1], AccessToken.scopes == place[2])
