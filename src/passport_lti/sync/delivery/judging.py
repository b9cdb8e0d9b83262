"""What a column holds for a member, compared with what we want there and have sent before."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum

from passport_lti.lti import ags
from passport_lti.lti.ags import Result
from passport_lti.lti.service import PlatformService
from passport_lti.sync.delivery import recording
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.delivery.outcomes import Column, same
from passport_lti.sync.delivery.readings import Readings
from passport_lti.sync.poll.plan import ROUNDING


class Verdict(Enum):
    """What to do with a cell after a look at its column."""

    SEND = "send"
    STANDS = "stands"
    TEACHERS = "teachers"


class Judge:
    """Judges the cells of a platform's columns; `overwrite`: a teacher's word does not count."""

    def __init__(
        self,
        service: PlatformService,
        columns: Readings,
        clock: Callable[[], datetime],
        *,
        overwrite: bool,
    ) -> None:
        self._service, self._columns, self._clock = service, columns, clock
        self._overwrite = overwrite

    def look(self, cell: Claimed, column: Column) -> Result | None:
        """What the column holds for one cell now. Raises ServiceError."""
        return ags.results(self._service, column.url, cell.sub).get(cell.sub)

    def verdict(self, cell: Claimed, holder: str, found: Result | None, column: Column) -> Verdict:
        """A value that already stands is not sent; one that is none of ours is a teacher's."""
        ours = [] if cell.delivered is None else [cell.delivered]
        if cell.attempted is not None:
            ours.append(cell.attempted / cell.maximum)
        shares = self._shares(found, cell, column, ours)
        if shares and same(shares[-1], cell.given / cell.maximum):
            return Verdict.STANDS
        if cell.forced or self._overwrite:
            return Verdict.SEND
        if not shares:
            return Verdict.TEACHERS if cell.delivered is not None else Verdict.SEND
        lost = cell.attempted
        if lost is not None and any(same(share, lost / cell.maximum) for share in shares):
            # The next attempt may be lost too, so what has arrived is kept apart from it.
            recording.recognised(cell, holder, lost, self._clock())
        known = any(same(share, own) for share in shares for own in ours)
        return Verdict.SEND if known else Verdict.TEACHERS

    def _shares(
        self, found: Result | None, cell: Claimed, column: Column, ours: Sequence[float]
    ) -> tuple[float, ...]:
        """What share of the points a result may stand for, the column's own reckoning last.

        Moodle rescales a column's grades with its maximum, but keeps the old maximum in the
        results of a column that a tool has made. The column is only asked where that may matter.
        """
        fraction = found.fraction if found else None
        if found is None or found.given is None or fraction is None:
            return ()
        usual = abs(found.maximum - cell.maximum) < ROUNDING
        if usual and any(same(fraction, own) for own in ours):
            return (fraction,)
        maximum = self._columns.maximum(column)
        return (fraction, found.given / maximum) if maximum else (fraction,)
