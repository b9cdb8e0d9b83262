"""Tokens of both generations of the API."""

import hmac
import time
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from passport_lti.sandbox.coursera.errors import ApiError

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

LIFE = 1799
OLD_LIFE = 1800


def create_tokens(coursera: "PracticeCoursera") -> Blueprint:
    tokens = Blueprint("tokens", __name__)

    def known() -> bool:
        basic = request.authorization
        given = (
            (basic.username or "", basic.password or "")
            if basic is not None and basic.type == "basic"
            else (request.form.get("client_id", ""), request.form.get("client_secret", ""))
        )
        right = (coursera.credentials.api_key, coursera.credentials.api_secret)
        return all(
            hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, right, strict=True)
        )

    def issue(life: int) -> str:
        with coursera.lock:
            token = coursera.ids.secret(28)
            coursera.tokens[token] = coursera.now() / 1000 + life
            return token

    @tokens.post("/oauth2/client_credentials/token", endpoint="token")
    def client_credentials() -> Any:
        if request.form.get("grant_type") != "client_credentials":
            return Response("unsupported_grant_type", 400, mimetype="text/plain")
        if not known():
            return Response("invalid_client", 401, mimetype="text/plain")
        return jsonify(
            token_type="Bearer",
            access_token=issue(LIFE),
            grant_type="client_credentials",
            issued_at=coursera.now() // 1000,
            expires_in=LIFE,
        )

    @tokens.post("/oauth2/v1/token", endpoint="token-old")
    def refresh() -> Any:
        if not known():
            return Response("invalid_client", 401, mimetype="text/plain")
        if request.form.get("grant_type") != "refresh_token" or not hmac.compare_digest(
            request.form.get("refresh_token", "").encode(),
            coursera.credentials.refresh_token.encode(),
        ):
            return Response("invalid_grant", 400, mimetype="text/plain")
        return jsonify(access_token=issue(OLD_LIFE), token_type="Bearer", expires_in=OLD_LIFE)

    return tokens


def check(coursera: "PracticeCoursera", org_id: str) -> None:
    """Raises ApiError 401, 403, 400 or 404 for a request that may not ask this organisation."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    until = coursera.tokens.get(token.strip(), 0) if kind.lower() == "bearer" else 0
    if until <= coursera.now() / 1000:
        raise ApiError(401, "UNAUTHORIZED", "Invalid or expired access token")
    if org_id == coursera.credentials.org_id:
        return
    if len(org_id) != 22:
        raise ApiError(400, "BAD_REQUEST", "The organization id is not an id; is it a slug?")
    raise ApiError(404, "NOT_FOUND", "Unknown organization")


def slow_down(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)
