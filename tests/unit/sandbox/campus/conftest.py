"""A campus with a context, and a tool of a few lines (PyJWT, no product code) that talks to it."""

import functools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, redirect, request
from jwt.algorithms import RSAAlgorithm

from passport_lti.sandbox.campus import Activity, Campus, Context, Person, Tool
from passport_lti.sandbox.serving import serve

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
ALL_SCOPES = " ".join(
    [
        *(AGS + name for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")),
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
    ]
)
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"


class ThrowawayTool:
    """Remembers the last message as `claims` and the last form as `form`."""

    def __init__(self) -> None:
        self.key, self.kid = _first_key(), "one"
        self.form: dict[str, str] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.content: list[dict[str, Any]] = []  # returned by the next deep linking
        self.auth: dict[str, str] = {}  # changes to the next auth requests
        self.campus: Campus | None = None
        self.tool: Tool | None = None
        self.app = Flask("throwaway_tool")
        self.app.add_url_rule("/lti/login", view_func=self._login, methods=["GET", "POST"])
        self.app.add_url_rule("/lti/launch", view_func=self._launch, methods=["POST"])
        self.app.add_url_rule("/lti/jwks.json", view_func=self._jwks)

    def new_key(self, kid: str) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = kid

    def sign(self, claims: Mapping[str, Any], **headers: Any) -> str:
        return jwt.encode(dict(claims), self.key, "RS256", headers={"kid": self.kid, **headers})

    def ask_token(self, scope: str = ALL_SCOPES, **claims: Any) -> requests.Response:
        """One token request; `claims` change the assertion, None leaves one out."""
        assert self.tool is not None
        now = int(time.time())
        body = {
            "iss": self.tool.client_id,
            "sub": self.tool.client_id,
            "aud": self.tool.auth_token_url,
            "iat": now - 5,
            "exp": now + 60,
            "jti": "x",
        }
        body = {k: v for k, v in {**body, **claims}.items() if v is not None}
        return self.post_form(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION,
                "client_assertion": self.sign(body),
                "scope": scope,
            }
        )

    def post_form(self, form: Mapping[str, str]) -> requests.Response:
        assert self.tool is not None
        return requests.post(
            self.tool.auth_token_url, form, headers={"Connection": "close"}, timeout=10
        )

    def token(self, scope: str = ALL_SCOPES) -> str:
        return str(self.ask_token(scope).json()["access_token"])

    def call(
        self,
        method: str,
        url: str,
        token: str | None = None,
        json: Any = None,
        accept: str | None = None,
        content_type: str | None = None,
        data: str | None = None,
    ) -> requests.Response:
        """One service request with a fresh token unless one is given."""
        headers: dict[str, str | None] = {
            "Authorization": f"Bearer {self.token() if token is None else token}",
            "Accept": accept,
            "Connection": "close",
        }
        if content_type:
            headers["Content-Type"] = content_type
        return requests.request(
            method,
            url,
            headers={k: v for k, v in headers.items() if v is not None},
            json=json,
            data=data,
            timeout=10,
        )

    def score(self, line_item_url: str, token: str | None = None, **fields: Any) -> int:
        """Post a score, stamped now unless told otherwise; the status. None leaves a field out."""
        path, _, query = line_item_url.partition("?")
        body = {
            "timestamp": stamp(0),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreMaximum": 100,
            **fields,
        }
        body = {k: v for k, v in body.items() if v is not None}
        url = f"{path}/scores?{query}"
        return self.call("POST", url, token, body, content_type=SCORE_TYPE).status_code

    def results(self, line_item_url: str, query: str = "") -> requests.Response:
        path, _, own = line_item_url.partition("?")
        return self.call("GET", f"{path}/results?{own}{query}")

    def _jwks(self) -> dict[str, Any]:
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": self.kid, "alg": "RS256", "use": "sig"}]}

    def _login(self) -> Any:
        params = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": request.values["client_id"],
            "redirect_uri": f"{request.host_url}lti/launch",
            "login_hint": request.values["login_hint"],
            "lti_message_hint": request.values["lti_message_hint"],
            "nonce": "n-1",
            "state": "s-1",
            **self.auth,
        }
        params = {name: value for name, value in params.items() if value}
        answer = redirect(f"{request.values['iss']}/mod/lti/auth.php?{urlencode(params)}")
        answer.set_cookie("tool_state", "s-1")
        return answer

    def _launch(self) -> Any:
        self.form = {**request.form.to_dict(), "cookie": request.cookies.get("tool_state", "")}
        if "id_token" not in request.form:
            return "<title>Refused</title>", 401
        self.header = jwt.get_unverified_header(request.form["id_token"])
        self.claims = jwt.decode(request.form["id_token"], options={"verify_signature": False})
        if DEEP_LINKING not in self.claims:
            return "<title>Launched</title>"
        target = self.claims[DEEP_LINKING]["deep_link_return_url"].replace("&", "&amp;")
        assert self.tool is not None
        now = int(time.time())
        token = self.sign(
            {"iss": self.tool.client_id, "iat": now - 5, "exp": now + 60, ITEMS: self.content}
        )
        return (
            f'<title>Picker</title><form action="{target}" method="post">'
            f'<input type="hidden" name="JWT" value="{token}"><button>Add</button></form>'
        )


