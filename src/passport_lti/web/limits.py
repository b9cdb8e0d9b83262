"""How often an address may begin a login or a registration.

A login costs a token and the launch that follows gives it back, so a whole school behind one
address is never slowed down, while logins that lead nowhere run dry. Kept in the process: a limit
that is a little looser with more workers needs no store, and a flood fills none.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from flask import Flask, current_app, request
from werkzeug.exceptions import TooManyRequests

from passport_lti.config import is_loopback

PER_MINUTE = 120
"""For one address and one issuer; all issuers together have ten times as much."""
MOST = 10_000
"""Addresses (and issuers) that are counted at a time; who was quiet for longest is forgotten."""

Key = tuple[str, ...]


@dataclass
class Buckets:
    """Token buckets that hold what may be spent in a minute and fill at that pace."""

    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[Key, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._kept)

    def spend(self, key: Key, per_minute: float) -> float:
        """Take a token; 0, or the seconds until there is one."""
        with self._lock:
            tokens = self._filled(key, per_minute)
            if tokens < 1:
                self._keep(key, tokens)
                return (1 - tokens) * 60 / per_minute
            self._keep(key, tokens - 1)
            return 0.0

    def give_back(self, key: Key, per_minute: float) -> None:
        """Return a token that was spent for something good."""
        with self._lock:
            if key in self._kept:
                self._keep(key, min(self._filled(key, per_minute) + 1, per_minute))

    def _filled(self, key: Key, per_minute: float) -> float:
        tokens, at = self._kept.get(key, (per_minute, self.clock()))
        return min(per_minute, tokens + (self.clock() - at) * per_minute / 60)

    def _keep(self, key: Key, tokens: float) -> None:
        self._kept[key] = (tokens, self.clock())
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)


def init_app(app: Flask) -> None:
    app.extensions["passport_lti_limits"] = Buckets()


def spend(what: str, issuer: str = "") -> None:
    """Count a request of this address; raises TooManyRequests (429) with the time to wait."""
    waits = [_buckets().spend(key, pace) for key, pace in _keys(what, issuer)]
    if any(waits):
        raise TooManyRequests(retry_after=math.ceil(max(waits)))


def allows(what: str) -> bool:
    """Count something of this address that may be left out where there is too much of it."""
    return sum(_buckets().spend(key, pace) for key, pace in _keys(what, "")) == 0


def give_back(what: str, issuer: str = "") -> None:
    """The request that was counted has led to what it was for."""
    for key, pace in _keys(what, issuer):
        _buckets().give_back(key, pace)


def _keys(what: str, issuer: str) -> list[tuple[Key, float]]:
    network = _network(request.remote_addr or "")
    # This machine is a demo, a measurement, or a proxy that nobody told us of.
    pace = PER_MINUTE * (10 if _is_here(network) else 1)
    # A made-up issuer in each request must not make a new purse each time.
    return [((what, network, issuer[:255]), pace), ((what, network), pace * 10)]


@lru_cache(maxsize=1024)
def _is_here(network: str) -> bool:
    return is_loopback(network)


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    """The IPv4 address, or the /64 that one customer of IPv6 has to himself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    if found.version == 4 or found.is_loopback:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False))


def _buckets() -> Buckets:
    found: Buckets = current_app.extensions["passport_lti_limits"]
    return found
