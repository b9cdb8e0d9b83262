"""Requests of Coursera: answered from a running launch, or refused with what to do next."""

import base64
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from lxml import etree
from signxml import CanonicalizationMethod, XMLSigner

from passport_lti.sandbox.reading import read_page
from saml import NS, SamlWorld, find, key_pair, pem

TEMPLATE = (
    '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
    'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" '
    'IssueInstant="{at}" Destination="{destination}" AssertionConsumerServiceURL="{acs}" '
    'ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"{more}>'
    "<saml:Issuer>{issuer}</saml:Issuer>{inside}</samlp:AuthnRequest>"
)
ROOT = "<samlp:AuthnRequest"


def instant(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def request(world: SamlWorld, **changed: str) -> str:
    values = {
        "id": f"_{datetime.now(UTC).timestamp()}",
        "at": instant(),
        "destination": f"{world.url}/saml/sso",
        "acs": world.provider.acs_url,
        "issuer": world.provider.entity_id,
        "more": "",
        "inside": "",
    }
    return TEMPLATE.format(**{**values, **changed})


def packed(document: str | bytes) -> str:
    data = document.encode() if isinstance(document, str) else document
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(data) + deflate.flush()).decode()


def plain(document: str | bytes) -> str:
    data = document.encode() if isinstance(document, str) else document
    return base64.b64encode(data).decode()


Ask = Callable[[SamlWorld, requests.Session, str | bytes], requests.Response]


def redirected(
    world: SamlWorld, browser: requests.Session, document: str | bytes, relay: str = ""
) -> requests.Response:
    values = {"SAMLRequest": packed(document), **({"RelayState": relay} if relay else {})}
    return browser.get(f"{world.url}/saml/sso?{urlencode(values)}", timeout=20)


def posted(
    world: SamlWorld, browser: requests.Session, document: str | bytes, relay: str = ""
) -> requests.Response:
    values = {"SAMLRequest": plain(document), "returned": "1"}
    if relay:
        values["RelayState"] = relay
    return browser.post(f"{world.url}/saml/sso", values, timeout=20)


BINDINGS: dict[str, Ask] = {"redirected": redirected, "posted": posted}


@pytest.fixture(scope="module")
def launched(lasting):
    """A browser in which Amy has launched: what is refused here is not for want of a launch."""
    _, browser = lasting.leave(lasting.school.learners[0])
    with browser:
        yield browser


def answered(answer: requests.Response) -> etree._Element:
    """The response in the page that was answered."""
    assert answer.status_code == 200, answer.text
    return etree.fromstring(
        base64.b64decode(read_page(answer.url, answer).form().value("SAMLResponse"))
    )


def refused(answer: requests.Response, code: str, status: int = 400) -> None:
    assert answer.headers.get("X-SAML-Error") == code, answer.text
    assert answer.status_code == status
    page = read_page(answer.url, answer)
    assert "<h1" in page.text and "Traceback" not in page.text and "SAMLResponse" not in page.text


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_request_is_answered_from_the_running_launch(lasting, launched, binding):
    document = request(lasting)
    answer = BINDINGS[binding](lasting, launched, document)
    root, asked = answered(answer), etree.fromstring(document).get("ID")
    assert root.get("InResponseTo") == asked
    assert find(root, ".//saml:SubjectConfirmationData").get("InResponseTo") == asked
    accepted, who = lasting.judged(etree.tostring(root), asked=asked)
    assert (accepted, who) == (True, lasting.school.learners[0].email)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("relay", ["an-opaque-token~1", "{coursera}/learn/x?a=1&b=2"])
def test_relay_state_comes_back_as_it_was(lasting, launched, binding, relay):
    wanted = relay.format(coursera=lasting.coursera.url)
    answer = BINDINGS[binding](lasting, launched, request(lasting), wanted)
    assert read_page(answer.url, answer).form().value("RelayState") == wanted


