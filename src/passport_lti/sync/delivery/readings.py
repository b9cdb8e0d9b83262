"""What a platform's columns hold and count by, read once in a round."""

import logging
import threading

from passport_lti.errors import RetryLater, ServiceError
from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.sync.delivery.outcomes import Column

log = logging.getLogger(__name__)


class Readings:
    """Shared by the connections of a round; a column is asked for by one of them."""

    def __init__(self, service: PlatformService) -> None:
        self._service = service
        self._results: dict[int, dict[str, Result] | ServiceError] = {}
        self._maxima: dict[int, float | None] = {}
        self._lock = threading.Lock()
        self._begun: set[int] = set()

    def standing(self, column: Column) -> dict[str, Result] | ServiceError:
        """The column's results by `sub`, or why they can't be read."""
        with self._lock:
            kept = self._results.get(column.id)
            if kept is None:
                self._begun.add(column.id)
                try:
                    kept = ags.results(self._service, column.url)
                except ServiceError as error:
                    kept = error
                self._results[column.id] = kept
            return kept

    def is_begun(self, column: Column) -> bool:
        """Whether a reading may be older than what is claimed from now on."""
        return column.id in self._begun

    def maximum(self, column: Column) -> float | None:
        """The column's own maximum; None where it can't be read."""
        with self._lock:
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
