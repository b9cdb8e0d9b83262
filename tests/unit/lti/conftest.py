"""A tool on an empty database, and a tiny platform that speaks real HTTP."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask import Flask, Response, request
from jwt.algorithms import RSAAlgorithm

from passport_lti.config import Config
from passport_lti.extensions import db
from passport_lti.http import Session
from passport_lti.lti.claims import CLAIM, DEEP_LINKING
from passport_lti.lti.launch import Verified, verify
from passport_lti.lti.oidc import begin_login
from passport_lti.lti.platforms import apply_config
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform
from passport_lti.sandbox.serving import serve
from passport_lti.sync.arrivals import accept
from passport_lti.sync.familiar import Accepted

BASE = "https://passport.example.edu"
KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def jwk(key: rsa.RSAPrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    made = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return {**made, "kid": kid, "use": "sig", "alg": "RS256", **more}


@dataclass
class Call:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class TinyPlatform:
    """Answers by path: a value (JSON), a Response, or a function of nothing."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    tokens: int = 0

    def count(self, path: str) -> int:
        return sum(call.path == path for call in self.calls)

    def app(self) -> Flask:
        app = Flask("tiny", root_path="/")

        @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
        def answer(path: str) -> Any:
            self.calls.append(
                Call(
                    request.method,
                    f"/{path}",
                    request.query_string.decode(),
                    dict(request.headers),
                    request.get_data(),
                )
            )
            found = self.answers.get(f"{request.method} /{path}", self.answers.get(f"/{path}"))
            if found is None:
                return Response("nothing here", 404)
            if callable(found) and not isinstance(found, Response):
                found = found()
            if isinstance(found, Response):
                return found
            return Response(json.dumps(found), content_type="application/json")

        return app

    def token(self) -> Response:
        self.tokens += 1
        body = {
            "access_token": f"token-{self.tokens}",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": parse_qs(self.calls[-1].body.decode())["scope"][0],
        }
        return Response(json.dumps(body), content_type="text/html")


@dataclass
class Clock:
    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class World:
    """The tool, its platform, and the steps of a launch."""

    tool: Tool
    there: TinyPlatform
    clock: Clock
    configure: Callable[..., Config]
    config: Config
    keys: tuple[rsa.RSAPrivateKey, ...] = tuple(KEYS)

    @staticmethod
    def jwk(key: rsa.RSAPrivateKey, kid: str, **more: Any) -> dict[str, Any]:
        return jwk(key, kid, **more)

    @staticmethod
    def raw_signature(signed: str) -> bytes:
        return KEYS[0].sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())

    @property
    def platform(self) -> Platform:
        return db.session.query(Platform).filter_by(name="campus").one()

    def login(self, **params: str) -> tuple[dict[str, str], dict[str, str]]:
        """(query of the auth request, cookies)."""
        start = begin_login(
            self.tool,
            {
                "iss": self.there.url,
                "login_hint": "4",
                "target_link_uri": f"{BASE}/lti/launch",
                "client_id": "client-1",
                **params,
            },
        )
        query = {k: v[0] for k, v in parse_qs(urlsplit(start.url).query).items()}
        return query, {start.cookie_name: start.cookie_value}

    def claims(self, issued: str, **changes: Any) -> dict[str, Any]:
        """A learner's launch; `None` removes a claim, a timedelta is a time from now."""
        now = int(time.time())
        changes = {
            name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
            for name, value in changes.items()
        }
        claims: dict[str, Any] = {
            "iss": self.there.url,
            "aud": "client-1",
            "sub": "4",
            "iat": now,
            "exp": now + 60,
            "nonce": issued,
            "name": "Amy Ant",
            "email": "amy@example.edu",
            CLAIM + "deployment_id": "1",
            CLAIM + "message_type": "LtiResourceLinkRequest",
            CLAIM + "version": "1.3.0",
            CLAIM + "target_link_uri": f"{BASE}/lti/launch",
            CLAIM + "roles": [ROLE + "Learner"],
            CLAIM + "resource_link": {"id": "7", "title": "Course"},
            CLAIM + "context": {"id": "2", "label": "C2", "title": "Context 2"},
            CLAIM + "custom": {"context_history": "1", "left": "$Unknown.variable"},
        }
        for name, value in changes.items():
            key = name if name in claims or name in ("azp", "nbf") else CLAIM + name
            if name == "deep_linking_settings":
                key = DEEP_LINKING
            if value is None:
                claims.pop(key, None)
            else:
                claims[key] = value
        return claims

    def sign(self, claims: Any, headers: dict[str, Any] | None = None, key: Any = KEYS[0]) -> str:
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "k1", **(headers or {})})

    def launch(self, **changes: Any) -> Verified:
        query, cookies = self.login()
        form = {
            "id_token": self.sign(self.claims(query["nonce"], **changes)),
            "state": query["state"],
        }
        return self.verify(form, cookies)

    def verify(self, form: dict[str, str], cookies: dict[str, str]) -> Verified:
        with db.engine.connect() as connection:
            return verify(self.tool, connection, form, cookies)

    def accept(self, verified: Verified, correlation_id: str = "c1") -> Accepted:
        with db.engine.connect() as connection:
            return accept(connection, verified, correlation_id, self.clock())


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    there = TinyPlatform()
    app = Flask("lti", root_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db.init_app(app)
    clock = Clock()
    with serve(there.app()) as server, app.app_context(), Session() as http:
        there.url = server.url
        there.answers["/certs"] = {"keys": [jwk(KEYS[0], "k1")]}
        there.answers["/token"] = there.token
        db.create_all()

        def configure(base: str = BASE, **platform: Any) -> Config:
            return Config.model_validate(
                {
                    "tool": {"base_url": base, "secret_key": "s" * 32},
                    "coursera": {
                        "main": {"org_id": "y0TO1t4fEe2bIBLACu-NKQ", "api_key": "k",
                                 "api_secret": "s"}
                    },
                    "platforms": {
                        "campus": {
                            "issuer": there.url,
                            "client_id": "client-1",
                            "deployment_ids": ["1"],
                            "auth_login_url": f"{there.url}/auth?site=1",
                            "auth_token_url": f"{there.url}/token",
                            "key_set_url": f"{there.url}/certs",
                            "coursera": "main",
                            **platform,
                        }
                    },
                }
            )  # fmt: skip

        config = configure()
        apply_config(config, clock())
        world = World(Tool(lambda: world.config, http, clock), there, clock, configure, config)
        yield world
        db.session.remove()
        db.engine.dispose()
