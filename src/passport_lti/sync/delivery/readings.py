"""What a platform's columns hold and count by, read once in a round."""

import logging
import threading
from collections import defaultdict

from sqlalchemy import select

from passport_lti.errors import RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.models import Cell, Member
from passport_lti.sync.delivery.outcomes import Column

log = logging.getLogger(__name__)


Standing = dict[str, Result | None]
"""What a column holds, by the `sub` of everybody for whom something was due when it was read."""


class Readings:
    """Shared by the connections of a round; a column is asked for by one of them.

    Of a column with a hundred thousand results only those are kept that something depends on.
    """

    def __init__(self, service: PlatformService) -> None:
        self._service = service
        self._results: dict[int, Standing | ServiceError] = {}
        self._maxima: dict[int, float | None] = {}
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        """One for each column, so that nobody waits for the reading of another one."""
        self._begun: set[int] = set()

    def standing(self, column: Column) -> Standing | ServiceError:
        """The column's results, or why they can't be read. Needs a session without a write."""
        with self._locks[column.id]:
            kept = self._results.get(column.id)
            if kept is None:
                self._begun.add(column.id)
                kept = self._results[column.id] = self._read(column)
            return kept

    def _read(self, column: Column) -> Standing | ServiceError:
        waiting = select(Member.sub).join(Cell, Cell.member_fk == Member.id)
        waiting = waiting.where(Cell.line_item_fk == column.id, Cell.state.in_(("due", "rejected")))
        subs = list(db.session.scalars(waiting))
        db.session.commit()
        try:
            found = ags.results(self._service, column.url)
        except ServiceError as error:
            return error
        return {sub: found.get(sub) for sub in subs}

    def is_begun(self, column: Column) -> bool:
        """Whether a reading may be older than what is claimed from now on."""
        return column.id in self._begun

    def maximum(self, column: Column) -> float | None:
        """The column's own maximum; None where it can't be read."""
        with self._locks[column.id]:
            if column.id not in self._maxima:
                try:
                    shown = ags.line_item(self._service, column.url)
                except ServiceError as error:
                    log.info("column=%s: its maximum can't be read: %s", column.id, error.reason)
                    shown = None
                self._maxima[column.id] = shown.maximum if shown else None
            return self._maxima[column.id]

    def all_unreadable(self) -> bool:
        """Whether no column could be read so far, and not for the fault of a single one."""
        kept = list(self._results.values())
        errors = [one for one in kept if isinstance(one, RetryLater)]
        own = all(error.reason in ("server_error", "bad_gateway") for error in errors)
        return len(errors) == len(kept) and (len(errors) > 1 or not own)
