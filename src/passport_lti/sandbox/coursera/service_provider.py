"""The practice Coursera as a SAML service provider, on python3-saml.

That library and the C code below it (libxmlsec) have nothing in common with what the tool signs
with, so what they accept is right by two independent opinions. They are loaded when an identity
provider is trusted, and not before: `pip install 'passport-lti[practice]'`.
"""

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


class NotAccepted(Exception):
    """A response that signs nobody in; the text says why."""


@dataclass(frozen=True, slots=True)
class SignedOn:
    """Who an identity provider says is there, and whether that was asked for."""

    name_id: str
    email: str
    name: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """A request on its way: an address to open, or a form to post there."""

    url: str
    form: Mapping[str, str] = field(default_factory=dict)


class ServiceProvider:
    """Trusts one identity provider, known by its metadata. Threads may share it.

    `encrypted`: takes encrypted assertions only. `signs`: signs its requests. `by_post`: sends
    them by a form instead of a redirect.
    """

    def __init__(
        self,
        url: str,
        metadata: str,
        *,
        encrypted: bool = False,
        signs: bool = False,
        by_post: bool = False,
    ) -> None:
        self.entity_id, self.acs_url = f"{url}/saml/metadata", f"{url}/saml/acs"
        self.encrypted, self.signs, self.by_post = encrypted, signs, by_post
        self.asked: dict[str, str] = {}
        """Requests without an answer so far, with the page that a person wanted."""
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self.private_key, self.certificate = _key_pair()
        self.trust(metadata)

    def trust(self, metadata: str) -> None:
        """Believe an identity provider from now on: what its metadata says, and nobody else."""
        from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser

        found = OneLogin_Saml2_IdPMetadataParser.parse(metadata, required_sso_binding=REDIRECT)
        idp = found["idp"]
        if "x509cert" in idp:
            idp["x509certMulti"] = {"signing": [idp["x509cert"]]}
        self._idp = idp

    @property
    def settings(self) -> dict[str, Any]:
        """As python3-saml wants them: strict, everything signed, nothing by SHA-1."""
        return {
            "strict": True,
            "sp": {
                "entityId": self.entity_id,
                "assertionConsumerService": {"url": self.acs_url, "binding": POST},
                "NameIDFormat": PERSISTENT,
                "x509cert": self.certificate,
                "privateKey": self.private_key,
            },
            "idp": self._idp,
            "security": {
                "authnRequestsSigned": self.signs,
                "wantMessagesSigned": True,
                "wantAssertionsSigned": True,
                "wantAssertionsEncrypted": self.encrypted,
                "wantNameId": True,
                "wantAttributeStatement": False,
                "requestedAuthnContext": False,
                "rejectDeprecatedAlgorithm": True,
                "rejectUnsolicitedResponsesWithInResponseTo": True,
                "signatureAlgorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "digestAlgorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
            },
        }

    def metadata(self) -> str:
        """What an administrator of the identity provider is given."""
        from onelogin.saml2.settings import OneLogin_Saml2_Settings

        made = OneLogin_Saml2_Settings(self.settings, sp_validation_only=True).get_sp_metadata()
        return made.decode() if isinstance(made, bytes) else str(made)

    def ask(self, page: str) -> Asking:
        """A request to sign somebody in who wants this page."""
        from onelogin.saml2.auth import OneLogin_Saml2_Auth
        from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
        from onelogin.saml2.settings import OneLogin_Saml2_Settings
        from onelogin.saml2.utils import OneLogin_Saml2_Utils

        if not self.by_post:
            auth = OneLogin_Saml2_Auth(self._request({}), self.settings)
            url = auth.login(return_to=page)
            self.asked[auth.get_last_request_id()] = page
            return Asking(url)
        made = OneLogin_Saml2_Authn_Request(OneLogin_Saml2_Settings(self.settings))
        document = made.get_xml()
        if self.signs:
            document = OneLogin_Saml2_Utils.add_sign(document, self.private_key, self.certificate)
        if isinstance(document, str):
            document = document.encode()
        self.asked[made.get_id()] = page
        form = {"SAMLRequest": base64.b64encode(document).decode(), "RelayState": page}
        return Asking(self._idp["singleSignOnService"]["url"], form)

    def accept(self, form: Mapping[str, str]) -> SignedOn:
        """Who a posted response signs in. Raises NotAccepted."""
        from onelogin.saml2.auth import OneLogin_Saml2_Auth
        from onelogin.saml2.response import OneLogin_Saml2_Response
        from onelogin.saml2.settings import OneLogin_Saml2_Settings

        text = form.get("SAMLResponse", "")
        try:
            if b"<!" in base64.b64decode(text, validate=False):
                raise NotAccepted("a response has no comments and no document type")
            settings = OneLogin_Saml2_Settings(self.settings)
            asked = OneLogin_Saml2_Response(settings, text).get_in_response_to()
            if asked is not None and asked not in self.asked:
                raise NotAccepted("it answers a request that was never made, or was answered")
            auth = OneLogin_Saml2_Auth(self._request(form), self.settings)
            auth.process_response(request_id=asked)
        except NotAccepted:
            raise
        except Exception as error:  # the library raises what its parsers raise
            raise NotAccepted(str(error) or type(error).__name__) from None
        if auth.get_errors() or not auth.is_authenticated():
            raise NotAccepted(auth.get_last_error_reason() or ", ".join(auth.get_errors()))
        with self._lock:
            if auth.get_last_assertion_id() in self._seen:
                raise NotAccepted("this assertion was used already")
            self._seen.add(auth.get_last_assertion_id())
            if asked is not None:
                self.asked.pop(asked, None)
        facts = {name: values[0] for name, values in auth.get_attributes().items() if values}
        name = " ".join(filter(None, (facts.get("firstName"), facts.get("lastName"))))
        return SignedOn(auth.get_nameid(), facts.get("email", ""), name, asked is not None)

    def _request(self, form: Mapping[str, str]) -> dict[str, Any]:
        here = urlsplit(self.acs_url)
        return {
            "https": "on" if here.scheme == "https" else "off",
            "http_host": here.netloc,
            "script_name": here.path,
            "get_data": {},
            "post_data": dict(form),
        }


def _key_pair() -> tuple[str, str]:
    """A private key and a certificate of it, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Practice Coursera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()
