"""Every way known to bend a response, tried on an independent service provider (python3-saml).

Each case starts from a response of the tool that would be accepted. Signature wrapping (XSW 1 to
8) follows Somorovsky et al., "On Breaking SAML", 2012; it is tried on a lenient provider as well,
one that wants only one of the two signatures and gets the other one taken off.
"""

import base64
import copy
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree
from signxml import CanonicalizationMethod, XMLSigner
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from passport_lti.sandbox.reading import read_page
from passport_lti.sso import keys
from passport_lti.sso.providers import of_organisation
from passport_lti.sso.responses import Subject, asserted
from saml import NS, SamlWorld, find, key_pair, pem

EVIL = "teacher@campus.example"
Case = Callable[[etree._Element, SamlWorld], etree._Element | bytes]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__.replace("_", " ")] = function
    return function


def assertion(root: etree._Element) -> etree._Element:
    return find(root, "saml:Assertion")


def evil(element: etree._Element) -> etree._Element:
    """A copy that speaks of somebody else, under another id and without its own signature."""
    made = copy.deepcopy(element)
    made.set("ID", "_evil")
    find(made, ".//saml:NameID").text = EVIL
    made.remove(find(made, "ds:Signature"))
    return made


def without(root: etree._Element, path: str) -> etree._Element:
    node = find(root, path)
    parent = node.getparent()
    assert parent is not None
    parent.remove(node)
    return root


class LooseSigner(XMLSigner):
    """Signs by algorithms that nobody should use any more."""

    def check_deprecated_methods(self) -> None:
        pass


def signed_again(
    root: etree._Element,
    world: SamlWorld,
    *,
    method: SignatureMethod = SignatureMethod.RSA_SHA256,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    own_key: bool = True,
    whole_too: bool = True,
) -> etree._Element:
    """Both signatures made anew after a change, with the tool's key or with a stranger's."""
    if own_key:
        with world.app.app_context():
            loaded = keys.active_key(world.services.tool)
        key, certificate = loaded.private_key, loaded.certificate
    else:
        key, certificate = key_pair()
    signer = LooseSigner(
        signature_algorithm=method,
        digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )

    def sign(element: etree._Element) -> etree._Element:
        without(element, "ds:Signature")
        place = etree.Element(f"{{{NS['ds']}}}Signature", Id="placeholder", nsmap={"ds": NS["ds"]})
        element.insert(1, place)
        uri = f"#{element.get('ID')}"
        chain = [pem(certificate)]
        return signer.sign(element, key=key, cert=chain, reference_uri=uri, id_attribute="ID")

    old = assertion(root)
    alone = etree.fromstring(etree.tostring(old))
    root.replace(old, sign(alone))
    return sign(root) if whole_too else root


# --- signature wrapping ---------------------------------------------------------------------


def wrapped_response(root: etree._Element, inside_signature: bool) -> etree._Element:
    original = copy.deepcopy(root)
    signature = find(root, "ds:Signature")
    made = evil(root)
    find(made, "saml:Assertion").set("ID", "_evil-assertion")
    without(original, "ds:Signature")
    made.insert(1, signature)
    if inside_signature:
        holder = etree.SubElement(signature, f"{{{NS['ds']}}}Object")
        holder.append(original)
    else:
        made.insert(1, original)
    return made


@case
def xsw_1_response_inside_the_signature(root, _):
    return wrapped_response(root, True)


@case
def xsw_2_response_beside_the_signature(root, _):
    return wrapped_response(root, False)


@case
def xsw_3_evil_assertion_before(root, _):
    root.insert(root.index(assertion(root)), evil(assertion(root)))
    return root


@case
def xsw_4_evil_assertion_around(root, _):
    original = assertion(root)
    made = evil(original)
    root.replace(original, made)
    made.append(original)
    return root


@case
def xsw_5_evil_assertion_with_the_signature(root, _):
    original = assertion(root)
    signature = find(original, "ds:Signature")
    made = evil(original)
    original.remove(signature)
    made.insert(1, signature)
    root.replace(original, made)
    root.append(original)
    return root


@case
def xsw_6_original_inside_the_evil_signature(root, _):
    original = assertion(root)
    signature = find(original, "ds:Signature")
    made = evil(original)
    original.remove(signature)
    made.insert(1, signature)
    root.replace(original, made)
    signature.append(original)
    return root


@case
def xsw_7_evil_assertion_in_extensions(root, _):
    holder = etree.Element(f"{{{NS['samlp']}}}Extensions")
    holder.append(evil(assertion(root)))
    root.insert(2, holder)
    return root


