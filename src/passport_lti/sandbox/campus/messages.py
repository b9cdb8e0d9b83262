"""A request and an answer without a framework: the services answer thousands of them."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Call:
    """An incoming service request."""

    method: str
    path: str
    query: str
    environ: Mapping[str, Any]
    body: bytes

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def params(self) -> dict[str, str]:
        return {k: v[-1] for k, v in parse_qs(self.query, keep_blank_values=True).items()}

    @property
    def accept(self) -> str:
        return str(self.environ.get("HTTP_ACCEPT", ""))

    @property
    def content_type(self) -> str:
        """Without parameters such as charset."""
        return str(self.environ.get("CONTENT_TYPE", "")).partition(";")[0].strip()


@dataclass
class Answer:
    """`reason` is the text of the status line, where Moodle likes to explain itself."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    reason: str = ""

    @property
    def status_line(self) -> str:
        reason = self.reason or responses.get(self.status, "Unknown")
        # A header line is Latin-1 on the wire and must not break.
        safe = reason.replace("\r", " ").replace("\n", " ").encode().decode("latin-1")
        return f"{self.status} {safe[:1000]}"


class Refusal(Exception):
    """A service request ends here with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status_line)
        self.answer = answer


def refuse(status: int, reason: str = "", body: bytes = b"[]") -> Refusal:
    """An error of Moodle's services: the reason is in the status line only."""
    return Refusal(Answer(status, body, "application/json", reason=reason))


def moodle_error(title: str, text: str, status: int = 404) -> Answer:
    """Moodle's HTML error page: 404 whatever went wrong."""
    page = (
        "<!doctype html><html lang='en'><head><title>Error | Practice campus</title></head>"
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></body></html>"
    )
    return Answer(status, page.encode())


def bad_gateway() -> Refusal:
    """What nginx makes of Moodle's status code 0 after an uncaught error."""
    return Refusal(
        Answer(502, b"<html><head><title>502 Bad Gateway</title></head><body></body></html>")
    )