HOSTILE: dict[str, tuple[dict[str, str], str]] = {
    "unknown issuer": ({"issuer": "https://evil.example/sp"}, "issuer_unknown"),
    "no issuer": ({"issuer": ""}, "issuer_unknown"),
    "issuer cut by a comment": (
        {"issuer": "{sp}<!-- -->.evil.example", "id": "_c"}, "malformed"),
    "issuer with children": ({"issuer": "<b xmlns=''>{sp}</b>"}, "issuer_unknown"),
    "foreign acs": ({"acs": "https://evil.example/acs"}, "acs"),
    "acs that begins like ours": ({"acs": "{acs}.evil.example"}, "acs"),
    "acs with a user": ({"acs": "http://127.0.0.1@evil.example/saml/acs"}, "acs"),
    "no acs but an empty one": ({"acs": ""}, "acs"),
    "meant for another provider": ({"destination": "https://evil.example/sso"}, "destination"),
    "issued long ago": ({"at": "2020-01-01T00:00:00Z"}, "expired"),
    "issued some minutes ago": ({"at": "{ago}"}, "expired"),
    "issued in the future": ({"at": "2099-01-01T00:00:00Z"}, "not_yet_valid"),
    "no time": ({"at": ""}, "malformed"),
    "nonsense for a time": ({"at": "yesterday"}, "malformed"),
    "a time that can't be": ({"at": "2026-13-45T99:00:00Z"}, "malformed"),
    "no id": ({"id": ""}, "malformed"),
    "an id that is markup": ({"id": "&lt;script&gt;"}, "malformed"),
    "a very long id": ({"id": "_" + "a" * 300}, "malformed"),
    "a wish for a certain person": (
        {"inside": "<saml:Subject><saml:NameID>teacher</saml:NameID></saml:Subject>"}, "subject"),
    "a wish for an e-mail as NameID": (
        {"inside": '<samlp:NameIDPolicy '
                   'Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"/>'},
        "name_id_policy"),
    "a NameID for another provider": (
        {"inside": '<samlp:NameIDPolicy SPNameQualifier="https://evil.example"/>'},
        "name_id_policy"),
}  # fmt: skip


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_refused(lasting, launched, name, binding):
    changed, code = HOSTILE[name]
    known = {
        "sp": lasting.provider.entity_id, "acs": lasting.provider.acs_url,
        "ago": instant(minutes=7),
    }  # fmt: skip
    filled = {key: value.format(**known) for key, value in changed.items()}
    refused(BINDINGS[binding](lasting, launched, request(lasting, **filled)), code)


def laughs(world: SamlWorld) -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    return (
        f"<!DOCTYPE x [{entities}]>" + request(world).replace(ROOT, f'{ROOT} x="&a9;"')
    ).encode()


def outside(world: SamlWorld) -> bytes:
    document = request(world, issuer="&file;")
    return f'<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>{document}'.encode()


def hidden_doctype(world: SamlWorld) -> bytes:
    document = f"<!DOCTYPE x []>{request(world)}"
    return (
        ('<?xml version="1.0" encoding="UTF-7"?>' + document).replace("!DOC", "+ACE-DOC").encode()
    )


GARBAGE: dict[str, Callable[[SamlWorld], bytes]] = {
    "entities that grow": laughs,
    "an entity that names a file": outside,
    "a document type in another alphabet": hidden_doctype,
    "a document type in UTF-16": lambda w: f"<!DOCTYPE x []>{request(w)}".encode("utf-16"),
    "an empty document type": lambda w: f"<!DOCTYPE x>{request(w)}".encode(),
    "nothing": lambda w: b" ",
    "noise": lambda w: bytes(range(256)),
    "half a document": lambda w: request(w)[:150].encode(),
    "another message": lambda w: request(w).replace("AuthnRequest", "LogoutRequest").encode(),
    "another version": lambda w: request(w).replace('Version="2.0"', 'Version="1.1"').encode(),
    "a deep nest": lambda w: request(w, inside="<b>" * 200 + "</b>" * 200).encode(),
}


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_no_request_is_refused(lasting, launched, name, binding):
    refused(BINDINGS[binding](lasting, launched, GARBAGE[name](lasting)), "malformed")


def test_what_is_too_large_is_refused_before_it_is_read(lasting, launched):
    noise = base64.b64encode(bytes(i * i % 251 for i in range(40_000))).decode()
    large = request(lasting, inside=f"<x xmlns=''>{noise}</x>")
    refused(posted(lasting, launched, large), "too_large", 413)
    bomb = b"A" * 64 * 1024 * 1024
    assert len(packed(bomb)) > 32 * 1024
    refused(redirected(lasting, launched, bomb[: 20 * 1024 * 1024]), "too_large", 413)
    form = {"SAMLRequest": "A" * 600 * 1024}
    answer = launched.post(f"{lasting.url}/saml/sso", form, timeout=20)
    refused(answer, "too_large", 413)


@pytest.mark.parametrize(
    "query",
    [
        "", "SAMLRequest=", "SAMLRequest=%%%", "SAMLRequest=AAAA", "SAMLRequest=a&SAMLRequest=b",
        "RelayState=x", "SAMLRequest=\xff\xfe", "SAMLResponse=x",
    ],
)  # fmt: skip
def test_a_query_without_a_request_is_refused(lasting, launched, query):
    refused(launched.get(f"{lasting.url}/saml/sso?{query}", timeout=10), "malformed")


