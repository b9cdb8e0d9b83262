"""What one connection has claimed of a column: judged, sent, recorded and given back.

A column's results are read before anything is written to it: a value that already stands is not
sent, and one that a teacher changed is held. A call whose outcome is not certain is never repeated
before the cell was read. One bad cell never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.sync.delivery import claims, recording
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.delivery.failing import TRANSIENT, plain, record, spare
from passport_lti.sync.delivery.judging import Verdict
from passport_lti.sync.delivery.outcomes import Column
from passport_lti.sync.delivery.recording import Arrival

if TYPE_CHECKING:
    from passport_lti.sync.delivery.sending import Round

RECORD_AFTER = 3.0
"""Seconds that an arrival may wait for others with which it is recorded."""


class Batch:
    """Cells of a column that one holder has claimed until a time, as a part of a round."""

    def __init__(
        self, round_: Round, column: Column, holder: str, cells: Sequence[Claimed], until: datetime
    ) -> None:
        self.round, self.column, self.holder = round_, column, holder
        self.cells, self.until = cells, until
        self._arrivals: list[Arrival] = []
        self._ended: set[int] = set()
        """Cells whose outcome is recorded, and whose claim ended with that."""
        self._recorded_at = time.monotonic()

    def see_to(self, *, is_old: bool) -> None:
        """Settle or send each cell. `is_old`: the column may have been read before the claim."""
        try:
            try:
                self._see_to(is_old)
            except SQLAlchemyError:
                # What is half written must not keep what has arrived from being recorded.
                db.session.rollback()
                raise
            finally:
                self._record()
        except SQLAlchemyError:
            # The same of the claims, which are given back.
            db.session.rollback()
            raise
        finally:
            left = [cell for cell in self.cells if cell.id not in self._ended]
            claims.give_back(left, self.holder)

    def renew(self) -> None:
        """Keep the claims; those that ran out while this process slept are left."""
        now = self.round.services.clock()
        if now < self.until:
            claims.renew(self.holder, [cell.id for cell in self.cells], now)
            self.until = now + claims.LEASE

    def _see_to(self, is_old: bool) -> None:
        round_, column = self.round, self.column
        read = round_.readings.standing(column)
        if isinstance(read, ServiceError):
            self._unreadable(read)
            return
        standing: dict[str, Result | None] = {cell.sub: read.get(cell.sub) for cell in self.cells}
        sendable = []
        for cell in self.cells:
            if round_.services.ending.is_set():
                break
            try:
                # Whoever had it before us may have sent since the column was read, and what has
                # become due since then was not looked at.
                is_news = is_old and (cell.attempted is not None or cell.sub not in read)
                if round_.is_unsure(cell) or is_news:
                    standing[cell.sub] = round_.judge.look(cell, column)
                verdict = round_.judge.verdict(cell, self.holder, standing[cell.sub], column)
            except ServiceError as error:
                self._failed(cell, error, 0)
                continue
            if not self._is_settled(cell, verdict, cell.stamp, sent=False):
                sendable.append(cell)
        for cell in recording.attempt(sendable, self.holder):
            if round_.is_over or round_.services.clock() >= self.until:
                # Another process may have taken over what this connection had claimed.
                break
            self._send(cell, standing[cell.sub])

    def _unreadable(self, error: ServiceError) -> None:
        """A column that can't be read: nothing is written to it, and it is read again as one."""
        first, *others = sorted(self.cells, key=lambda cell: -cell.attempts)
        due_at = self._failed(first, error, 0)
        for cell in others:
            if self.round.stopped.is_set():
                break
            if due_at is None:
                self._failed(cell, error, 0)
            else:
                now = self.round.services.clock()
                recording.postponed(cell, self.holder, plain(error.reason), due_at, now, 0)
                self._ended.add(cell.id)
                self.round.outcomes.count(reason=error.reason)

    def _is_settled(self, cell: Claimed, verdict: Verdict, stamp: int, *, sent: bool) -> bool:
        """Settle what already stands, and what a teacher changed; False: it is to be sent."""
        if verdict is Verdict.SEND:
            return False
        if verdict is Verdict.STANDS:
            self._arrived(cell, stamp, sent=sent)
        else:
            now = self.round.services.clock()
            recording.settled(cell, self.holder, "held", "overridden", None, now, stamp)
            self._ended.add(cell.id)
            self.round.outcomes.count(sent=sent, reason="overridden")
        return True

    def _send(self, cell: Claimed, found: Result | None) -> None:
        """Send one score, newer than what was `found`; a look and a second try settle the rest."""
        round_, column = self.round, self.column
        refused_as = round_.refused_as(column)
        if refused_as:
            spare(round_.services, cell, self.holder, refused_as)
            self._ended.add(cell.id)
            return
        stamp = round_.stamp(cell.stamp, found)
        for again in (False, True):
            try:
                self._post(cell, stamp)
                round_.succeeded(column)
                self._arrived(cell, stamp, sent=True)
                return
            except ServiceError as error:
                if not isinstance(error, TRANSIENT) and error.reason not in ("server_error",):
                    self._failed(cell, error, stamp)
                    return
                try:
                    found = round_.judge.look(cell, column)
                    verdict = round_.judge.verdict(cell, self.holder, found, column)
                except ServiceError as blind:
                    round_.doubt(cell)
                    self._failed(cell, blind, 0, sent_stamp=stamp)
                    return
                if self._is_settled(cell, verdict, stamp, sent=True):
                    return
                if again:
                    self._failed(cell, error, stamp)
                    return
                # A column counts whole seconds and refuses an equal one.
                round_.services.sleep(1.1 if error.reason == "conflict" else 0.2)
                stamp = round_.stamp(stamp, found)

    def _post(self, cell: Claimed, stamp: int) -> None:
        ags.send_score(
            self.round.service,
            self.column.url,
            sub=cell.sub,
            given=cell.given,
            maximum=cell.maximum,
            completed=cell.completed,
            stamp=stamp,
        )

    def _arrived(self, cell: Claimed, stamp: int, *, sent: bool) -> None:
        """The column holds the value: that is recorded soon, together with others."""
        self._arrivals.append((cell, stamp))
        self.round.outcomes.count(sent=sent, delivered=True)
        if time.monotonic() - self._recorded_at > RECORD_AFTER:
            self._record()

    def _record(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        recording.delivered(arrivals, self.holder, self.round.services.clock())
        self._ended.update(cell.id for cell, _ in arrivals)
        self._recorded_at = time.monotonic()

    def _failed(
        self, cell: Claimed, error: ServiceError, stamp: int, *, sent_stamp: int = 0
    ) -> datetime | None:
        """Record why a score did not arrive; `stamp` is 0 where the reading failed.

        Returns when a failed reading is tried again, if it is.
        """
        if stamp:
            self.round.doubt(cell)
        self.round.outcomes.count(sent=stamp > 0 or sent_stamp > 0, reason=error.reason)
        trips = self.round.trips(error, self.column, stamp)
        due_at = record(
            self.round.services, cell, self.holder, error, self.column, stamp,
            sent_stamp=sent_stamp or stamp, platforms=trips,
        )  # fmt: skip
        self._ended.add(cell.id)
        return due_at
