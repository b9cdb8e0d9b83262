"""Calls to a platform's services: PyLTI1p3's connector with shared tokens and typed errors."""

import json
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import requests
import urllib3
from pylti1p3.service_connector import ServiceConnector

from passport_lti.errors import AnswerLost, Conflict, Gone, PassportError, Rejected, RetryLater
from passport_lti.http import retry_after
from passport_lti.lti import keys, tokens
from passport_lti.lti.tool import Tool
from passport_lti.lti.tool_conf import registration_of
from passport_lti.models import Platform

_FORM = "application/x-www-form-urlencoded"
_WORDS = {401: "unauthorised", 403: "forbidden", 404: "not found", 409: "conflict"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its JSON (None without a body) and headers."""

    value: Any
    headers: requests.structures.CaseInsensitiveDict[str]
    url: str


class PlatformService(ServiceConnector):
    """One platform's services. Threads may share it; it holds no database rows.

    `requests` counts the calls made, tokens included; `clock_ahead` is how many seconds the
    platform's clock was last seen ahead of ours.
    """

    def __init__(self, tool: Tool, platform: Platform) -> None:
        super().__init__(registration_of(platform), tool.http)
        self.tool = tool
        self.platform_id = platform.id
        self.requests = 0
        self.clock_ahead = 0.0
        self._clock_offset = 0.0
        self._stamp = _stamp(platform)
        self._is_secure = platform.auth_token_url.startswith("https://")
        self._token_lock = threading.Lock()
        self._silence: RetryLater | None = None
        self._silences = 0
        self._count_lock = threading.Lock()

    def serves(self, platform: Platform) -> bool:
        """Whether the platform's addresses are still those that this was made from."""
        return self._stamp == _stamp(platform)

    def get(self, url: str, scope: str, accept: str) -> Answer:
        return self._call("GET", url, scope, {"Accept": accept})

    def post(self, url: str, scope: str, content_type: str, value: Any, accept: str = "") -> Answer:
        headers = {"Content-Type": content_type, "Accept": accept or content_type}
        return self._call("POST", url, scope, headers, value)

    def put(self, url: str, scope: str, content_type: str, value: Any) -> Answer:
        headers = {"Content-Type": content_type, "Accept": content_type}
        return self._call("PUT", url, scope, headers, value)

    def delete(self, url: str, scope: str) -> Answer:
        return self._call("DELETE", url, scope, {})

    def get_access_token(self, scopes: Sequence[str]) -> str:
        """A bearer token for these scopes, from the store or from the platform."""
        kept = tokens.stored(self.tool, self.platform_id, scopes)
        if kept:
            return kept
        silences = self._silences
        with self._token_lock, tokens.turn(self.tool, self.platform_id, scopes):
            kept = tokens.stored(self.tool, self.platform_id, scopes)
            if kept:
                return kept
            if self._silences != silences and self._silence is not None:
                # Who waited for somebody that got no token does not wait once more: where a
                # platform is silent, its connections would do so one after the other.
                raise self._silence
            try:
                answer = self._ask_for_token(scopes)
                return tokens.store(self.tool, self.platform_id, scopes, answer)
            except RetryLater as error:
                self._silence, self._silences = error, self._silences + 1
                raise

    def _ask_for_token(self, scopes: Sequence[str]) -> dict[str, Any]:
        """Ask for a token, by the platform's clock once its first answer has shown that."""
        offset = self._clock_offset
        answer = self._request_token(scopes, offset)
        if answer.status_code in (400, 401, 403) and abs(self._clock_offset - offset) > 5:
            answer = self._request_token(scopes, self._clock_offset)
        return tokens.understood(answer, self.tool.clock().timestamp())

    def _request_token(self, scopes: Sequence[str], offset: float) -> requests.Response:
        registration = self._registration
        now = int(self.tool.clock().timestamp() + offset)
        url = registration.get_auth_token_url() or ""
        try:
            key = keys.active_key(self.tool)
        except PassportError as error:
            raise Rejected("token_refused", str(error)) from None
        assertion = jwt.encode(
            {
                "iss": registration.get_client_id(),
                "sub": registration.get_client_id(),
                "aud": registration.get_auth_audience() or url,
                # Moodle has no leeway: one second in its future is refused.
                "iat": now - 10,
                "exp": now + 60,
                "jti": uuid.uuid4().hex,
            },
            key.private_key,
            algorithm="RS256",
            headers={"kid": key.kid},
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            "scope": " ".join(scopes),
        }
        headers = {"Accept": "application/json", "Content-Type": _FORM}
        return self._send("POST", url, headers, urlencode(form), repeatable=True)

    def _call(
        self, method: str, url: str, scope: str, headers: dict[str, str], value: Any = None
    ) -> Answer:
        """One call with a token; a 401 drops the token and tries a second time."""
        if self._is_secure and not url.startswith("https://"):
            raise Rejected("refused", "the address of a service is less safe than the platform's")
        body = None if value is None else json.dumps(value, allow_nan=False)
        for attempt in (1, 2):
            token = self.get_access_token([scope])
            bearer = {"Authorization": f"Bearer {token}", **headers}
            answer = self._send(method, url, bearer, body, repeatable=method in ("GET", "PUT"))
            if answer.status_code != 401:
                break
            tokens.drop(self.tool, self.platform_id, [scope], token)
            if attempt == 2:
                raise Rejected("token_refused", "the platform refuses a fresh access token")
        _raise_for(answer, method, self.tool.clock().timestamp())
        return Answer(_json(answer, method), answer.headers, url)

    def _send(
        self, method: str, url: str, headers: dict[str, str], body: str | None, *, repeatable: bool
    ) -> requests.Response:
        with self._count_lock:
            self.requests += 1
        try:
            answer = self.tool.http.call(method, url, headers, body)
        except requests.ConnectionError as error:
            if _never_sent(error):
                raise RetryLater("platform_down", "the platform can't be reached") from None
            lost = RetryLater if repeatable else AnswerLost
            raise lost("platform_down", "the platform broke the connection") from None
        except requests.RequestException as error:
            lost = RetryLater if repeatable else AnswerLost
            raise lost("platform_down", f"no answer: {type(error).__name__}") from None
        self._note_clock(answer)
        return answer

    def _note_clock(self, answer: requests.Response) -> None:
        try:
            there = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        ahead = there - self.tool.clock().timestamp()
        self.clock_ahead = ahead if 1 < ahead < 86_400 else 0.0
        self._clock_offset = ahead if abs(ahead) < 86_400 else 0.0


def _raise_for(answer: requests.Response, method: str, now: float) -> None:
    """Translate a status into what the caller does next."""
    status = answer.status_code
    if status in (200, 201, 202, 204):
        return
    lost = RetryLater if method in ("GET", "PUT") else AnswerLost
    detail = f"the platform answered {status} {_WORDS.get(status, '')}".strip()
    if status == 429:
        raise RetryLater("rate_limited", detail, retry_after(answer, now))
    if status == 503:
        raise RetryLater("platform_down", detail, retry_after(answer, now))
    if status in (408, 425, 502, 504) or 300 <= status < 400:
        raise lost("bad_gateway" if status == 502 else "platform_down", detail)
    if status >= 500:
        raise RetryLater("server_error", detail)
    if status == 404:
        # A page is a web server or a proxy speaking, perhaps in the middle of an upgrade.
        is_page = "html" in answer.headers.get("Content-Type", "")
        raise Gone("page_missing" if is_page else "column_gone", detail)
    if status == 409:
        raise Conflict("conflict", detail)
    raise Rejected({401: "token_refused", 403: "forbidden"}.get(status, "refused"), detail)


def _json(answer: requests.Response, method: str) -> Any:
    """The body; anything but JSON in a success is a proxy or a login page speaking."""
    if not answer.content.strip():
        return None
    lost = RetryLater if method in ("GET", "PUT") else AnswerLost
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise lost("platform_down", "the answer is not the platform's") from None
    if isinstance(value, dict) and (value.get("error") or value.get("errors")):
        raise lost("platform_down", "the answer says 200 and speaks of an error")
    return value


def _never_sent(error: requests.ConnectionError) -> bool:
    """Whether no connection came about: name, port, time-out or certificate."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _stamp(platform: Platform) -> tuple[str | None, ...]:
    return (
        platform.issuer,
        platform.client_id,
        platform.auth_token_url,
        platform.auth_audience,
    )
