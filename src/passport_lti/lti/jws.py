"""A signed token (compact JWS) taken apart strictly, before anything in it is believed."""

import binascii
import json
import math
from dataclasses import dataclass
from typing import Any

from passport_lti.errors import LaunchRefused

LARGEST = 128 * 1024
"""Characters; Moodle's tokens have about three thousand."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says, and what its signature must fit. Nothing is verified yet."""

    kid: str
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parse(text: str) -> Token:
    """Take an RS256 token apart. Raises LaunchRefused `malformed`, `kid_missing`, `alg`..."""
    parts = text.split(".")
    if len(text) > LARGEST or len(parts) != 3 or not text.isascii():
        raise LaunchRefused("malformed", "the id_token is not a signed token")
    header, claims = (_object(part) for part in parts[:2])
    if header.get("alg") != "RS256":
        raise LaunchRefused("alg", "the message is not signed with RS256")
    kid = header.get("kid")
    if kid is None or kid == "":
        raise LaunchRefused("kid_missing", "the message names no signing key")
    if "crit" in header or header.get("b64") is False:
        raise LaunchRefused("malformed", "the message needs an extension that we lack")
    if not isinstance(kid, str) or len(kid) > 255:
        raise LaunchRefused("kid_unknown", "the name of the signing key is not a short text")
    return Token(kid, claims, text.rsplit(".", 1)[0].encode(), _decoded(parts[2]))


def claims_of(text: str) -> dict[str, Any]:
    """What a token says, however it is signed: nothing to believe. Raises LaunchRefused."""
    parts = text.split(".")
    if len(text) > LARGEST or len(parts) != 3:
        raise LaunchRefused("malformed", "the id_token is not a signed token")
    return _object(parts[1])


def number(value: object) -> float:
    """A time in a token, in epoch seconds. Raises LaunchRefused `malformed` for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LaunchRefused("malformed", "a time of the message is not a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or abs(found) > 1e11:
        raise LaunchRefused("malformed", "a time of the message is out of range")
    return found


def _object(part: str) -> dict[str, Any]:
    """One part as JSON: an object of storable text, without duplicate names or NaN."""
    try:
        text = _decoded(part).decode()
        value = _STRICT.decode(text)
        if "\\u" in text:
            _refuse_unstorable(value)
    except (ValueError, RecursionError):
        raise LaunchRefused("malformed", "the id_token holds no sound JSON") from None
    if not isinstance(value, dict):
        raise LaunchRefused("malformed", "the id_token holds no JSON object")
    return value


def _refuse_unstorable(value: object) -> None:
    """Escapes can spell what is no text: NUL (refused by PostgreSQL) and lone surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("NUL is not text")


def _each_once(found: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(found)
    if len(values) != len(found):
        raise ValueError("a name stands twice")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_each_once, parse_constant=_refuse)


def _decoded(part: str) -> bytes:
    if "=" in part:
        raise LaunchRefused("malformed", "the id_token carries padding")
    try:
        usual = part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4)
        return binascii.a2b_base64(usual, strict_mode=True)
    except (binascii.Error, ValueError):
        raise LaunchRefused("malformed", "the id_token is not base64url") from None
