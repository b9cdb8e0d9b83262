"""One complete reading of a course's gradebook report, before anything is decided from it.

The rows lie in a temporary file, and who they name in a scratch database, so a hundred thousand
learners take no more memory than one page. Half a reading is never used: a page that fails fails
the sweep.
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
    key,
    last_activity,
    read,
    text,
    with_shares,
)
from passport_lti.coursera.scale import Evidence, Scale
from passport_lti.grades import GradableItem, Grade, LearnerGrades
from passport_lti.scratch import scratch

IN_MEMORY = 4_000_000
"""Bytes of rows that are kept in memory before they go to the file."""

_LEARNERS = """
CREATE TABLE learners (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    external_id TEXT NOT NULL,
    email TEXT NOT NULL,
    full_name TEXT NOT NULL,
    active INTEGER NOT NULL,
    graded INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    place INTEGER NOT NULL
)"""
"""Everybody once, by the external id as it is compared. `address` is the e-mail so, `fingerprint`
16 bytes for all that is reported, `place` where the row lies."""

_KEEP = """
INSERT INTO learners
    (key, address, external_id, email, full_name, active, graded, fingerprint, place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    address = excluded.address, external_id = excluded.external_id, email = excluded.email,
    full_name = excluded.full_name, active = excluded.active, graded = excluded.graded,
    fingerprint = excluded.fingerprint, place = excluded.place
WHERE (excluded.active, excluded.graded, excluded.fingerprint) > (active, graded, fingerprint)"""
"""Of several rows of a learner the one with the latest activity counts, then the one with most
grades, then always the same."""


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
        self.scratch = scratch()
        """Has a table `learners`; room for whatever is found out about them."""
        self.scratch.execute(_LEARNERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.scratch.close()

    @property
    def learners(self) -> Iterator[Learner]:
        """Everybody in the report once."""
        query = "SELECT external_id, email, full_name FROM learners ORDER BY id"
        return map(Learner._make, self.scratch.execute(query))

    def complete(self, addresses: Mapping[str, str]) -> None:
        """Give learners without an e-mail theirs, by external id in lower case."""
        self.scratch.executemany(
            "UPDATE learners SET email = ?, address = ? WHERE key = ? AND email = ''",
            ((email, key(email), key(external_id)) for external_id, email in addresses.items()),
        )

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

    def raw(self, places: Iterable[int]) -> Iterator[RawRow]:
        """The rows at these places as Coursera gave them, in this order."""
        for place in places:
            self._file.seek(place)
            yield RawRow(*pickle.load(self._file))

    def rows(self, scale: Scale | None) -> Iterator[LearnerGrades]:
        """Every learner's grades once; with no scale only 0 has a value. Can be read again."""
        places = self.scratch.execute("SELECT place FROM learners ORDER BY id")
        return (grades(row, scale) for row in self.raw(place for (place,) in places))

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
            self.sample.append((key(row.external_id), row.final))
        self.scratch.execute(
            _KEEP,
            (
                key(row.external_id), key(row.email), row.external_id, row.email, row.full_name,
                row.last_activity, len(row.items), fingerprint[:16], place,
            ),
        )  # fmt: skip


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
