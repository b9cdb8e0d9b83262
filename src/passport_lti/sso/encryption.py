"""An assertion that only Coursera can read: AES-256-GCM, its key sealed with RSA-OAEP.

XML Encryption 1.1, sections 4.4, 5.2.4 and 5.5.2. No package does this without a C library that
has to fit lxml's; it is two calls of `cryptography` and the elements around them.
"""

import secrets
from base64 import b64encode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from lxml import etree

from passport_lti.sso.names import DS, SAML, XENC, tag

_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
_SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"


def encrypted(assertion: etree._Element, certificate: x509.Certificate) -> etree._Element:
    """The EncryptedAssertion in the place of a signed assertion."""
    recipient = certificate.public_key()
    assert isinstance(recipient, RSAPublicKey)
    key, start = AESGCM.generate_key(256), secrets.token_bytes(12)
    content = start + AESGCM(key).encrypt(start, etree.tostring(assertion), None)
    # OAEP's hash need not resist collisions: SHA-1 is sound here, and all that every SP knows.
    sealed = recipient.encrypt(key, OAEP(MGF1(SHA1()), SHA1(), None))

    root = etree.Element(tag(SAML, "EncryptedAssertion"), nsmap={"saml": SAML})
    data = etree.SubElement(root, tag(XENC, "EncryptedData"), nsmap={"xenc": XENC})
    data.set("Type", f"{XENC}Element")
    etree.SubElement(data, tag(XENC, "EncryptionMethod"), Algorithm=_GCM)
    info = etree.SubElement(data, tag(DS, "KeyInfo"), nsmap={"ds": DS})
    wrapped = etree.SubElement(info, tag(XENC, "EncryptedKey"))
    method = etree.SubElement(wrapped, tag(XENC, "EncryptionMethod"), Algorithm=_OAEP)
    etree.SubElement(method, tag(DS, "DigestMethod"), Algorithm=_SHA1)
    _cipher(wrapped, sealed)
    _cipher(data, content)
    return root


def _cipher(parent: etree._Element, value: bytes) -> None:
    data = etree.SubElement(parent, tag(XENC, "CipherData"))
    etree.SubElement(data, tag(XENC, "CipherValue")).text = b64encode(value).decode()
