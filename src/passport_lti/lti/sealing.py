"""Encryption at rest with a key derived from `tool.secret_key`."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@lru_cache(maxsize=8)
def sealer(secret: str) -> Fernet:
    """The cipher for one secret key; its key serves nothing else."""
    derived = HKDF(SHA256(), 32, salt=None, info=b"passport-lti at rest").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
