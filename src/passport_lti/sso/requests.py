"""Coursera's requests: read by either binding, believed only as far as they are checked."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException

from passport_lti.config import Config
from passport_lti.errors import SignOnRefused
from passport_lti.markup import parsed
from passport_lti.sso.names import DS, PERSISTENT, POST, SAML, SAMLP, UNSPECIFIED, tag
from passport_lti.sso.providers import ServiceProvider, asking

LARGEST_PARAMETER = 32 * 1024
"""Characters of SAMLRequest; real ones have about a thousand."""
LARGEST_DOCUMENT = 64 * 1024
"""Bytes of a request, unpacked."""
LONGEST_RELAY = 2048
WITHIN = timedelta(minutes=5)
"""How old a request may be: it comes by a redirect that nobody has to click."""
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_HASHES: dict[str, type[HashAlgorithm]] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": SHA384,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": SHA512,
}
_STRICT = SignatureConfiguration(
    location="./",
    expect_references=1,
    signature_methods=frozenset(
        (SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512)
    ),
    digest_algorithms=frozenset(
        (DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512)
    ),
    ignore_ambiguous_key_info=True,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it came. `signed` is what a redirect's signature covers, byte by byte."""

    document: bytes
    relay_state: str = ""
    signed: bytes = b""
    algorithm: str = ""
    signature: bytes = b""
    by_post: bool = False


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A request that may be answered, for its provider's only address."""

    id: str
    provider: ServiceProvider
    relay_state: str
    is_passive: bool
    force_authn: bool


def from_redirect(query: bytes) -> Message:
    """By the HTTP-Redirect binding, from the query as it was sent. Raises SignOnRefused."""
    raw: dict[str, str] = {}
    for piece in query.decode("ascii", "replace").split("&"):
        name, _, value = piece.partition("=")
        if name in raw:
            raise SignOnRefused("malformed", f"{name[:40]} stands twice")
        raw[name] = value
    fields = {name: unquote_plus(value, errors="replace") for name, value in raw.items()}
    covered = [name for name in ("SAMLRequest", "RelayState", "SigAlg") if name in raw]
    return Message(
        _inflated(_decoded(fields.get("SAMLRequest", ""))),
        fields.get("RelayState", ""),
        "&".join(f"{name}={raw[name]}" for name in covered).encode(),
        fields.get("SigAlg", ""),
        _decoded(fields["Signature"]) if fields.get("Signature") else b"",
    )


def from_post(form: Mapping[str, str]) -> Message:
    """By the HTTP-POST binding. Raises SignOnRefused."""
    document = _decoded(form.get("SAMLRequest", ""))
    return Message(document, form.get("RelayState", ""), by_post=True)


def read(
    message: Message, config: Config, now: datetime, organisation: str | None = None
) -> AuthnRequest:
    """The request of a service provider that we know, checked. Raises SignOnRefused.

    `organisation` is the one in the address, for those that know us by a name of their own.
    """
    root = _root(message.document)
    issuers = root.findall(tag(SAML, "Issuer"))
    issuer = (issuers[0].text or "").strip() if len(issuers) == 1 else ""
    provider = asking(config, issuer, organisation)
    if provider is None:
        raise SignOnRefused("issuer_unknown", f"no coursera entry has the entity_id {issuer[:120]}")
    root = _believed(message, root, provider)
    _check(root, provider, config.lti.clock_skew, now)
    if len(message.relay_state) > LONGEST_RELAY or not message.relay_state.isprintable():
        raise SignOnRefused("relay_state", "RelayState is too long or not printable")
    return AuthnRequest(
        root.get("ID", ""),
        provider,
        message.relay_state,
        root.get("IsPassive") in ("true", "1"),
        root.get("ForceAuthn") in ("true", "1"),
    )


def _decoded(text: str) -> bytes:
    if not text:
        raise SignOnRefused("malformed", "there is no SAMLRequest")
    if len(text) > LARGEST_PARAMETER:
        raise SignOnRefused("too_large", f"more than {LARGEST_PARAMETER} characters", 413)
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError):
        raise SignOnRefused("malformed", "not base64") from None


def _inflated(packed: bytes) -> bytes:
    """Unpacked as far as a request can be long, so that a small bomb stays small."""
    unpacking = zlib.decompressobj(-15)
    try:
        document = unpacking.decompress(packed, LARGEST_DOCUMENT + 1)
    except zlib.error:
        raise SignOnRefused("malformed", "not deflated") from None
    if len(document) > LARGEST_DOCUMENT:
        raise SignOnRefused("too_large", "it unpacks to too much", 413)
    if not unpacking.eof:
        raise SignOnRefused("malformed", "the deflated request is cut off")
    return document


