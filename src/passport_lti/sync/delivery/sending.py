"""Sending the due cells of one platform: look at each column once, send what differs.

A column's results are read before anything is written to it: a value that already stands is not
sent, and one that a teacher changed is held. A call whose outcome is not certain is never repeated
before the cell was read. One bad cell never stops the others; a platform that fails is left alone.
"""

import secrets
import threading
from collections import Counter
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.sync.delivery import circuit, claims
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.delivery.failing import TRANSIENT, is_platforms, plain, record, spare
from passport_lti.sync.delivery.judging import Judge, Verdict
from passport_lti.sync.delivery.outcomes import Column, Outcomes
from passport_lti.sync.delivery.readings import Readings
from passport_lti.sync.services import Services

BATCH = 50
PAUSE_AFTER = 5
"""Failures of a platform in a row before all its columns wait."""
STUBBORN = 5
"""Cells of a column in a row that the platform fails on: so it will on the column's others."""
SUSPICIOUS = 3
"""Columns that the platform fails on while none takes a score: then one cell of each is enough."""


class Round:
    """One pass over the due columns of one platform, shared by its connections."""

    def __init__(self, services: Services, service: PlatformService, outcomes: Outcomes) -> None:
        self.services, self.service, self.outcomes = services, service, outcomes
        self.holder = secrets.token_hex(8)
        self.stopped = threading.Event()
        self.is_probe = False
        """The platform has failed before: one call finds out whether it is back."""
        self._claimed: dict[str, list[int]] = {}
        """What each connection has claimed now, by its holder's name."""
        self._until: dict[str, datetime] = {}
        """How long nobody else can have these claims, as far as our own clock can tell."""
        self._columns = Readings(service)
        overwrite = services.config.sync.overrides == "overwrite"
        self._judge = Judge(service, self._columns, services.clock, overwrite=overwrite)
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

    def send_some(self, column: Column, *, limit: int = BATCH) -> bool:
        """Claim a batch of a column and see to each of its cells; False once it has none left."""
        holder = f"{self.holder}{threading.get_ident():x}"
        now, is_old = self.services.clock(), self._columns.is_begun(column)
        cells = claims.claim(column.id, holder, now, limit=limit)
        if not cells:
            return False
        self._until[holder] = now + claims.LEASE
        self._claimed[holder] = [cell.id for cell in cells]
        try:
            read = self._columns.standing(column)
            if isinstance(read, ServiceError):
                self._unreadable(cells, holder, read, column)
                return True
            standing: dict[str, Result | None] = {cell.sub: read.get(cell.sub) for cell in cells}
            sendable = []
            for cell in cells:
                if self.services.ending.is_set():
                    break
                try:
                    # Whoever had it before us may have sent since the column was read, and what has
                    # become due since then was not looked at.
                    is_news = is_old and (cell.attempted is not None or cell.sub not in read)
                    if cell.id in self._unsure or is_news:
                        standing[cell.sub] = self._judge.look(cell, column)
                    found = standing.get(cell.sub)
                    verdict = self._judge.verdict(cell, holder, found, column)
                except ServiceError as error:
                    self._failed(cell, holder, error, column, 0)
                    continue
                if not self._is_settled(cell, holder, verdict, cell.stamp, sent=False):
                    sendable.append(cell)
            claims.attempt(sendable)
            for cell in sendable:
                if self.is_over or self._is_late(holder):
                    break
                self._send(cell, holder, column, standing.get(cell.sub))
        except SQLAlchemyError:
            # What is half written must not keep the claims from being given back.
            db.session.rollback()
            raise
        finally:
            del self._claimed[holder]
            claims.give_back(holder)
        return True

    def renew(self) -> None:
        """Keep what is claimed now; claims that ran out while this process slept are left."""
        for holder, ids in self._claimed.copy().items():
            now = self.services.clock()
            if now < self._until[holder]:
                claims.renew(holder, ids, now)
                self._until[holder] = now + claims.LEASE

    def _is_late(self, holder: str) -> bool:
        """Whether another process may have taken over what this connection had claimed."""
        return self.services.clock() >= self._until[holder]

    def _unreadable(
        self, cells: list[Claimed], holder: str, error: ServiceError, column: Column
    ) -> None:
        """A column that can't be read: nothing is written to it, and it is read again as one."""
        first, *others = sorted(cells, key=lambda cell: -cell.attempts)
        due_at = self._failed(first, holder, error, column, 0)
        for cell in others:
            if self.stopped.is_set():
                break
            if due_at is None:
                self._failed(cell, holder, error, column, 0)
            else:
                now = self.services.clock()
                claims.postponed(cell, holder, plain(error.reason), due_at, now, 0)
                self.outcomes.count(reason=error.reason)

    def _is_settled(
        self, cell: Claimed, holder: str, verdict: Verdict, stamp: int, *, sent: bool
    ) -> bool:
        """Settle what already stands, and what a teacher changed; False: it is to be sent."""
        if verdict is Verdict.SEND:
            return False
        if verdict is Verdict.STANDS:
            claims.delivered(cell, holder, self.services.clock(), stamp)
            self.outcomes.count(sent=sent, delivered=True)
        else:
            now = self.services.clock()
            claims.settled(cell, holder, "held", "overridden", None, now, stamp)
            self.outcomes.count(sent=sent, reason="overridden")
        return True

    def _send(self, cell: Claimed, holder: str, column: Column, found: Result | None) -> None:
        """Send one score, newer than what was `found`; a look and a second try settle the rest."""
        if self._is_stubborn(column):
            spare(self.services, cell, holder, self._refused_as[column.id])
            return
        stamp = self._stamp(max(cell.stamp, self._written(found)))
        for again in (False, True):
            try:
                self._post(cell, column, stamp)
                self._succeeded(column)
                claims.delivered(cell, holder, self.services.clock(), stamp)
                self.outcomes.count(sent=True, delivered=True)
                return
            except ServiceError as error:
                if not isinstance(error, TRANSIENT) and error.reason not in ("server_error",):
                    self._failed(cell, holder, error, column, stamp)
                    return
                try:
                    found = self._judge.look(cell, column)
                    verdict = self._judge.verdict(cell, holder, found, column)
                except ServiceError as blind:
                    self._unsure.add(cell.id)
                    self._failed(cell, holder, blind, column, 0, sent_stamp=stamp)
                    return
                if self._is_settled(cell, holder, verdict, stamp, sent=True):
                    return
                if again:
                    self._failed(cell, holder, error, column, stamp)
                    return
                # A column counts whole seconds and refuses an equal one.
                self.services.sleep(1.1 if error.reason == "conflict" else 0.2)
                stamp = self._stamp(max(stamp, self._written(found)))

    def _is_stubborn(self, column: Column) -> bool:
        with self._lock:
            refusing = sum(1 for count in self._refusals.values() if count)
            most = 1 if not self._successes and refusing >= SUSPICIOUS else STUBBORN
            return self._refusals[column.id] >= most

    def _post(self, cell: Claimed, column: Column, stamp: int) -> None:
        ags.send_score(
            self.service,
            column.url,
            sub=cell.sub,
            given=cell.given,
            maximum=cell.maximum,
            completed=cell.completed,
            stamp=stamp,
        )

    def _stamp(self, before: int) -> int:
        """The sending time in whole seconds, by the platform's clock where that is ahead."""
        now = self.services.clock().timestamp() + self.service.clock_ahead
        return max(int(now), before + 1)

    def _written(self, found: Result | None) -> int:
        """When the value that stands was written: a score must be newer, by the same clock.

        A time far from now is some other program's mistake, and not to be followed.
        """
        latest = self.services.clock().timestamp() + 86_400
        return found.at if found and found.at < latest else 0

    def _succeeded(self, column: Column) -> None:
        with self._lock:
            self._failures, self._refusals[column.id] = 0, 0
            self._successes += 1

    def _failed(
        self,
        cell: Claimed,
        holder: str,
        error: ServiceError,
        column: Column,
        stamp: int,
        *,
        sent_stamp: int = 0,
    ) -> datetime | None:
        """Record why a score did not arrive; `stamp` is 0 where the reading failed.

        Returns when a failed reading is tried again, if it is.
        """
        if stamp:
            self._unsure.add(cell.id)
        self.outcomes.count(sent=stamp > 0 or sent_stamp > 0, reason=error.reason)
        trips = self._trips(error, column, stamp)
        if trips:
            self.stopped.set()
            circuit.trip(self.service.platform_id, error, self.services.clock())
        return record(
            self.services, cell, holder, error, column, stamp,
            sent_stamp=sent_stamp or stamp, platforms=trips,
        )  # fmt: skip

    def _trips(self, error: ServiceError, column: Column, stamp: int) -> bool:
        """Whether this failure means that the platform should be left alone."""
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
                or self._columns.all_unreadable()
            )
