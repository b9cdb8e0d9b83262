"""The kinds of values that settings have: durations, addresses, secrets, texts, numbers."""

import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_DURATION = re.compile(r"([0-9]{1,10})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 36500 * 86400
"""Seconds: a hundred years, which any date can be moved by."""
_CACHES = (
    "FileSystemCache", "MemcachedCache", "NullCache", "RedisCache", "RedisClusterCache",
    "RedisSentinelCache", "SASLMemcachedCache", "SimpleCache", "SpreadSASLMemcachedCache",
)  # fmt: skip


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST:
        raise ValueError("expected a duration such as 30s, 5m, 2h or 7d")
    return timedelta(seconds=seconds)


def _seconds(value: Any) -> Any:
    value = _number(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return int(_duration(value).total_seconds())
    raise ValueError("expected a number of seconds above 0, or a duration such as 60s")


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise ValueError("expected text: write the value in quotes")
    return value


def _id(value: Any) -> Any:
    """Compared letter by letter, and nobody sees a space that was copied along."""
    value = _text(value)
    if isinstance(value, str) and value != value.strip():
        raise ValueError("expected an id without spaces around it")
    return value


def is_loopback(host: str | None) -> bool:
    """Whether a host name means this machine, where plain http is safe."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _url(value: Any) -> Any:
    value = _text(value)
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if not port_is_fine or parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("expected an address such as https://host.example/path")
    if re.search(r"[\s\x00-\x1f\"'<>\\]", value) or parts.fragment or parts.username is not None:
        raise ValueError("expected an address without spaces, quotes, user name or #fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("expected https:// (plain http is only for 127.0.0.1 and localhost)")
    return value


def _base_url(value: Any) -> Any:
    value = _url(value)
    if isinstance(value, str) and "?" in value:
        raise ValueError("expected an address without a query")
    return value.rstrip("/") if isinstance(value, str) else value


def organisation_id(value: Any) -> Any:
    value = _text(value)
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9_-]{16,32}", value):
        raise ValueError(
            "expected Coursera's encoded 22-character id of the organisation, not its slug"
        )
    return value


def _skew(value: timedelta) -> timedelta:
    if value > timedelta(hours=1):
        # A generous skew would let yesterday's messages in.
        raise ValueError("expected at most 1h, such as 60s")
    return value


def _database_url(value: str) -> str:
    kind = value.partition("://")[0]
    if kind not in ("sqlite", "postgresql+psycopg") or "://" not in value:
        raise ValueError("expected sqlite:///... or postgresql+psycopg://...")
    try:
        parts = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("expected postgresql+psycopg://user:password@host:5432/name") from None
    # A database in memory would be another one in each process.
    is_file = parts.database not in (None, "", ":memory:") and not parts.host and not parts.query
    if kind == "sqlite" and not is_file:
        raise ValueError("expected a file, such as sqlite:///var/passport.db")
    return value


def _cache_type(value: str) -> str:
    if value not in _CACHES and "." not in value:
        raise ValueError(f"expected one of {', '.join(_CACHES)}")
    return value


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s", return_type=str),
]
Skew = Annotated[Duration, AfterValidator(_skew)]
Seconds = Annotated[int, BeforeValidator(_seconds), Field(le=86400)]
Text = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=1000)]
Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=255)]
Secret = Annotated[SecretStr, BeforeValidator(_text)]
DatabaseUrl = Annotated[Text, AfterValidator(_database_url)]
CacheType = Annotated[Text, AfterValidator(_cache_type)]
Url = Annotated[str, BeforeValidator(_url), Field(max_length=1000)]
BaseUrl = Annotated[str, BeforeValidator(_base_url), Field(max_length=1000)]
Flag = Annotated[bool, BeforeValidator(_flag), Field(strict=True)]


def whole(minimum: int, maximum: int) -> Any:
    """A whole number in a range; digits that came from the environment count as one."""
    return Annotated[int, BeforeValidator(_number), Field(strict=True, ge=minimum, le=maximum)]