def _root(document: bytes) -> etree._Element:
    try:
        root = parsed(document)
    except ValueError as error:
        raise SignOnRefused("malformed", str(error)) from None
    if next(root.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        # A comment cuts a text in two, and readers disagree on which half counts.
        raise SignOnRefused("malformed", "comments have no place in a request")
    if root.tag != tag(SAMLP, "AuthnRequest") or root.get("Version") != "2.0":
        raise SignOnRefused("malformed", "not an AuthnRequest of SAML 2.0")
    if not _ID.fullmatch(root.get("ID", "")):
        raise SignOnRefused("malformed", "the request has no usable ID")
    return root


def _believed(message: Message, root: etree._Element, provider: ServiceProvider) -> etree._Element:
    """What may be read of a request: where it is signed, exactly what the signature covers.

    A signature is looked at also where none is demanded, if we have what it takes.
    """
    inside = root.find(f".//{tag(DS, 'Signature')}") is not None
    if not (inside or message.signature):
        if provider.signed_requests:
            raise SignOnRefused("unsigned", "this organisation demands signed requests")
        return root
    if not provider.certificates:
        return root
    if message.by_post:
        return _signed_inside(root, provider)
    # The redirect binding signs the query; a signature in the document says nothing there.
    if not any(_fits(message, certificate) for certificate in provider.certificates):
        raise SignOnRefused("signature", "it does not fit Coursera's certificate")
    return root


def _signed_inside(root: etree._Element, provider: ServiceProvider) -> etree._Element:
    for certificate in provider.certificates:
        # Trust comes from the configuration, not from the dates of a certificate.
        config = SignatureConfiguration(
            **{
                **{name: getattr(_STRICT, name) for name in _STRICT.__dataclass_fields__},
                "verification_time": certificate.not_valid_before_utc,
            }
        )
        try:
            found = XMLVerifier().verify(
                etree.tostring(root), x509_cert=certificate, expect_config=config,
                id_attribute="ID",
            )  # fmt: skip
        except (SignXMLException, InvalidSignature, ValueError, etree.LxmlError):
            continue
        assert not isinstance(found, list)
        covered = found.signed_xml
        if covered is not None and covered.tag == root.tag and covered.get("ID") == root.get("ID"):
            return covered
    raise SignOnRefused("signature", "it does not fit Coursera's certificate")


def _fits(message: Message, certificate: x509.Certificate) -> bool:
    chosen, key = _HASHES.get(message.algorithm), certificate.public_key()
    if chosen is None or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(message.signature, message.signed, PKCS1v15(), chosen())
    except InvalidSignature:
        return False
    return True


def _check(root: etree._Element, provider: ServiceProvider, skew: timedelta, now: datetime) -> None:
    """Times, addresses and wishes of a request."""
    issued = _moment(root.get("IssueInstant", ""))
    if now - issued > WITHIN + skew:
        raise SignOnRefused("expired", f"issued at {issued:%Y-%m-%d %H:%M:%S} UTC")
    if issued - now > skew:
        raise SignOnRefused("not_yet_valid", f"issued at {issued:%Y-%m-%d %H:%M:%S} UTC")
    destination = root.get("Destination")
    if destination not in (None, "", provider.identity.sso_url):
        raise SignOnRefused("destination", "the request was meant for somebody else")
    if root.get("AssertionConsumerServiceURL", provider.acs_url) != provider.acs_url:
        raise SignOnRefused("acs", "the answer is wanted at an address that is not configured")
    if root.get("ProtocolBinding", POST) != POST:
        raise SignOnRefused("binding", "the answer is wanted otherwise than by HTTP-POST")
    if root.find(tag(SAML, "Subject")) is not None:
        raise SignOnRefused("subject", "the request asks for a certain person")
    policy = root.find(tag(SAMLP, "NameIDPolicy"))
    if policy is not None:
        if policy.get("Format", UNSPECIFIED) not in (PERSISTENT, UNSPECIFIED):
            raise SignOnRefused("name_id_policy", "the request asks for a NameID that is not ours")
        if policy.get("SPNameQualifier", provider.entity_id) != provider.entity_id:
            raise SignOnRefused("name_id_policy", "the NameID is wanted for another provider")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SignOnRefused("malformed", "the request has no usable IssueInstant") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
