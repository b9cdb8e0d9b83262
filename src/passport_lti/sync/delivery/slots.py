"""The calls that all processes together may make to one platform at a time.

Each connection holds one of the platform's places, which are leases: a process that dies gives
its places back when they run out, one that lives renews them.
"""

import threading
from datetime import datetime, timedelta

from passport_lti import leases
from passport_lti.sync.services import Services

LEASE = timedelta(seconds=15)


class Slots:
    """The places that this process has taken at one platform, by the connection that holds them."""

    def __init__(self, services: Services, platform_id: int, holder: str, places: int) -> None:
        self._services, self._places = services, places
        self._name = f"calls:{platform_id}:"
        self._holder = holder
        self._held: dict[int, tuple[str, datetime]] = {}
        self._lock = threading.Lock()
        """Nothing that was given back must be renewed."""

    def take(self, number: int) -> bool:
        """Take a free place for the connection of this number; False where all are taken."""
        for place in range(self._places):
            name = f"{self._name}{(number + place) % self._places}"
            now = self._services.clock()
            if leases.take(name, f"{self._holder}.{number}", now, LEASE):
                self._held[number] = (name, now + LEASE / 2)
                return True
        return False

    def has(self, number: int) -> bool:
        """Whether nobody else can have this connection's place, as far as our clock can tell."""
        held = self._held.get(number)
        return held is not None and self._services.clock() < held[1]

    def renew(self) -> None:
        """Keep the places; one that ran out while this process slept is left to the others."""
        with self._lock:
            for number, (name, until) in self._held.copy().items():
                now = self._services.clock()
                if now < until and leases.take(name, f"{self._holder}.{number}", now, LEASE):
                    self._held[number] = (name, now + LEASE / 2)

    def give_back(self, number: int) -> None:
        """Harmless for a connection that has no place."""
        with self._lock:
            held = self._held.pop(number, None)
            if held is not None:
                leases.give_back(held[0], f"{self._holder}.{number}")
