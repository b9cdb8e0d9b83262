"""Tokens that no honest platform makes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from conformance.tokens import encoded, signed

Make = Callable[[dict[str, Any], dict[str, Any], Any], str]

STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""A key that belongs to nobody here."""


def public_jwk(key: Any, **changes: Any) -> dict[str, Any]:
    """The public half of a key, as a key set lists it."""
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "n": jwk["n"], "e": jwk["e"], **changes}


def unsigned(alg: str, mark: str = "") -> Make:
    """No signature at all, and a header that says so."""

    def make(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        return f"{encoded({**header, 'alg': alg})}.{encoded(claims)}.{mark}"

    return make


def shared_secret(encoding: str) -> Make:
    """HS256, keyed with what everybody can read: the platform's public key."""

    def make(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        secret = {
            "pem": key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            "pkcs1": key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
            ),
            "jwk": json.dumps(public_jwk(key)).encode(),
            "empty": b"",
        }[encoding]
        text = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
        return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    return make


def algorithm(alg: str) -> Make:
    """Signed correctly, with another algorithm than the registered one."""

    def make(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        if alg.startswith("ES"):
            key = ec.generate_private_key(ec.SECP256R1())
        return jwt.encode(claims, key, algorithm=alg, headers={"kid": header["kid"]})

    return make


def pieces(change: Callable[[str], str]) -> Make:
    """A good token, damaged as text."""
    return lambda header, claims, key: change(signed(header, claims, key))


def payload(change: Callable[[dict[str, Any]], bytes]) -> Make:
    """A good signature over a payload that is no honest JSON."""
    return lambda header, claims, key: signed(header, change(claims), key)


def text_of(claims: dict[str, Any], **raw: str) -> bytes:
    """The claims as JSON, some of them (by their JSON name) written as raw text."""
    members = [f"{json.dumps(k)}:{json.dumps(v)}" for k, v in claims.items() if k not in raw]
    members += [f"{json.dumps(name)}:{value}" for name, value in raw.items()]
    return ("{" + ",".join(members) + "}").encode()


def flipped(token: str) -> str:
    """One bit of the signature is another."""
    head, body, mark = token.split(".")
    data = bytearray(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
    data[-1] ^= 1
    return f"{head}.{body}.{encoded(bytes(data))}"