@case
def xsw_8_original_in_an_object(root, _):
    original = assertion(root)
    signature = find(original, "ds:Signature")
    made = evil(original)
    original.remove(signature)
    made.insert(1, signature)
    root.replace(original, made)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(original)
    return root


# --- contents changed under the signatures -----------------------------------------------------


@case
def another_name(root, _):
    find(root, ".//saml:NameID").text = EVIL
    return root


@case
def another_attribute(root, _):
    find(root, ".//saml:AttributeValue").text = EVIL
    return root


@case
def another_issuer(root, _):
    find(root, "saml:Assertion/saml:Issuer").text = "https://evil.example"
    return root


@case
def a_longer_life(root, _):
    find(root, ".//saml:Conditions").set("NotOnOrAfter", "2099-01-01T00:00:00Z")
    return root


@case
def a_cut_signature_value(root, _):
    node = find(root, "ds:Signature/ds:SignatureValue")
    node.text = (node.text or "")[:-8]
    return root


@case
def a_transform_that_drops_the_subject(root, _):
    transforms = find(assertion(root), ".//ds:Transforms")
    xpath = etree.SubElement(transforms, f"{{{NS['ds']}}}Transform")
    xpath.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(xpath, f"{{{NS['ds']}}}XPath").text = "not(ancestor-or-self::*[name()='x'])"
    find(root, ".//saml:NameID").text = EVIL
    return root


# --- signatures that are missing or of the wrong kind ----------------------------------------


@case
def unsigned_response(root, _):
    return without(root, "ds:Signature")


@case
def unsigned_assertion(root, _):
    return without(root, "saml:Assertion/ds:Signature")


@case
def nothing_signed(root, _):
    return without(without(root, "saml:Assertion/ds:Signature"), "ds:Signature")


@case
def another_tenants_key(root, world):
    return signed_again(root, world, own_key=False)


@case
def sha1_signature(root, world):
    return signed_again(root, world, method=SignatureMethod.RSA_SHA1)


@case
def sha1_digest(root, world):
    return signed_again(root, world, digest=DigestAlgorithm.SHA1)


@case
def a_mac_made_with_the_public_certificate(root, world):
    for node in root.iter(f"{{{NS['ds']}}}SignatureMethod"):
        node.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
    return root


# --- rightly signed, but not for here and now ----------------------------------------------


@case
def wrong_audience(root, world):
    find(root, ".//saml:Audience").text = "https://another.example/sp"
    return signed_again(root, world)


@case
def wrong_recipient(root, world):
    find(root, ".//saml:SubjectConfirmationData").set("Recipient", "https://evil.example/acs")
    return signed_again(root, world)


@case
def wrong_destination(root, world):
    root.set("Destination", "https://evil.example/acs")
    return signed_again(root, world)


@case
def wrong_issuer_rightly_signed(root, world):
    for node in root.iter(f"{{{NS['saml']}}}Issuer"):
        node.text = "https://another-tenant.example/saml/metadata"
    return signed_again(root, world)


@case
def expired_confirmation(root, world):
    find(root, ".//saml:SubjectConfirmationData").set("NotOnOrAfter", "2020-01-01T00:00:00Z")
    return signed_again(root, world)


@case
def answer_to_a_request_never_made(root, world):
    root.set("InResponseTo", "_never-made")
    return signed_again(root, world)


@case
def two_assertions(root, world):
    second = copy.deepcopy(assertion(root))
    second.set("ID", "_second")
    root.append(second)
    return root


@case
def status_of_a_failure(root, world):
    find(root, ".//samlp:StatusCode").set("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")
    return signed_again(root, world)


# --- XML's own traps --------------------------------------------------------------------------


@case
def entities(root, _):
    text = etree.tostring(root)
    return b'<!DOCTYPE Response [<!ENTITY a "aaaaaaaaaa">]>' + text.replace(
        b"</saml:NameID>", b"&a;</saml:NameID>"
    )


@case
def an_external_entity(root, _):
    text = etree.tostring(root).decode()
    name = find(root, ".//saml:NameID").text or ""
    return (
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + text.replace(name, "&f;", 1)
    ).encode()


