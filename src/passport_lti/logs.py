"""One line per outcome on stderr, as text or JSON; every line carries the correlation id."""

import json
import logging
import re
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


_PRIVATE = re.compile(
    r"(?:eyJ|\.eJ)[\w-]+(?:\.[\w-]*)*"  # tokens, states and sessions, plain or compressed
    r"|(?<=Bearer )\S+"
    r"|(?<=Basic )\S+"
    r"|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password in an address
)


_SIGNS = ("eyJ", ".eJ", "Bearer ", "Basic ", "@")
"""One of them is in all that `_PRIVATE` finds; nearly all lines have none, and are not searched."""


def redacted(line: str) -> str:
    """A line without what must never be logged, wherever it came from: a last line of defence."""
    return _PRIVATE.sub("…", line) if any(sign in line for sign in _SIGNS) else line


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # A line break in a value must not look like a line of ours.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_time(record)} {record.levelname.lower()} [{correlation.get()}] {message}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redacted(line)


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
        return redacted(json.dumps(line))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class _Stderr(logging.Handler):
    """Whatever stderr is at the moment: a server may reopen it, a test may capture it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201


def _in_one_line(record: logging.LogRecord) -> bool:
    """Say what the file cache says in our way; it shows a traceback where a disk is full."""
    if "cachelib" not in record.pathname:
        return True
    error = record.exc_info[1] if record.exc_info else None
    why = getattr(error, "strerror", None) or record.getMessage()
    logging.getLogger(ROOT).warning("the cache can't be used: %s", why)
    return False


def set_up(settings: Log) -> None:
    """Send this program's lines to stderr; called again, it applies changed settings."""
    logger = logging.getLogger(ROOT)
    for before in [h for h in logger.handlers if isinstance(h, _Stderr)]:
        logger.removeHandler(before)
    handler = _Stderr()
    handler.setFormatter(_Json() if settings.format == "json" else _Text())
    logger.addHandler(handler)
    logger.setLevel(settings.level.upper())
    logging.getLogger().addFilter(_in_one_line)
