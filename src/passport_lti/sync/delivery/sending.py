"""Sending the due cells of one platform, batch by batch; a platform that fails is left alone."""

import secrets
import threading
from collections import Counter

from passport_lti.errors import ServiceError
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.sync.delivery import circuit, claims
from passport_lti.sync.delivery.batch import Batch
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.delivery.failing import is_platforms
from passport_lti.sync.delivery.judging import Judge
from passport_lti.sync.delivery.outcomes import Column, Outcomes
from passport_lti.sync.delivery.readings import Readings
from passport_lti.sync.services import Services

LARGEST, SMALLEST = 100, 4
"""Cells of a column that a connection claims at a time."""
PAUSE_AFTER = 5
"""Failures of a platform in a row before all its columns wait."""
STUBBORN = 5
"""Cells of a column in a row that the platform fails on: so it will on the column's others."""
SUSPICIOUS = 3
"""Columns that the platform fails on while none takes a score: then one cell of each is enough."""


class Round:
    """One pass over the due columns of one platform, shared by its connections."""

    def __init__(
        self,
        services: Services,
        service: PlatformService,
        outcomes: Outcomes,
        *,
        connections: int,
        due: int,
    ) -> None:
        self.services, self.service, self.outcomes = services, service, outcomes
        self.holder = secrets.token_hex(8)
        self.stopped = threading.Event()
        self.is_probe = False
        """The platform has failed before: one call finds out whether it is back."""
        self.readings = Readings(service)
        overwrite = services.config.sync.overrides == "overwrite"
        self.judge = Judge(service, self.readings, services.clock, overwrite=overwrite)
        self._connections, self._left = connections, due
        self._batches: dict[str, Batch] = {}
        """What each connection has claimed now, by its holder's name."""
        self._probed = threading.Event()
        self._lock = threading.Lock()
        self._failures = self._successes = 0
        self._refusals: Counter[int] = Counter()
        """Cells in a row that the platform failed on, by column."""
        self._refused_as: dict[int, str] = {}
        self._unsure: set[int] = set()
        """Cells that may hold something else by now than their column's reading says."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be sent: the platform fails, or this process is to end."""
        return self.stopped.is_set() or self.services.ending.is_set()

    def probe(self, column: Column) -> None:
        """Ask for one cell; where the platform answers, everybody goes on."""
        try:
            if not self.send_some(column, limit=1):
                # Another process has it, and asks just now.
                self.stopped.set()
            elif not self.stopped.is_set():
                circuit.close(self.service.platform_id)
        finally:
            self._probed.set()

    def leave_probe(self) -> None:
        """Other processes make all the calls there may be: one of them finds out."""
        if self.is_probe:
            self.stopped.set()
            self._probed.set()

    def wait_for_probe(self) -> None:
        if self.is_probe:
            self._probed.wait()

    def send_some(self, column: Column, *, limit: int | None = None) -> bool:
        """Claim a batch of a column and see to each of its cells; False once it has none left."""
        limit = limit or self._share()
        holder = f"{self.holder}{threading.get_ident():x}"
        now, is_old = self.services.clock(), self.readings.is_begun(column)
        cells = claims.claim(column.id, holder, now, limit=limit)
        if not cells:
            return False
        batch = self._batches[holder] = Batch(self, column, holder, cells, now + claims.LEASE)
        try:
            batch.see_to(is_old=is_old)
        finally:
            del self._batches[holder]
        return True

    def _share(self) -> int:
        """Ever fewer cells to claim, so that in the end no connection waits long for another."""
        with self._lock:
            share = min(max(self._left // (2 * self._connections), SMALLEST), LARGEST)
            self._left -= share
            return share

    def renew(self) -> None:
        """Keep what is claimed now."""
        for batch in list(self._batches.values()):
            batch.renew()

    def stamp(self, before: int, found: Result | None) -> int:
        """The sending time in whole seconds, by the platform's clock where that is ahead.

        Newer than the one `before`, and than when the value that stands was written, by the same
        clock. A time far from now is some other program's mistake, and not to be followed.
        """
        now = self.services.clock().timestamp()
        written = found.at if found and found.at < now + 86_400 else 0
        return max(int(now + self.service.clock_ahead), before + 1, written + 1)

    def is_unsure(self, cell: Claimed) -> bool:
        return cell.id in self._unsure

    def doubt(self, cell: Claimed) -> None:
        """A cell may hold something else from now on than what its column was read to hold."""
        self._unsure.add(cell.id)

    def refused_as(self, column: Column) -> str | None:
        """The reason why a column's other cells need not be tried now."""
        with self._lock:
            refusing = sum(1 for count in self._refusals.values() if count)
            most = 1 if not self._successes and refusing >= SUSPICIOUS else STUBBORN
            return self._refused_as[column.id] if self._refusals[column.id] >= most else None

    def succeeded(self, column: Column) -> None:
        with self._lock:
            self._failures, self._refusals[column.id] = 0, 0
            self._successes += 1

    def trips(self, error: ServiceError, column: Column, stamp: int) -> bool:
        """Count a failure; where the platform should be left alone after it, the round ends."""
        if not self._is_last_straw(error, column, stamp):
            return False
        self.stopped.set()
        circuit.trip(self.service.platform_id, error, self.services.clock())
        return True

    def _is_last_straw(self, error: ServiceError, column: Column, stamp: int) -> bool:
        with self._lock:
            if error.reason in ("server_error", "bad_gateway") and stamp:
                self._refusals[column.id] += 1
                self._refused_as[column.id] = error.reason
                return False
            if not is_platforms(error):
                return False
            self._failures += 1
            return (
                self.is_probe
                or getattr(error, "after", None) is not None
                or error.reason in (*circuit.UNTRUSTED, "rate_limited")
                or self._failures >= PAUSE_AFTER
                or self.readings.all_unreadable()
            )
