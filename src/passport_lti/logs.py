"""One line per outcome on stderr, as text or JSON; every line carries the correlation id."""

import json
import logging
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from passport_lti.config.settings import Log

ROOT = "passport_lti"
correlation: ContextVar[str] = ContextVar("correlation", default="-")


def new_correlation_id() -> str:
    """Twelve hex digits that tie a page, its log lines and its launch together."""
    value = secrets.token_hex(6)
    correlation.set(value)
    return value


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # A line break in a value must not look like a line of ours.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_time(record)} {record.levelname.lower()} [{correlation.get()}] {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "correlation": correlation.get(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def set_up(settings: Log) -> None:
    """Send this program's lines to stderr; called again, it applies changed settings."""
    logger = logging.getLogger(ROOT)
    for handler in [h for h in logger.handlers if getattr(h, "is_ours", False)]:
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.is_ours = True  # type: ignore[attr-defined]
    handler.setFormatter(_Json() if settings.format == "json" else _Text())
    logger.addHandler(handler)
    logger.setLevel(settings.level.upper())
