"""A platform that registers in bad faith."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from conformance.bench import Bench

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
NAMES = (f"p{number}" for number in range(10_000))


@dataclass
class Evil:
    """A server that answers as an attacker would; `asked` are the paths that were visited."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        status, headers, body = self.answers.get(path, ("404 Not Found", [], b""))
        start(status, headers)
        return body() if callable(body) else [body]

    def answer(self, path: str, value: Any, status: str = "200 OK", **headers: str) -> None:
        body = value if isinstance(value, bytes) or callable(value) else json.dumps(value).encode()
        self.answers[path] = (status, list(headers.items()), body)

    def document(self, **changes: Any) -> dict[str, Any]:
        """A configuration of this server; None removes."""
        found = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/certs",
            "registration_endpoint": f"{self.url}/register",
            **changes,
        }
        return {name: value for name, value in found.items() if value is not None}


def refused(bench: Bench, url: str, document: str, token: str = "token") -> requests.Response:
    """What every refused registration owes."""
    tables = bench.tables()
    query = {"openid_configuration": document, "registration_token": token}
    answer = requests.get(url, params=query, timeout=60)
    assert answer.status_code in (400, 403) and answer.headers["X-LTI-Error"], answer.text
    assert "<h1" in answer.text and "Traceback" not in answer.text
    assert bench.tables() == tables, "nothing is stored, and the invitation is not used"
    return answer
