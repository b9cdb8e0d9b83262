"""What must hold after every fault: the invariants I1 to I10 of the fault matrix.

A `Watch` is told the truth before each sync. In the end it compares the gradebooks with the truth,
and walks what the campuses have noted of every score, every column and every teacher's edit.
"""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from faults.truth import Place, Seat, column_of, truth
from passport_lti.sandbox.campus.state import LineItem

NEAR = 1e-6
RETRIES = 3
"""Calls in vain to one cell in one sync, at most: what a second try at once can settle."""


@dataclass
class Watch:
    """The truth over time and everything logged; `violations` says what is wrong, if anything."""

    seats: list[Seat]
    truths: list[dict[Place, float]] = field(default_factory=list)
    columns: dict[tuple[str, str], LineItem] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """Reasons that a test lets stand in the end, besides those that the campus can confirm."""
    doubles: set[str] = field(default_factory=set)
    """Columns that somebody else had doubled before we came."""
    overwritten: bool = False
    """A person asked for a teacher's grade to be replaced."""

    def look(self) -> None:
        """Remember the truth and the columns as they are now."""
        self.truths.append(truth(self.seats))
        self.see_columns()

    def see_columns(self) -> None:
        for seat in self.seats:
            for item in list(seat.school.campus.line_items.values()):
                self.columns[seat.platform, item.id] = item

    def violations(self, cells: list[dict[str, Any]], people: list[dict[str, Any]]) -> list[str]:
        self.look()
        found = [*self._undelivered(cells, people), *self._private_words()]
        for seat in self.seats:
            found += self._doubled_columns(seat)
            found += self._wrong_scores(seat)
            found += self._too_many_calls(seat)
        return found

    # I1, I5: every wanted grade is there, or held with the right reason

    def _undelivered(self, cells: list[dict[str, Any]], people: list[dict[str, Any]]) -> list[str]:
        by_place = {self._place(cell): cell for cell in cells}
        strangers = {(p["platform"], p["context"], p["sub"]) for p in people if p["by"] is None}
        found = []
        for place, value in self.truths[-1].items():
            cell = by_place.get(place)
            if cell is None:
                if (place.platform, place.context, place.sub) not in strangers and (
                    self._is_here(place) and self._item(place) is not None
                ):
                    found.append(f"I1 nobody knows of {place}: {value}")
            elif cell["state"] == "delivered":
                found += self._not_as_delivered(place, value, cell)
            elif cell["reason"] not in self.held and not self._is_right(place, cell):
                found.append(f"I1 {place} is {cell['state']} as {cell['reason']}")
        return found

    def _not_as_delivered(self, place: Place, value: float, cell: dict[str, Any]) -> list[str]:
        item = self._item(place)
        if item is None:
            return [f"I1 {place} is delivered to a column that is gone"]
        grade = item.grades.get(place.sub)
        shown = None if grade is None or grade.value is None else grade.value / item.maximum
        if self._edited_last(place.platform, item, place.sub):
            return []
        if shown is None or abs(shown - value) > 1e-4:
            return [f"I1 {place} holds {shown}, should hold {value}: {cell}"]
        return []

    def _is_right(self, place: Place, cell: dict[str, Any]) -> bool:
        """Whether the campus confirms the reason."""
        item = self._item(place)
        match cell["reason"]:
            case "overridden":
                return item is not None and self._edited_last(place.platform, item, place.sub)
            case "locked":
                grade = item.grades.get(place.sub) if item else None
                dying = item is not None and item.activity is not None and item.activity.deleting
                return dying or bool(item and (item.locked or (grade and grade.locked)))
            case "column_gone":
                return item is None or item.id not in cell["column"]["line_item"].split("/")
            case "not_enrolled" | "not_gradable":
                return not self._is_here(place)
        return False

    def _is_here(self, place: Place) -> bool:
        context = self._school(place.platform).campus.contexts.get(place.context)
        found = context.enrolments.get(place.sub) if context else None
        return found is not None and found.active and found.role == "learner"

    def _edited_last(self, platform: str, item: LineItem, sub: str) -> bool:
        ledger = self._school(platform).campus.ledger
        edits = [e for e in ledger.edits if (e.line_item_id, e.user_id) == (item.id, sub)]
        later = edits and any(
            (s.line_item_id, s.user_id) == (item.id, sub)
            for s in ledger.scores[edits[-1].scores_before :]
        )
        return bool(edits) and not later

    # I2, I4, I6, I7: what was sent

    def _wrong_scores(self, seat: Seat) -> list[str]:
        ledger = seat.school.campus.ledger
        edits = Counter((e.line_item_id, e.user_id, e.scores_before) for e in ledger.edits)
        history = self._history(seat.platform)
        last: dict[tuple[str, str], tuple[float, str, str]] = {}
        reached: dict[tuple[str, str], int] = defaultdict(int)
        taken: set[tuple[str, str]] = set()
        found = []
        for number, score in enumerate(ledger.scores):
            key = (score.line_item_id, score.user_id)
            taken |= {(i, u) for i, u, before in edits if before == number}
            item = self.columns.get((seat.platform, score.line_item_id))
            if item is None or not score.maximum or score.given is None:
                found.append(f"I4 a score for nothing: {score}")
                continue
            place = Place(seat.platform, item.context.id, column_of(item), score.user_id)
            value, values = score.given / score.maximum, history.get(place, [])
            hits = [n for n, was in enumerate(values) if abs(was - value) < NEAR * 10]
            if not hits:
                found.append(f"I4 {place} got {value}, which was never so: {values}")
                continue
            onward = [n for n in hits if n >= reached[key]]
            if not onward:
                found.append(f"I2 {place} got {value} after something newer: {values}")
            reached[key] = min(onward or [reached[key]])
            if key in taken and not self.overwritten:
                found.append(f"I7 {place} got {value} over a teacher's grade")
            progress = str(score.body["activityProgress"])
            before = last.get(key)
            if before and key not in taken:
                if abs(before[0] - value) < NEAR and before[1] == progress:
                    found.append(f"I6 {place} got {value} twice")
                if score.timestamp <= before[2]:
                    found.append(f"I2 {place}: the timestamp {score.timestamp} does not rise")
            last[key] = (value, progress, score.timestamp)
        return found

    def _history(self, platform: str) -> dict[Place, list[float]]:
        history: dict[Place, list[float]] = defaultdict(list)
        for truth_then in self.truths:
            for place, value in truth_then.items():
                if place.platform == platform and history[place][-1:] != [value]:
                    history[place].append(value)
        return history

    def _too_many_calls(self, seat: Seat) -> list[str]:
        """Calls in vain are bounded by the syncs; those that arrived were looked at above."""
        vain = Counter(
            (p.line_item_id, p.user_id) for p in seat.school.campus.ledger.posted if p.status != 200
        )
        most = RETRIES * len(self.truths)
        return [f"I6 {key} was tried {n} times in vain" for key, n in vain.items() if n > most]

    # I3: columns

    def _doubled_columns(self, seat: Seat) -> list[str]:
        stand = Counter(
            (item.context.id, item.resource_id)
            for item in seat.school.campus.line_items.values()
            if item.activity is None
        )
        return [f"I3 {key} stands {n} times" for key, n in stand.items()
                if n > 1 and key[1] not in self.doubles]  # fmt: skip

    # I9: logs

    def _private_words(self) -> list[str]:
        words: set[str] = set()
        for seat in self.seats:
            campus, coursera = seat.school.campus, seat.school.coursera
            for person in campus.people.values():
                words |= {person.email, person.name}
            words |= set(campus.access_tokens._issued) | set(coursera.tokens)
            words |= {coursera.credentials.api_key, coursera.credentials.api_secret}
        text = "\n".join(self.lines).casefold()
        return [f"I9 logged: {word[:3]}..." for word in words if word and word.casefold() in text]

    def _school(self, platform: str) -> Any:
        return next(seat.school for seat in self.seats if seat.platform == platform)

    def _item(self, place: Place) -> LineItem | None:
        """The column of a cell as it stands; of doubles the oldest."""
        items = self._school(place.platform).campus.line_items.values()
        return next(
            (i for i in items if (i.context.id, column_of(i)) == (place.context, place.column)),
            None,
        )

    def _place(self, cell: dict[str, Any]) -> Place:
        """The cell of the status by the column's own number, or by its resource id."""
        number = cell["column"]["line_item"].split("/lineitems/")[-1].split("/")[0]
        item = self.columns.get((cell["platform"], number))
        column = column_of(item) if item else cell["column"]["resource_id"]
        return Place(cell["platform"], cell["context"], column, cell["member"]["sub"])


class Listener(logging.Handler):
    """Keeps what the product logs, before anything is made unreadable."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if record.exc_info:
            self.lines.append(str(record.exc_info[1]))