@functools.cache
def _first_key() -> rsa.RSAPrivateKey:
    """Made once: a new key takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def stamp(seconds: float) -> str:
    """ISO 8601 in UTC, `seconds` from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


@dataclass
class World:
    """Tara teaches Amy and Ben in one context; one activity "Quiz" with a column of 50 points."""

    campus: Campus
    client: ThrowawayTool
    tool: Tool
    context: Context
    tara: Person
    amy: Person
    ben: Person
    quiz: Activity

    @property
    def line_items_url(self) -> str:
        return f"{self.campus.url}/mod/lti/services.php/{self.context.id}/lineitems?type_id=1"

    def line_item_url(self, key: str = "Quiz") -> str:
        item = self.campus.gradebook(self.context).line_item(key)
        root = f"{self.campus.url}/mod/lti/services.php/{self.context.id}"
        return f"{root}/lineitems/{item.id}/lineitem?type_id=1"

    def value(self, key: str = "Quiz") -> float | None:
        return self.campus.gradebook(self.context)[key, self.amy]

    def score(self, seconds: float = 0, key: str = "Quiz", **fields: Any) -> int:
        """Amy's score, stamped `seconds` from now; the status."""
        fields = {"userId": self.amy.id, "timestamp": stamp(seconds), **fields}
        return self.client.score(self.line_item_url(key), **fields)

    def manual_column(self, label: str = "Manual", **fields: Any) -> str:
        """An uncoupled column made by the tool; its URL."""
        body = {"label": label, "scoreMaximum": 100, **fields}
        answer = self.client.call(
            "POST", self.line_items_url, json=body, content_type=LINE_ITEM_TYPE
        )
        assert answer.status_code == 201
        return str(answer.json()["id"])


@pytest.fixture
def world() -> Iterator[World]:
    campus, client = Campus(), ThrowawayTool()
    with serve(campus.app) as at_campus, serve(client.app) as at_tool:
        campus.url = at_campus.url
        tool = campus.add_tool(at_tool.url)
        client.campus, client.tool = campus, tool
        context = campus.add_context("DATA101", "Data Literacy")
        tara = campus.add_person("Tara", "Teacher")
        amy, ben = campus.add_person("Amy", "Adams"), campus.add_person("Ben", "Brown")
        campus.enrol(context, tara, "instructor")
        campus.enrol(context, amy)
        campus.enrol(context, ben)
        quiz = campus.add_activity(
            context,
            tool,
            "Quiz",
            line_item={"scoreMaximum": 50, "resourceId": "quiz-1", "tag": "quiz"},
        )
        yield World(campus, client, tool, context, tara, amy, ben, quiz)
