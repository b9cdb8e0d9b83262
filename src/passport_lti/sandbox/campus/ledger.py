"""What was asked of the campus: tests count it, people read it."""

import json
import time
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One request; `kind` is token, lineitems, lineitem, scores, results, members, jwks, ..."""

    method: str
    kind: str
    path: str
    query: str
    status: int
    at: float


class AcceptedScore(NamedTuple):
    """A score that was answered with 200; `given` None cleared the cell."""

    line_item_id: str
    user_id: str
    given: float | None
    maximum: float | None
    timestamp: str
    body: dict[str, Any]
    at: float


class PostedScore(NamedTuple):
    """A score as it was sent, whatever became of it; status 0: the answer never left."""

    line_item_id: str
    user_id: str
    given: float | None
    maximum: float | None
    timestamp: str
    status: int
    at: float


class Edit(NamedTuple):
    """What a teacher typed into a cell."""

    line_item_id: str
    user_id: str
    value: float | None
    scores_before: int
    """How many scores had been accepted by then."""


class Ledger:
    """Every request, every score and every teacher's edit, in order."""

    def __init__(self) -> None:
        self.requests: list[Entry] = []
        self.scores: list[AcceptedScore] = []
        self.posted: list[PostedScore] = []
        self.edits: list[Edit] = []

    def note(self, method: str, kind: str, path: str, query: str, status: int) -> None:
        """Status 0: the connection was dropped or the other side did not answer."""
        self.requests.append(Entry(method, kind, path, query, status, time.time()))

    def note_score(self, line_item_id: str, body: bytes, status: int) -> None:
        """A score that arrived, before it is known whether anybody hears the answer."""
        try:
            sent = json.loads(body)
        except ValueError:
            sent = None
        said = sent if isinstance(sent, dict) else {}
        self.posted.append(
            PostedScore(
                line_item_id,
                str(said.get("userId")),
                said.get("scoreGiven"),
                said.get("scoreMaximum"),
                str(said.get("timestamp")),
                status,
                time.time(),
            )
        )

    def count(
        self, kind: str | None = None, method: str | None = None, status: int | None = None
    ) -> int:
        return sum(
            1
            for entry in list(self.requests)
            if (kind is None or entry.kind == kind)
            and (method is None or entry.method == method)
            and (status is None or entry.status == status)
        )

    def clear(self) -> None:
        self.requests.clear()
        self.scores.clear()
        self.posted.clear()
        self.edits.clear()
