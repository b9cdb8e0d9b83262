"""The cells of one course in one context: what a sweep wants of them, stored batch by batch."""

import itertools
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from passport_lti.coursera.rows import RawRow
from passport_lti.coursera.scale import Scale
from passport_lti.coursera.sweep import Sweep, grades
from passport_lti.extensions import db
from passport_lti.sync import outbox
from passport_lti.sync.poll.plan import Change, Known, Target, changed, wanted
from passport_lti.sync.poll.planned import Basis, Last, Note, note, standing, values
from passport_lti.sync.services import Services

LEARNERS, CELLS = 4_000, 8_000
"""So many of them at most are planned at a time: a few queries and bulk writes each."""

READ = 500
"""Learners whose rows, and what was last planned from them, are read at a time."""


class Line(NamedTuple):
    """A row of the report and the member it belongs to."""

    place: int
    fingerprint: bytes
    member: int
    last: Last | None
    """What was last planned from it; None where that is not kept."""
    is_away: bool
    """Whether the member has left: only cells that there are follow the report."""


class Work(NamedTuple):
    """A line that is not as it was, its row, and the targets that may get something else."""

    line: Line
    row: RawRow
    mark: bytes
    planned: bytes
    targets: Sequence[Target]


class Cells:
    """Plans the cells of these targets from one sweep."""

    def __init__(
        self, services: Services, found: Sweep, scale: Scale | None, targets: Sequence[Target]
    ) -> None:
        sync = services.config.sync
        self._services, self._found, self._scale, self._targets = services, found, scale, targets
        self._policy, self._in_progress = sync.grade_policy, sync.in_progress
        self._basis = Basis(targets, scale, in_progress=sync.in_progress, policy=sync.grade_policy)

    def plan(self, lines: Iterable[Line], check: Callable[[], None]) -> tuple[int, bool]:
        """Store what is news; returns how many cells changed, and whether all news was taken.

        Commits after each batch; `check` raises where another process may be at it by now.
        """
        count, is_whole = 0, True
        for works in _batches(self._works(self._marked(lines))):
            check()
            works = _standing(works)
            known = self._known(works)
            changes, ignored = changed(self._wanted_by(works, known), known, policy=self._policy)
            stored = outbox.enqueue(changes, known, self._found.read_at, self._services.clock())
            count += stored
            if stored < len(changes):
                is_whole = False
                ignored |= {change.member_id for change in changes}
            note([_noted(work.line.last, work, ignored) for work in works if work.line.last])
            db.session.commit()
        return count, is_whole

    def _marked(self, lines: Iterable[Line]) -> Iterator[tuple[Line, bytes]]:
        """The lines that are not as they were when they were last planned."""
        for line in lines:
            mark = self._basis.mark(line.fingerprint)
            if line.last is None or line.last.mark != mark:
                yield line, mark

    def _works(self, lines: Iterator[tuple[Line, bytes]]) -> Iterator[Work]:
        while batch := list(itertools.islice(lines, READ)):
            known = [line.last.match_id for line, _ in batch if line.last and line.last.mark]
            before = values(known)
            rows = self._found.raw(line.place for line, _ in batch)
            for (line, mark), row in zip(batch, rows, strict=True):
                now = self._basis.planned(row)
                then = before.get(line.last.match_id) if line.last else None
                yield Work(line, row, mark, now, self._basis.differing(then, now))

    def _wanted_by(self, works: Sequence[Work], known: Container[outbox.Pair]) -> Iterator[Change]:
        for work in works:
            for cell in self._wanted(work):
                if not work.line.is_away or (cell.line_item_id, cell.member_id) in known:
                    yield cell

    def _known(self, works: Sequence[Work]) -> dict[outbox.Pair, Known]:
        """What is stored: of most learners a cell or two, of those who are new to us all."""
        whole = [work.line.member for work in works if len(work.targets) == len(self._targets)]
        few = [
            (target.line_item_id, work.line.member)
            for work in works
            if len(work.targets) < len(self._targets)
            for target in work.targets
        ]
        columns = [target.line_item_id for target in self._targets]
        return (outbox.known(columns, whole) if whole else {}) | outbox.known_of(few)

    def _wanted(self, work: Work) -> Iterator[Change]:
        only = None
        if len(work.targets) < len(self._targets):
            only = [target.item_id for target in work.targets if target.item_id]
        return wanted(
            grades(work.row, self._scale, only),
            work.line.member,
            work.targets,
            in_progress=self._in_progress,
            held="not_enrolled" if work.line.is_away else None,
        )


def _standing(works: Sequence[Work]) -> list[Work]:
    """Without those whose row was just said to be another's; whoever said so has them replanned."""
    there = standing([work.line.last.match_id for work in works if work.line.last])
    return [work for work in works if not work.line.last or work.line.last.match_id in there]


def _noted(last: Last, work: Work, ignored: Collection[int]) -> Note:
    if work.line.member in ignored:
        return Note(last.match_id, last.mark, None, None)
    return Note(last.match_id, last.mark, work.mark, work.planned)


def _batches(works: Iterator[Work]) -> Iterator[list[Work]]:
    batch: list[Work] = []
    cells = 0
    for work in works:
        batch.append(work)
        cells += len(work.targets)
        if len(batch) >= LEARNERS or cells >= CELLS:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch
