"""A tool of a few lines, with PyJWT and no product code: what the campus's own tests talk to."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, redirect, request
from jwt.algorithms import RSAAlgorithm

from passport_lti.sandbox.campus import Campus, Tool

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
        self.new_key("one")
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


def stamp(seconds: float) -> str:
    """ISO 8601 in UTC, `seconds` from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
