"""Sessions of people at the campus, kept on the server behind a MoodleSession cookie."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from passport_lti.sandbox.campus.state import Person

COOKIE = "MoodleSession"


@dataclass(eq=False)
class Visit:
    """One browser. `launches` are message hints not used yet, `drafts` content not saved yet."""

    key: str
    person: Person | None = None
    sesskey: str = field(default_factory=lambda: secrets.token_hex(5))
    launches: dict[str, dict[str, Any]] = field(default_factory=dict)
    drafts: dict[str, Any] = field(default_factory=dict)


class Visits:
    """All open visits by cookie value."""

    def __init__(self) -> None:
        self._open: dict[str, Visit] = {}

    def find(self, key: str | None) -> Visit | None:
        return self._open.get(key or "")

    def begin(self, person: Person | None = None) -> Visit:
        visit = Visit(secrets.token_hex(13), person)
        self._open[visit.key] = visit
        return visit

    def end(self, visit: Visit) -> None:
        self._open.pop(visit.key, None)

    def end_all(self) -> None:
        """Every session expires."""
        self._open.clear()
