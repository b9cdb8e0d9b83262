"""A world of sign-ons: what the tool says of a learner, and what another library makes of it."""

import base64
import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from lxml import etree
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.models import Platform
from passport_lti.sandbox.browser import Browser
from passport_lti.sandbox.campus.state import Activity, Person
from passport_lti.sandbox.coursera.service_provider import ServiceProvider
from passport_lti.sandbox.reading import Page, read_page
from worlds import World

NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
}


class SamlWorld(World):
    """The stage with `sso: {mode: saml}`."""

    @property
    def provider(self) -> ServiceProvider:
        found: ServiceProvider = self.coursera.provider
        return found

    @property
    def url(self) -> str:
        return self.services.config.tool.base_url

    @cached_property
    def activity(self) -> Activity:
        """Option A with its first item: the deep link names the item."""
        first = self.school.courses["linked"].items[0]
        [made] = self.publish("linked", "granular_deep_linked", item=[first.id])
        return made

    def use(self, **sso: Any) -> None:
        """Other sso settings for the platform, which has registered itself."""
        with self.app.app_context(), db.session.begin():
            for platform in db.session.scalars(select(Platform)):
                settings = {"mode": "saml", **sso}
                platform.settings = {**platform.settings, "sso": settings}

    def settings(self, **values: Any) -> None:
        """Other settings under coursera.practice.saml."""

        def edit(config: dict[str, Any]) -> None:
            config["coursera"]["practice"]["saml"] |= values

        self.configure(edit)

    def exchange(self, **options: bool) -> None:
        """Both administrators hand over their metadata once more."""
        metadata = requests.get(f"{self.url}/saml/metadata", timeout=10).text
        self.coursera.trust(metadata, **options)

    def way_out(self, person: Person) -> str:
        """The address of `/go/...` that a launch leads to."""
        answer = self.campus.browser(person).launch(self.activity, follow=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def leave(self, person: Person, **headers: str) -> tuple[Page, requests.Session]:
        """The tool's page with the assertion, and a browser that has its cookie."""
        browser = requests.Session()
        url = requests.compat.urljoin(self.url, self.way_out(person))
        answer = browser.get(url, headers=headers, timeout=10, allow_redirects=False)
        return read_page(url, answer), browser

    def said(self, person: Person) -> bytes:
        """The response that the tool makes for a launch, unasked."""
        page, _ = self.leave(person)
        return base64.b64decode(page.form().value("SAMLResponse"))

    def told(self, document: bytes, relay_state: str = "") -> requests.Response:
        """The practice Coursera's answer to a posted response."""
        form = {"SAMLResponse": base64.b64encode(document).decode(), "RelayState": relay_state}
        return requests.post(
            f"{self.coursera.url}/saml/acs", form, allow_redirects=False, timeout=10
        )

    def judged(
        self, document: bytes, asked: str | None = None, **security: bool
    ) -> tuple[bool, str]:
        """Whether python3-saml believes a response: (True, NameID) or (False, why not)."""
        settings = copy.deepcopy(self.provider.settings)
        settings["security"] |= security
        here = urlsplit(self.provider.acs_url)
        request = {
            "https": "off", "http_host": here.netloc, "script_name": here.path,
            "get_data": {}, "post_data": {},
        }  # fmt: skip
        try:
            response = OneLogin_Saml2_Response(
                OneLogin_Saml2_Settings(settings), base64.b64encode(document)
            )
            if not response.is_valid(request, request_id=asked):
                return False, str(response.get_error())
            return True, response.get_nameid()
        except Exception as error:  # its parsers raise all kinds
            return False, str(error)


def signed_in(page: Page) -> bool:
    return 'id="whereabouts"' in page.text


def visit(world: SamlWorld, person: Person, browser: Browser | None = None, **link: str) -> Page:
    """Launch and go on as a person does, through the choice of the first visit and the joining."""
    browser = browser or world.campus.browser(person)
    page = browser.launch(world.activity)
    if page.title.startswith("Your first visit"):
        choice = link.setdefault("choice", "new")
        forms = [form for form in page.forms if "/signin/link" in form.action]
        page = browser.submit(forms[choice == "existing"], **link)
    for button in ("Join the program", "Enrol for free"):
        for form in page.forms:
            if any(button in text for _, _, text in form.buttons):
                page = browser.submit(form)
                break
    return page


def key_pair(name: str = "Somebody else") -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, SHA256())
    )
    return key, certificate


def pem(value: rsa.RSAPrivateKey | x509.Certificate) -> str:
    if isinstance(value, x509.Certificate):
        return value.public_bytes(serialization.Encoding.PEM).decode()
    return value.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def find(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path, NS)
    assert found is not None, path
    return found


def query(values: Mapping[str, str]) -> str:
    return urlencode(values)
