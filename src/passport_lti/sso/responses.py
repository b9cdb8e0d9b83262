"""Responses: what Coursera is told of a person, for one service provider and a few minutes."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner

from passport_lti.sso.encryption import encrypted
from passport_lti.sso.keys import LoadedKey
from passport_lti.sso.names import (
    BASIC,
    BEARER,
    BY_LAUNCH,
    DS,
    PERSISTENT,
    SAML,
    SAMLP,
    STATUS,
    tag,
)
from passport_lti.sso.providers import ServiceProvider

VALID = timedelta(minutes=3)
"""From the page with the assertion to Coursera: a form that submits itself."""
EARLY = timedelta(minutes=1)
"""How far Coursera's clock may be behind ours."""
LONGEST_ID = 256
"""Characters of a persistent NameID (SAML core 8.3.7)."""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is signed in; `launched_at` is when the platform said so, `session` names that launch."""

    name_id: str
    email: str
    first_name: str
    last_name: str
    launched_at: datetime
    session: str


@dataclass(frozen=True, slots=True)
class Response:
    """A signed message for `acs_url`; `assertion_id` names its assertion in the log."""

    document: bytes
    assertion_id: str = ""


def is_name_id(text: str) -> bool:
    """Whether an external id can stand in an assertion as it is."""
    return 0 < len(text) <= LONGEST_ID and text == text.strip() and not _UNFIT.search(text)


def asserted(
    provider: ServiceProvider,
    subject: Subject,
    key: LoadedKey,
    now: datetime,
    in_response_to: str | None = None,
) -> Response:
    """A response whose assertion and whole are signed; unasked for without `in_response_to`."""
    assertion = _assertion(provider, subject, now, in_response_to)
    signed = _signed(assertion, key)
    if provider.encrypt:
        signed = encrypted(signed, provider.certificates[0])
    root = _response(provider, now, in_response_to, "Success")
    root.append(signed)
    return Response(etree.tostring(_signed(root, key)), assertion.get("ID", ""))


def declined(
    provider: ServiceProvider, key: LoadedKey, now: datetime, in_response_to: str, why: str
) -> Response:
    """A response without an assertion; `why` is a second-level status such as NoPassive."""
    root = _response(provider, now, in_response_to, "Responder", why)
    return Response(etree.tostring(_signed(root, key)))


def _response(
    provider: ServiceProvider, now: datetime, in_response_to: str | None, *status: str
) -> etree._Element:
    root = etree.Element(tag(SAMLP, "Response"), nsmap={"samlp": SAMLP, "saml": SAML})
    root.set("ID", _new_id())
    root.set("Version", "2.0")
    root.set("IssueInstant", _instant(now))
    root.set("Destination", provider.acs_url)
    if in_response_to:
        root.set("InResponseTo", in_response_to)
    _issuer(root, provider)
    parent = etree.SubElement(root, tag(SAMLP, "Status"))
    for code in status:
        parent = etree.SubElement(parent, tag(SAMLP, "StatusCode"), Value=STATUS + code)
    return root


def _assertion(
    provider: ServiceProvider, subject: Subject, now: datetime, in_response_to: str | None
) -> etree._Element:
    until = _instant(now + VALID)
    root = etree.Element(tag(SAML, "Assertion"), nsmap={"saml": SAML})
    root.set("ID", _new_id())
    root.set("Version", "2.0")
    root.set("IssueInstant", _instant(now))
    _issuer(root, provider)
    about = etree.SubElement(root, tag(SAML, "Subject"))
    name_id = etree.SubElement(about, tag(SAML, "NameID"), Format=PERSISTENT)
    name_id.set("NameQualifier", provider.identity.entity_id)
    name_id.set("SPNameQualifier", provider.entity_id)
    name_id.text = subject.name_id
    confirmation = etree.SubElement(about, tag(SAML, "SubjectConfirmation"), Method=BEARER)
    bearer = etree.SubElement(confirmation, tag(SAML, "SubjectConfirmationData"))
    bearer.set("NotOnOrAfter", until)
    bearer.set("Recipient", provider.acs_url)
    if in_response_to:
        bearer.set("InResponseTo", in_response_to)
    conditions = etree.SubElement(root, tag(SAML, "Conditions"))
    conditions.set("NotBefore", _instant(now - EARLY))
    conditions.set("NotOnOrAfter", until)
    audiences = etree.SubElement(conditions, tag(SAML, "AudienceRestriction"))
    etree.SubElement(audiences, tag(SAML, "Audience")).text = provider.entity_id
    etree.SubElement(conditions, tag(SAML, "OneTimeUse"))
    statement = etree.SubElement(root, tag(SAML, "AuthnStatement"))
    statement.set("AuthnInstant", _instant(subject.launched_at))
    statement.set("SessionIndex", subject.session)
    context = etree.SubElement(statement, tag(SAML, "AuthnContext"))
    etree.SubElement(context, tag(SAML, "AuthnContextClassRef")).text = BY_LAUNCH
    _attributes(root, provider, subject)
    return root


def _attributes(root: etree._Element, provider: ServiceProvider, subject: Subject) -> None:
    names = provider.attributes
    facts = {
        names.email: subject.email,
        names.first_name: subject.first_name,
        names.last_name: subject.last_name,
    }
    known = {name: _UNFIT.sub("", value) for name, value in facts.items() if value}
    statement = etree.Element(tag(SAML, "AttributeStatement"))
    for name, value in known.items():
        attribute = etree.SubElement(statement, tag(SAML, "Attribute"), Name=name)
        attribute.set("NameFormat", BASIC)
        etree.SubElement(attribute, tag(SAML, "AttributeValue")).text = value
    if known:
        root.append(statement)


def _issuer(parent: etree._Element, provider: ServiceProvider) -> None:
    etree.SubElement(parent, tag(SAML, "Issuer")).text = provider.identity.entity_id


def _signed(element: etree._Element, key: LoadedKey) -> etree._Element:
    """The element with an enveloped signature in the place where the schema wants it."""
    place = etree.Element(tag(DS, "Signature"), Id="placeholder", nsmap={"ds": DS})
    element.insert(1, place)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    chain: list[str] = [key.certificate.public_bytes(Encoding.PEM).decode()]
    return signer.sign(
        element,
        key=key.private_key,
        cert=chain,
        reference_uri=f"#{element.get('ID')}",
        id_attribute="ID",
    )


def _new_id() -> str:
    return f"_{secrets.token_hex(20)}"


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
