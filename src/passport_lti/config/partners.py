"""Coursera as a SAML service provider: what it says of itself, in its metadata or by hand."""

import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from passport_lti.markup import parsed

LARGEST = 1024 * 1024
"""Bytes of a metadata file."""
_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_CERTIFICATE = ".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def with_metadata(values: Any) -> Any:
    """The settings, completed with what the metadata file names; what stands by hand wins.

    Raises ValueError with the key and what is wrong.
    """
    if not isinstance(values, dict) or not isinstance(values.get("metadata"), str):
        return values
    found = _read(values["metadata"])
    return {**found, **{key: value for key, value in values.items() if value is not None}}


def _read(path: str) -> dict[str, str]:
    try:
        document = Path(path).read_bytes()
    except (OSError, ValueError):
        raise ValueError(f"metadata: the file {path} can't be read") from None
    if len(document) > LARGEST:
        raise ValueError("metadata: expected a file of less than 1 MiB")
    try:
        root = parsed(document)
    except ValueError as error:
        raise ValueError(f"metadata: expected SAML metadata in XML ({error})") from None
    role = root.find(f"{_MD}SPSSODescriptor") if root.tag == f"{_MD}EntityDescriptor" else None
    if role is None:
        raise ValueError("metadata: expected the metadata of one service provider")
    services = [
        place
        for place in role.findall(f"{_MD}AssertionConsumerService")
        if place.get("Binding") == _POST and place.get("Location")
    ]
    if not services:
        raise ValueError("metadata: it names no AssertionConsumerService for HTTP-POST")
    chosen = next((s for s in services if s.get("isDefault") in ("true", "1")), services[0])
    found = {"entity_id": root.get("entityID", ""), "acs_url": chosen.get("Location", "").strip()}
    keys = role.findall(f"{_MD}KeyDescriptor")
    # The first one encrypts: those that are meant only for that stand in front.
    keys.sort(key=lambda key: {"encryption": 0, None: 1}.get(key.get("use"), 2))
    pems = [_pem(node.text or "") for key in keys for node in key.iterfind(_CERTIFICATE)]
    if pems:
        found["certificate"] = "".join(pems)
    return found


def _pem(text: str) -> str:
    body = re.sub(r"\s+", "", text)
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def certificates(value: Any) -> Any:
    """PEM text with one certificate or more, each with an RSA key. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        found = x509.load_pem_x509_certificates(value.encode())
        keys = [certificate.public_key() for certificate in found]
    except ValueError:
        raise ValueError("expected a certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
    if not all(isinstance(key, RSAPublicKey) and key.key_size >= 2048 for key in keys):
        raise ValueError("expected the certificate of an RSA key of 2048 bits or more")
    return value
