"""One complete reading of a course's gradebook report, before anything is decided from it.

The rows lie in a temporary file, so a hundred thousand learners take no more memory than one
page, and half a reading is never used: a page that fails fails the sweep.
"""

import hashlib
import os
import pickle
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, NamedTuple, Self

from passport_lti.coursera.client import CourseraClient, Row
from passport_lti.coursera.rows import (
    RawRow,
    gradebook,
    item_of,
    last_activity,
    read,
    text,
    with_shares,
)
from passport_lti.coursera.scale import Evidence, Scale
from passport_lti.grades import GradableItem, Grade, LearnerGrades

IN_MEMORY = 4_000_000
"""Bytes of rows that are kept in memory before they go to the file."""


_Rank = tuple[int, int, bytes]
"""Last activity, number of graded items, fingerprint: of several rows the highest counts."""


class Learner(NamedTuple):
    """A person as the report names them."""

    external_id: str
    email: str
    full_name: str


class Sweep:
    """A course's report as read at one time; use it in a `with` statement."""

    def __init__(self, program_id: str, course_id: str, read_at: datetime) -> None:
        self.program_id, self.course_id, self.read_at = program_id, course_id, read_at
        self.course_name = ""
        self.evidence = Evidence()
        self.sample: list[tuple[str, float]] = []
        """Up to 50 learners with a course grade as given, to compare reports by."""
        self.problems: list[str] = []
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._digest = 0
        self._items: dict[str, tuple[int, tuple[GradableItem, float | None]]] = {}
        self._newest: dict[str, tuple[_Rank, int]] = {}
        """By external id in lower case: how new a learner's newest row is, and where it lies."""
        self._learners: dict[str, Learner] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    @property
    def learners(self) -> list[Learner]:
        """Everybody in the report once."""
        return list(self._learners.values())

    def complete(self, addresses: Mapping[str, str]) -> None:
        """Give learners without an e-mail theirs, by external id in lower case."""
        for key, learner in self._learners.items():
            if not learner.email and key in addresses:
                self._learners[key] = learner._replace(email=addresses[key])

    @property
    def digest(self) -> str:
        """Equal for two sweeps that say the same, whatever the order of their rows."""
        shape = repr(self.items).encode()
        return hashlib.sha256(shape + self._digest.to_bytes(32, "big")).hexdigest()

    @property
    def items(self) -> tuple[GradableItem, ...]:
        """The gradable items that appear, in course order, with weights as shares of 1."""
        found = with_shares(described for _, described in self._items.values())
        return tuple(sorted(found, key=lambda item: (item.order, item.id)))

    def add(self, page: Sequence[Row]) -> None:
        for source in page:
            moment = last_activity(source)
            for item in gradebook(source):
                described = item_of(item)
                if described:
                    self._describe(moment, described)
            self.course_name = text(source.get("courseName")) or self.course_name
            row = read(source, self.program_id, self.course_id)
            if row is not None and row.course_id == self.course_id:
                self._keep(row)

    @property
    def fingerprints(self) -> Iterator[tuple[str, bytes]]:
        """Every learner once, by external id in lower case, with 16 bytes for what is reported."""
        for key, (rank, _) in self._newest.items():
            yield key, rank[2]

    def raw(self, keys: Iterable[str]) -> Iterator[RawRow]:
        """The rows of these learners as Coursera gave them, in this order."""
        for key in keys:
            self._file.seek(self._newest[key][1])
            yield RawRow(*pickle.load(self._file))

    def rows(self, scale: Scale | None) -> Iterator[LearnerGrades]:
        """Every learner's grades once; with no scale only 0 has a value. Can be read again."""
        return (grades(row, scale) for row in self.raw(self._newest))

    def _describe(self, moment: int, described: tuple[GradableItem, float | None]) -> None:
        """Of several descriptions of an item that of the latest row counts."""
        before = self._items.get(described[0].id)
        if before is None or before[0] < moment:
            self._items[described[0].id] = moment, described
        elif before[0] == moment and before[1] != described:
            latest = max(before[1], described, key=repr)
            self._items[described[0].id] = moment, latest

    def _keep(self, row: RawRow) -> None:
        """Spool a row; of several for one learner the one with the latest activity counts."""
        if len(self.problems) < 50:
            self.problems += row.problems[:3]
        values = tuple(getattr(row, name) for name in RawRow.__slots__)
        fingerprint = hashlib.sha256(repr(values).encode()).digest()
        self._digest = (self._digest + int.from_bytes(fingerprint, "big")) % 2**256
        place = self._file.seek(0, os.SEEK_END)
        pickle.dump(values, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        for grade in (row.final, *row.items.values()):
            if grade is not None:
                self.evidence.see(grade)
        if row.final is not None and row.final > 0 and len(self.sample) < 50:
            self.sample.append((row.external_id.casefold(), row.final))
        key = row.external_id.casefold()
        before = self._newest.get(key)
        rank = (row.last_activity, len(row.items), fingerprint[:16])
        if before is None or rank > before[0]:
            self._newest[key] = (rank, place)
            self._learners[key] = Learner(row.external_id, row.email, row.full_name)


def sweep(client: CourseraClient, program_id: str, course_id: str, read_at: datetime) -> Sweep:
    """Read the whole report of a course in a program. Raises what the client raises."""
    found = Sweep(program_id, course_id, read_at)
    try:
        for page in client.gradebook_pages(program_id, course_id):
            found.add(page)
    except BaseException:
        found.close()
        raise
    return found


def grades(row: RawRow, scale: Scale | None, only: Collection[str] | None = None) -> LearnerGrades:
    """A row's grades on a scale; of the items `only` these, where they are given."""

    def grade(value: float) -> Grade | None:
        if scale == "percent":
            return Grade(min(value / 100, 1.0))
        if scale == "unit":
            return Grade(min(value, 1.0)) if value <= 1.0001 else None
        return Grade(0.0 if value == 0 else None)

    moment = datetime.fromtimestamp(row.last_activity / 1000, UTC) if row.last_activity else None
    wanted = (
        row.items if only is None else {key: row.items[key] for key in only if key in row.items}
    )
    items = {key: found for key, value in wanted.items() if (found := grade(value))}
    return LearnerGrades(
        external_id=row.external_id,
        program_id=row.program_id,
        course_id=row.course_id,
        email=row.email,
        full_name=row.full_name,
        final=None if row.final is None else grade(row.final),
        items=items,
        completed=row.completed,
        last_activity_at=moment,
    )
