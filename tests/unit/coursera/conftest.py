"""A tiny Coursera behind HTTP whose answers a test writes itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request

from passport_lti.config.settings import CourseraConnection
from passport_lti.coursera.client import CourseraClient
from passport_lti.http import Session
from passport_lti.sandbox.serving import serve

ORG = "y0TO1t4fEe2bIBLACu-NKQ"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Answer = Any
"""What the fake answers: JSON, a Response, or a function of the request that gives one."""


class Fake:
    """Serves `answers[resource]`; a list is used up one by one, its last entry again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[str] = []
        self.bodies: list[Any] = []
        self.tokens = 0
        self.token_answer: Answer = None
        self.refused_tokens: set[str] = set()
        self.url = ""

    def app(self) -> Flask:
        app = Flask("fake_coursera")
        app.add_url_rule("/oauth2/client_credentials/token", view_func=self.token, methods=["POST"])
        app.add_url_rule(f"/ent/api/businesses.v1/{ORG}", "org", lambda: self.answer("org"))
        app.add_url_rule(
            f"/ent/api/businesses.v1/{ORG}/<path:resource>",
            view_func=self.answer,
            methods=["GET", "POST"],
        )
        app.add_url_rule("/outline/<path:resource>", "outline", self.answer)
        return app

    def token(self) -> Answer:
        assert request.form["grant_type"] == "client_credentials"
        if self.token_answer is not None:
            return _response(self.token_answer)
        if request.authorization is None or request.authorization.password != "secret":
            return Response("invalid_client", 401)
        self.tokens += 1
        return jsonify(access_token=f"t{self.tokens}", expires_in=1799, token_type="Bearer")

    def answer(self, resource: str) -> Answer:
        self.seen.append(request.full_path.partition("?")[2])
        if request.method == "POST":
            self.bodies.append(request.get_json())
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token in self.refused_tokens:
            return Response("expired", 401)
        found = self.answers[resource]
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return _response(found)


def _response(found: Answer) -> Answer:
    if callable(found) and not isinstance(found, Response):
        found = found()
    return found if isinstance(found, Response) else jsonify(found)


@pytest.fixture
def fake() -> Iterator[Fake]:
    found = Fake()
    with serve(found.app()) as server:
        found.url = server.url
        yield found


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the client slept, without sleeping."""
    return []


@pytest.fixture
def make_client(fake: Fake, waits: list[float]) -> Iterator[Callable[..., CourseraClient]]:
    with Session() as http:

        def make(**settings: Any) -> CourseraClient:
            values = {"org_id": ORG, "api_key": "key", "api_secret": "secret", **settings}
            connection = CourseraConnection(api_base=fake.url, **values)
            return CourseraClient("main", connection, http, lambda: NOW, waits.append)

        yield make


@pytest.fixture
def client(make_client: Callable[..., CourseraClient]) -> CourseraClient:
    return make_client()
