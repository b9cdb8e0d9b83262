"""What a test looks at before and after a message: log lines, tables, calls."""

import logging
from dataclasses import dataclass, field

from passport_lti.logs import _Text


@dataclass
class Lines(logging.Handler):
    """The log lines that the tool would write to stderr."""

    kept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.setFormatter(_Text())

    __hash__ = logging.Handler.__hash__

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(self.format(record))


@dataclass
class Before:
    """What stood before the last message."""

    tables: dict[str, list[str]]
    calls: int
    secret: list[str]
