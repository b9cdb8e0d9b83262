"""The campus's signing key, and what it knows of the tools' keys."""

import json
import secrets
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options

from passport_lti.sandbox.campus.ledger import Ledger
from passport_lti.sandbox.campus.state import Tool

ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]

# The rest is checked here (with the campus's clock and no leeway) or, as in Moodle, not at all.
_SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class BadToken(Exception):
    """The JWT of a tool is refused; the text is what Moodle would say."""


class SigningKey:
    """One RSA key with its id."""

    def __init__(self) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = secrets.token_hex(10)

    def public_jwk(self) -> dict[str, str]:
        full = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {
            "kty": "RSA",
            "alg": "RS256",
            "kid": self.kid,
            "e": full["e"],
            "n": full["n"],
            "use": "sig",
        }


class ToolKeys:
    """Key sets of tools: cached without expiry, read again only when a check fails."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._cached: dict[str, dict[str, Any]] = {}

    def forget(self) -> None:
        self._cached.clear()

    def checked(self, tool: Tool, token: str, now: int) -> dict[str, Any]:
        """Claims of a JWT signed by `tool`; BadToken if it is not good at `now` (no leeway)."""
        keys = self._cached.get(tool.client_id)
        if keys is not None:
            try:
                return _claims(token, keys, now)
            except BadToken:
                pass  # perhaps the tool has a new key
        keys = self._cached[tool.client_id] = self._read(tool)
        return _claims(token, keys, now)

    def _read(self, tool: Tool) -> dict[str, Any]:
        try:
            with requests.get(
                tool.jwks_url,
                timeout=10,
                headers={
                    "User-Agent": f"MoodleBot/4.5 (+{tool.campus.url})",
                    "Connection": "close",
                },
            ) as answer:
                status, keys = answer.status_code, answer.json()
        except (requests.RequestException, ValueError) as error:
            self._ledger.note("GET", "tool_jwks", tool.jwks_url, "", 0)
            raise BadToken("Unable to fetch keyset") from error
        self._ledger.note("GET", "tool_jwks", tool.jwks_url, "", status)
        if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
            raise BadToken("Unable to fetch keyset")
        return keys


def unverified_claims(token: str) -> dict[str, Any]:
    """What a JWT says, before anybody has checked it."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise BadToken("Wrong number of segments") from error
    return claims


def _claims(token: str, keys: dict[str, Any], now: int) -> dict[str, Any]:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise BadToken("Wrong number of segments") from error
    jwk = next((key for key in keys["keys"] if kid and key.get("kid") == kid), None)
    if jwk is None:
        # Moodle forgets to escape these quotes: the error answer is no valid JSON then.
        raise BadToken('"kid" invalid, unable to lookup correct key')
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(jwk, algorithm=jwk.get("alg") or "RS256").key,
            algorithms=ALGORITHMS,
            options=_SIGNATURE_ONLY,
        )
    except jwt.PyJWTError as error:
        raise BadToken("Signature verification failed") from error
    for name in ("nbf", "iat"):
        if isinstance(claims.get(name), int | float) and claims[name] > now:
            raise BadToken(f"Cannot handle token with {name} prior to {claims[name]}")
    if isinstance(claims.get("exp"), int | float) and now >= claims["exp"]:
        raise BadToken("Expired token")
    return claims
