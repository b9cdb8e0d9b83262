"""Sending the due cells of one platform: look at each column once, send what differs.

A column's results are read before anything is written to it: a value that already stands is not
sent, and one that a teacher changed is held. One bad cell never stops the others.
"""

import logging
import random
import secrets
import threading
from datetime import datetime, timedelta

from passport_lti.errors import AnswerLost, Conflict, Gone, Rejected, RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.models import Platform
from passport_lti.sync import claims
from passport_lti.sync.claims import Claimed
from passport_lti.sync.outcomes import (
    PARKED,
    Column,
    Outcomes,
    doubt_roster,
    doubtful,
    lose_column,
    same,
)
from passport_lti.sync.plan import ROUNDING
from passport_lti.sync.readings import Readings
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

BATCH = 50
BACKOFF = (1, 2, 4, 30, 120, 600, 1800, 3600)
"""Seconds between tries, the last for ever: newer grades keep replacing what waits."""
PAUSE_AFTER = 5
"""Failures of a platform in a row before all its columns wait."""
UNTRUSTED = ("token_refused", "scope_missing")
"""Refusals of the tool as a whole: nothing is wrong with the score, so it stays due."""


class Round:
    """One pass over the due columns of one platform, shared by its connections."""

    def __init__(self, services: Services, service: PlatformService, outcomes: Outcomes) -> None:
        self.services, self.service, self.outcomes = services, service, outcomes
        self.holder = secrets.token_hex(8)
        self.stopped = threading.Event()
        self.failures = 0
        self._claimed: dict[str, list[int]] = {}
        """What each connection has claimed now, by its holder's name."""
        self._until: dict[str, datetime] = {}
        """How long nobody else can have these claims, as far as our own clock can tell."""
        self._columns = Readings(service)
        self._lock = threading.Lock()

    def send_some(self, column: Column) -> bool:
        """Claim a batch of a column and see to each of its cells; False once it has none left."""
        holder = f"{self.holder}{threading.get_ident():x}"
        now = self.services.clock()
        cells = claims.claim(column.id, holder, now, limit=BATCH)
        if not cells:
            return False
        self._until[holder] = now + claims.LEASE
        self._claimed[holder] = [cell.id for cell in cells]
        try:
            standing = self._columns.standing(column)
            if isinstance(standing, ServiceError):
                for cell in cells:
                    self._failed(cell, holder, standing, column, 0)
                return True
            sendable = [
                cell for cell in cells if not self._is_settled(cell, holder, standing, column)
            ]
            claims.attempt(sendable)
            for cell in sendable:
                if self.stopped.is_set() or self._is_late(holder):
                    break
                self._send(cell, holder, column, self._written(standing.get(cell.sub)))
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

    def _is_settled(
        self,
        cell: Claimed,
        holder: str,
        standing: dict[str, Result],
        column: Column,
        *,
        sent: bool = False,
    ) -> bool:
        """Settle without a call what already stands, and what a teacher changed.

        `sent`: after a call, which a conflict answered.
        """
        found = standing.get(cell.sub)
        shares = self._shares(found, cell, column)
        if self._holds(found, cell, column):
            self._delivered(cell, holder, cell.stamp, sent=sent)
            return True
        if cell.forced or self.services.config.sync.overrides == "overwrite":
            return False
        ours = [] if cell.delivered is None else [cell.delivered]
        if cell.attempted is not None:
            ours.append(cell.attempted / cell.maximum)
            if any(same(share, cell.attempted / cell.maximum) for share in shares):
                # The next attempt may be lost too, so what has arrived is kept apart from it.
                claims.recognised(cell, holder, cell.attempted, self.services.clock())
        changed = shares and not any(same(share, own) for share in shares for own in ours)
        emptied = not shares and cell.delivered is not None
        if changed or emptied:
            claims.settled(cell, holder, "held", "overridden", None, self.services.clock())
            self.outcomes.count(sent=sent, reason="overridden")
            return True
        return False

    def _holds(self, found: Result | None, cell: Claimed, column: Column) -> bool:
        """Whether a result is this cell's value, by the maximum that people see."""
        shares = self._shares(found, cell, column)
        return bool(shares) and same(shares[-1], cell.given / cell.maximum)

    def _shares(self, found: Result | None, cell: Claimed, column: Column) -> tuple[float, ...]:
        """What share of the points a result may stand for, the column's own reckoning last.

        Moodle rescales a column's grades with its maximum, but keeps the old maximum in the
        results of a column that a tool has made. The column is only asked where they differ.
        """
        fraction = found.fraction if found else None
        if found is None or found.given is None or fraction is None:
            return ()
        if abs(found.maximum - cell.maximum) < ROUNDING:
            return (fraction,)
        maximum = self._columns.maximum(column)
        return (fraction, found.given / maximum) if maximum else (fraction,)

    def _send(self, cell: Claimed, holder: str, column: Column, written: int) -> None:
        """Send one score, newer than what was `written`; a second try at once settles the rest."""
        stamp = self._stamp(max(cell.stamp, written))
        for again in (False, True):
            try:
                self._post(cell, column, stamp)
                self._delivered(cell, holder, stamp, sent=True)
                return
            except Conflict as error:
                found = self._read_again(cell, column)
                if found and self._is_settled(cell, holder, {cell.sub: found}, column, sent=True):
                    return
                if again:
                    self._failed(cell, holder, error, column, stamp)
                    return
                # The column counts whole seconds and refuses an equal one.
                self.services.sleep(1.1)
                stamp = self._stamp(max(stamp, self._written(found)))
            except AnswerLost as error:
                if again:
                    self._failed(cell, holder, error, column, stamp)
                    return
                if not self._is_unsent(cell, holder, column, stamp):
                    return
                stamp = self._stamp(stamp)
            except ServiceError as error:
                if again or error.reason != "server_error":
                    self._failed(cell, holder, error, column, stamp)
                    return
                self.services.sleep(0.2)
                stamp = self._stamp(stamp)

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

    def _read_again(self, cell: Claimed, column: Column) -> Result | None:
        """What the column holds for this cell by now; None where it can't be read."""
        try:
            return ags.results(self.service, column.url, cell.sub).get(cell.sub)
        except ServiceError:
            return None

    def _written(self, found: Result | None) -> int:
        """When the value that stands was written: a score must be newer, by the same clock.

        A time far from now is some other program's mistake, and not to be followed.
        """
        latest = self.services.clock().timestamp() + 86_400
        return found.at if found and found.at < latest else 0

    def _is_unsent(self, cell: Claimed, holder: str, column: Column, stamp: int) -> bool:
        """After a lost answer: settle the cell where the score arrived; True: send it again."""
        try:
            found = ags.results(self.service, column.url, cell.sub).get(cell.sub)
        except ServiceError as error:
            self._failed(cell, holder, error, column, stamp)
            return False
        if self._holds(found, cell, column):
            self._delivered(cell, holder, stamp, sent=True)
            return False
        return True

    def _delivered(self, cell: Claimed, holder: str, stamp: int, *, sent: bool) -> None:
        claims.delivered(cell, holder, self.services.clock(), stamp)
        self.outcomes.count(sent=sent, delivered=True)
        with self._lock:
            self.failures = 0

    def _failed(
        self, cell: Claimed, holder: str, error: ServiceError, column: Column, stamp: int
    ) -> None:
        """Record why a score did not arrive, and when it is tried again."""
        now = self.services.clock()
        self.outcomes.count(sent=stamp > 0, reason=error.reason)
        if isinstance(error, Gone):
            lose_column(column, now)
            claims.settled(cell, holder, "held", "column_gone", None, now, stamp)
        elif isinstance(error, Rejected) and error.reason not in UNTRUSTED:
            if error.reason == "not_gradable":
                doubt_roster(column)
            claims.settled(cell, holder, "rejected", error.reason, now + PARKED, now, stamp)
        elif error.reason == "server_error" and stamp:
            # The platform reads this column but won't write this cell: locked, or being deleted.
            claims.settled(cell, holder, "rejected", "locked", now + doubtful(cell), now, stamp)
        elif error.reason == "bad_gateway" and cell.attempts >= len(BACKOFF) // 2:
            # Behind a proxy, Moodle's own failures look like this, and these never pass.
            claims.settled(cell, holder, "rejected", "bad_gateway", now + PARKED, now, stamp)
        else:
            reason = "platform_down" if error.reason == "server_error" else error.reason
            after = error.after if isinstance(error, RetryLater) else None
            # A refusal of the tool needs a person; a moment later it would be the same.
            step = -3 if error.reason in UNTRUSTED else min(cell.attempts, len(BACKOFF) - 1)
            wait = BACKOFF[step] * random.uniform(0.8, 1.2)
            due_at = now + timedelta(seconds=after if after is not None else wait)
            claims.postponed(cell, holder, reason, due_at, now, stamp)
            self._note_failure(reason, after, wait)

    def _note_failure(self, reason: str, after: float | None, wait: float) -> None:
        """Stop this round, and let all columns of the platform wait, when it keeps failing."""
        with self._lock:
            self.failures += 1
            stop = (
                after is not None
                or reason in UNTRUSTED
                or self.failures >= PAUSE_AFTER
                or self._columns.all_unreadable()
            )
        if stop:
            self.stopped.set()
            platform = db.session.get(Platform, self.service.platform_id)
            if platform is not None:
                seconds = after if after is not None else max(wait, 2.0)
                platform.paused_until = self.services.clock() + timedelta(seconds=seconds)
                platform.paused_reason = "rate_limited" if after is not None else reason
                db.session.commit()
