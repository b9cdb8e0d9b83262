"""Encryption at rest with a key derived from `tool.secret_key`."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from passport_lti.errors import PassportError


@lru_cache(maxsize=8)
def sealer(secret: str) -> Fernet:
    """The cipher for one secret key; its key serves nothing else."""
    derived = HKDF(SHA256(), 32, salt=None, info=b"passport-lti at rest").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def opened(secret: str, pem: bytes, otherwise: str) -> RSAPrivateKey:
    """A sealed private key as an object. Raises PassportError `otherwise` for another secret's."""
    try:
        key = load_pem_private_key(sealer(secret).decrypt(pem), password=None)
    except InvalidToken:
        raise PassportError(otherwise) from None
    assert isinstance(key, RSAPrivateKey)
    return key