@pytest.mark.parametrize(
    "relay",
    [
        "https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)",
        "data:text/html,x", " https://evil.example", "http://user@{host}/", "http://{host}@evil/",
        "ftp://{host}/", "http://[::", "/\\evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("binding", BINDINGS)
def test_nobody_is_led_away_from_coursera(lasting, launched, relay, binding):
    wanted = relay.format(host=urlsplit(lasting.coursera.url).netloc)
    refused(BINDINGS[binding](lasting, launched, request(lasting), wanted), "relay_state")


def test_a_long_or_unprintable_relay_state_is_refused(lasting, launched):
    for relay in ("x" * 3000, "a\r\nSet-Cookie: b"):
        refused(redirected(lasting, launched, request(lasting), relay), "relay_state")


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_request_is_answered_once(lasting, launched, binding):
    document = request(lasting, id=f"_once-{binding}")
    answered(BINDINGS[binding](lasting, launched, document))
    for again in BINDINGS.values():
        refused(again(lasting, launched, document), "replayed")


@pytest.mark.parametrize("binding", BINDINGS)
def test_without_a_launch_a_page_says_to_open_the_activity(lasting, binding):
    with requests.Session() as browser:
        answer = BINDINGS[binding](lasting, browser, request(lasting))
    refused(answer, "no_launch", 403)
    assert "Open the activity in Moodle" in answer.text


def test_a_post_from_another_site_asks_the_browser_for_its_cookie(lasting, launched):
    """Browsers send no `Lax` cookie with another site's form; they do with our own."""
    form = {"SAMLRequest": plain(request(lasting)), "RelayState": "token"}
    bare = requests.post(f"{lasting.url}/saml/sso", form, timeout=10)
    page = read_page(bare.url, bare)
    assert bare.status_code == 200 and page.auto_form and "SAMLResponse" not in bare.text
    assert page.form().action == f"{lasting.url}/saml/sso"
    again = {name: values[0] for name, values in page.form().fields.items()}
    assert answered(launched.post(page.form().action, again, timeout=10)) is not None


def test_the_cookie_is_a_first_partys_and_soon_over(lasting):
    page, browser = lasting.leave(lasting.school.learners[0])
    browser.close()
    cookie = page.headers["Set-Cookie"]
    assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Max-Age=600" in cookie


def test_a_launch_answers_for_ten_minutes(world):
    _, browser = world.leave(world.school.learners[0])
    clock = world.services.clock
    world.services.clock = lambda: clock() + timedelta(minutes=11)
    refused(redirected(world, browser, request(world, at=instant(minutes=-11))), "no_launch", 403)
    browser.close()


@pytest.mark.parametrize("value", ["", "x", "a.b.c", None])
def test_a_cookie_that_is_not_ours_is_no_launch(lasting, value):
    way = lasting.way_out(lasting.school.learners[0])
    value = parse_qs(urlsplit(way).query)["session"][0] if value is None else value
    cookies = {"passport_sign_on": value}
    answer = requests.get(
        f"{lasting.url}/saml/sso?{urlencode({'SAMLRequest': packed(request(lasting))})}",
        cookies=cookies,
        timeout=10,
    )
    refused(answer, "no_launch", 403)


def test_a_passive_request_without_a_launch_is_declined_to_coursera(lasting):
    document = request(lasting, more=' IsPassive="true"')
    root = answered(requests.get(
        f"{lasting.url}/saml/sso?{urlencode({'SAMLRequest': packed(document)})}", timeout=10
    ))  # fmt: skip
    codes = [node.get("Value", "") for node in root.iter(f"{{{NS['samlp']}}}StatusCode")]
    assert codes[-1].endswith(":NoPassive") and root.find("saml:Assertion", NS) is None
    assert not lasting.judged(etree.tostring(root))[0]


def test_signing_in_anew_takes_a_fresh_launch(world):
    _, browser = world.leave(world.school.learners[0])
    force = {"more": ' ForceAuthn="true"'}
    answered(redirected(world, browser, request(world, **force)))
    clock = world.services.clock
    world.services.clock = lambda: clock() + timedelta(minutes=4)
    refused(redirected(world, browser, request(world, **force)), "no_launch", 403)
    answered(redirected(world, browser, request(world)))
    browser.close()


def test_the_launch_of_another_organisation_answers_nothing(world):
    """The tool serves two organisations at two Courseras; the launch belongs to the first."""
    _, browser = world.leave(world.school.learners[0])

    def edit(config):
        other = {**config["coursera"]["practice"], "org_id": "AnotherOrganisation_22"}
        other["saml"] = {
            "entity_id": "https://other.example/sp",
            "acs_url": "https://other.example/acs",
        }
        config["coursera"]["other"] = other

    world.configure(edit)
    document = request(world, issuer="https://other.example/sp", acs="https://other.example/acs")
    refused(redirected(world, browser, document), "other_organisation", 403)
    browser.close()


def test_a_platform_that_left_saml_answers_nothing(world):
    _, browser = world.leave(world.school.learners[0])
    world.use(mode="link")
    refused(redirected(world, browser, request(world)), "not_configured", 403)
    browser.close()


# --- signed requests ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signing(lasting):
    """Coursera signs: its key, and a browser with a launch; unsigned requests are refused."""
    key, certificate = key_pair("Coursera")
    before = lasting.services.config_file
    _, browser = lasting.leave(lasting.school.learners[0])
    lasting.settings(certificate=pem(certificate), signed_requests=True)
    with browser:
        yield key, certificate, browser
    lasting.services.config_file = before


def signed_query(document, key, *, algorithm="rsa-sha256", relay="token", hashed=SHA256):
    space = "http://www.w3.org/2000/09/xmldsig#" if "sha1" in algorithm else (
        "http://www.w3.org/2001/04/xmldsig-more#")  # fmt: skip
    parts = [
        ("SAMLRequest", packed(document)),
        ("RelayState", relay),
        ("SigAlg", space + algorithm),
    ]
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parts)
    signature = base64.b64encode(key.sign(query.encode(), PKCS1v15(), hashed())).decode()
    return f"{query}&Signature={quote(signature, safe='')}"


def signed_form(document, key, certificate):
    root = etree.fromstring(document)
    place = etree.Element(f"{{{NS['ds']}}}Signature", Id="placeholder", nsmap={"ds": NS["ds"]})
    root.insert(1, place)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    made = signer.sign(root, key=key, cert=[pem(certificate)], reference_uri=f"#{root.get('ID')}",
                       id_attribute="ID")  # fmt: skip
    return etree.tostring(made)


def test_signed_requests_are_answered(lasting, signing):
    key, certificate, browser = signing
    query = signed_query(request(lasting), key)
    answered(browser.get(f"{lasting.url}/saml/sso?{query}", timeout=10))
    answered(posted(lasting, browser, signed_form(request(lasting), key, certificate)))


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_unsigned_request_is_refused_where_signing_is_demanded(lasting, signing, binding):
    refused(BINDINGS[binding](lasting, signing[2], request(lasting)), "unsigned")


QUERIES = {
    "another key": lambda w, k, c: signed_query(request(w), key_pair()[0]),
    "sha1": lambda w, k, c: signed_query(request(w), k, algorithm="rsa-sha1", hashed=SHA1),
    "another relay state": lambda w, k, c: signed_query(request(w), k).replace("=token", "=other"),
    "no relay state": lambda w, k, c: signed_query(request(w), k).replace("&RelayState=token", ""),
    "an empty signature": lambda w, k, c: (
        signed_query(request(w), k).split("Signature=")[0] + "Signature=AAAA"
    ),
    "a signature inside": lambda w, k, c: urlencode(
        {"SAMLRequest": packed(signed_form(request(w), k, c))}
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_with_a_wrong_signature_is_refused(lasting, signing, name):
    key, certificate, browser = signing
    query = QUERIES[name](lasting, key, certificate)
    refused(browser.get(f"{lasting.url}/saml/sso?{query}", timeout=10), "signature")


def wrapped(world, key, certificate):
    """A signed request inside one that is not signed and asks for something else."""
    inner = etree.fromstring(signed_form(request(world), key, certificate))
    outer = etree.fromstring(request(world, id="_outer"))
    holder = etree.SubElement(outer, f"{{{NS['samlp']}}}Extensions")
    holder.append(inner)
    return etree.tostring(outer)


def moved(world, key, certificate):
    """The signature of a request in the front of another, the signed one behind it."""
    inner = etree.fromstring(signed_form(request(world), key, certificate))
    signature = find(inner, "ds:Signature")
    inner.remove(signature)
    outer = etree.fromstring(request(world, id="_outer"))
    outer.insert(1, signature)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(inner)
    return etree.tostring(outer)


FORMS = {
    "another key": lambda w, k, c: signed_form(request(w), *key_pair()),
    "changed after": lambda w, k, c: signed_form(request(w), k, c).replace(b"_1", b"_2"),
    "wrapped": wrapped,
    "moved": moved,
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_with_a_wrong_signature_is_refused(lasting, signing, name):
    key, certificate, browser = signing
    document = FORMS[name](lasting, key, certificate)
    refused(posted(lasting, browser, document), "signature")
