"""What was asked of the campus: tests count it, people read it."""

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


class Ledger:
    """Every request and every accepted score, in order."""

    def __init__(self) -> None:
        self.requests: list[Entry] = []
        self.scores: list[AcceptedScore] = []

    def note(self, method: str, kind: str, path: str, query: str, status: int) -> None:
        """Status 0: the connection was dropped or the other side did not answer."""
        self.requests.append(Entry(method, kind, path, query, status, time.time()))

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
