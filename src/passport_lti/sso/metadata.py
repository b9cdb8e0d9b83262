"""Our metadata: what Coursera needs to know of this identity provider."""

from base64 import b64encode
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from passport_lti.sso.names import DS, MD, PERSISTENT, POST, REDIRECT, SAMLP, tag
from passport_lti.sso.providers import Identity

TYPE = "application/samlmetadata+xml"


def document(
    identity: Identity, certificates: Sequence[x509.Certificate], signed_requests: bool
) -> bytes:
    """The EntityDescriptor (SAML metadata 2.0) with every certificate that may have signed."""
    root = etree.Element(tag(MD, "EntityDescriptor"), nsmap={"md": MD, "ds": DS})
    root.set("entityID", identity.entity_id)
    role = etree.SubElement(root, tag(MD, "IDPSSODescriptor"))
    role.set("protocolSupportEnumeration", SAMLP)
    role.set("WantAuthnRequestsSigned", "true" if signed_requests else "false")
    for certificate in certificates:
        key = etree.SubElement(role, tag(MD, "KeyDescriptor"), use="signing")
        info = etree.SubElement(key, tag(DS, "KeyInfo"))
        data = etree.SubElement(info, tag(DS, "X509Data"))
        node = etree.SubElement(data, tag(DS, "X509Certificate"))
        node.text = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    etree.SubElement(role, tag(MD, "NameIDFormat")).text = PERSISTENT
    for binding in (REDIRECT, POST):
        service = etree.SubElement(role, tag(MD, "SingleSignOnService"))
        service.set("Binding", binding)
        service.set("Location", identity.sso_url)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