@case
def cut_in_half(root, _):
    text = etree.tostring(root)
    return text[: len(text) // 2]


@pytest.fixture(scope="module")
def genuine(lasting):
    return lasting.said(lasting.school.learners[0])


def test_the_response_that_all_cases_start_from_is_accepted(lasting, genuine):
    amy = lasting.school.learners[0]
    assert lasting.judged(genuine) == (True, amy.email)
    again = signed_again(etree.fromstring(genuine), lasting)
    assert lasting.judged(etree.tostring(again)) == (True, amy.email)
    assert len(CASES) >= 30


@pytest.mark.parametrize("name", CASES)
def test_a_bent_response_is_refused(lasting, genuine, name):
    made = CASES[name](etree.fromstring(genuine), lasting)
    document = made if isinstance(made, bytes) else etree.tostring(made)
    assert document != genuine
    signed_on = len(lasting.coursera.sign_ons)

    accepted, why = lasting.judged(document, asked="_asked" if "never" in name else None)
    answer = lasting.told(document)

    assert not accepted and why
    assert answer.status_code == 403 and "not accepted" in answer.text
    assert len(lasting.coursera.sign_ons) == signed_on and not answer.cookies


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("xsw")])
def test_wrapping_is_refused_by_a_provider_that_wants_one_signature(lasting, genuine, name):
    root = etree.fromstring(genuine)
    whole = name.startswith(("xsw 1", "xsw 2"))
    without(root, "saml:Assertion/ds:Signature" if whole else "ds:Signature")
    if whole:
        # The response was signed with the assertion's signature in it: sign it without.
        root = _only_the_whole(root, lasting)
    lenient = {"wantMessagesSigned": whole, "wantAssertionsSigned": not whole}
    control = lasting.judged(etree.tostring(root), **lenient)
    assert control == (True, lasting.school.learners[0].email)

    accepted, who = lasting.judged(etree.tostring(CASES[name](root, lasting)), **lenient)
    assert not (accepted and who == EVIL)
    assert not accepted


def _only_the_whole(root, world):
    with world.app.app_context():
        loaded = keys.active_key(world.services.tool)
    without(root, "ds:Signature")
    place = etree.Element(f"{{{NS['ds']}}}Signature", Id="placeholder", nsmap={"ds": NS["ds"]})
    root.insert(1, place)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    return signer.sign(
        root, key=loaded.private_key, cert=[pem(loaded.certificate)],
        reference_uri=f"#{root.get('ID')}", id_attribute="ID",
    )  # fmt: skip


@pytest.mark.parametrize("place", ["before", "within", "after"])
def test_a_comment_in_the_name_makes_nobody_else(lasting, genuine, place):
    """Canonicalization drops comments, so the signature still fits: the name must stay whole."""
    amy = lasting.school.learners[0].email
    at = {"before": 0, "within": 3, "after": len(amy)}[place]
    cut = amy[:at] + "<!-- x -->" + amy[at:]
    document = genuine.replace(f">{amy}</saml:NameID>".encode(), f">{cut}</saml:NameID>".encode())
    assert document != genuine

    accepted, who = lasting.judged(document)
    assert not accepted or who == amy
    answer = lasting.told(document)
    assert answer.status_code == 403 and "no comments" in answer.text


@pytest.mark.parametrize(
    ("hours", "why"), [(-1, "expired"), (1, "not yet valid")], ids=["expired", "not yet valid"]
)
def test_a_response_of_another_time_is_refused(world, hours, why):
    clock = world.services.clock
    with world.app.app_context():
        keys.active_key(world.services.tool)
    world.services.clock = lambda: clock() + timedelta(hours=hours)
    document = signed_at(world)
    world.services.clock = clock
    accepted, said = world.judged(document)
    assert not accepted and why.split()[-1][:5] in said.lower().replace("early", "valid")
    assert world.told(document).status_code == 403


def signed_at(world):
    """A response as of the world's clock; the campus keeps the real time, so no launch makes it."""
    now = world.services.clock()
    provider = of_organisation(world.services.config, "practice")
    who = Subject("amy@campus.example", "", "", "", now, "_s")
    with world.app.app_context():
        return asserted(provider, who, keys.active_key(world.services.tool), now).document


def test_an_answer_for_one_learner_does_not_answer_the_request_of_another(world):
    """Two requests are open; the response to one is no answer to the other, and works once."""
    world.use(begins_at="coursera")
    one = world.provider.ask(world.coursera.url + "/")
    two = world.provider.ask(world.coursera.url + "/")
    first, second = list(world.provider.asked)
    _, browser = world.leave(world.school.learners[0])
    page = read_page(one.url, browser.get(one.url, timeout=10))
    document = base64.b64decode(page.form().value("SAMLResponse"))
    assert etree.fromstring(document).get("InResponseTo") == first
    assert not world.judged(document, asked=second)[0]
    assert world.judged(document, asked=first)[0]
    assert world.told(document).status_code == 303
    assert "was answered" in world.told(document).text
    assert two.url != one.url
