"""From a click in the campus to "signed in as ... in item ..." at the practice Coursera."""

import base64
import re
from datetime import datetime, timedelta

import pytest
import requests
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

import databases
from passport_lti.sso import keys
from saml import NS, find, signed_in, visit

BEGINNINGS = {
    "by the tool": ({}, {}),
    "by Coursera, redirected": ({"begins_at": "coursera"}, {}),
    "by Coursera, posted": ({"begins_at": "coursera"}, {"by_post": True}),
    "by Coursera, signed and redirected": ({"begins_at": "coursera"}, {"signs": True}),
    "by Coursera, signed and posted": ({"begins_at": "coursera"}, {"signs": True, "by_post": True}),
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("choice", ["new", "existing"])
def test_a_click_leads_into_the_item_signed_in(world, beginning, choice):
    sso, options = BEGINNINGS[beginning]
    world.use(**sso)
    world.exchange(**options)
    if options.get("signs"):
        world.settings(certificate=world.provider.certificate, signed_requests=True)
    amy, item = world.school.learners[0], world.school.courses["linked"].items[0]
    old = {"email": "amy@private.example"} if choice == "existing" else {}

    first = visit(world, amy, choice=choice, **old)
    again = world.campus.browser(amy).launch(world.activity)

    where = f"Signed in as <strong>{amy.name}</strong>"
    for page in (first, again):
        assert signed_in(page) and where in page.text and item.name in page.text, page.text
        assert page.url.endswith(f"/item/{item.id}")
    asked = {who.asked for who in world.coursera.sign_ons}
    assert asked == {bool(sso)} and len(world.coursera.sign_ons) == 2
    assert {who.name_id for who in world.coursera.sign_ons} == {amy.email}
    account = world.coursera.tied[amy.email]
    assert account.email == (old.get("email") or amy.email)


def test_a_sign_on_takes_the_place_of_who_was_signed_in_before(world):
    amy, ben = world.school.learners[:2]
    shared = world.campus.browser(amy)
    visit(world, amy, shared)
    shared.person = ben
    shared.sign_in()
    page = visit(world, ben, shared)
    assert f"Signed in as <strong>{ben.name}</strong>" in page.text


def test_an_encrypted_assertion_is_read_by_coursera_alone(world):
    world.exchange(encrypted=True)
    world.settings(certificate=world.provider.certificate, encrypt=True)
    amy = world.school.learners[0]
    document = world.said(amy)
    assert amy.email.encode() not in document and b"Assertion>" in document
    assert world.judged(document) == (True, amy.email)
    world.exchange(encrypted=True)
    assert not world.judged(document)[0]  # another key now
    world.settings(certificate=world.provider.certificate, encrypt=True)
    assert signed_in(visit(world, amy))


def test_an_assertion_says_who_for_whom_and_for_how_long(world):
    amy = world.school.learners[0]
    root = etree.fromstring(world.said(amy))
    assertion = find(root, "saml:Assertion")
    name_id = find(assertion, "saml:Subject/saml:NameID")
    assert name_id.text == amy.email and name_id.get("Format", "").endswith(":persistent")
    assert find(assertion, ".//saml:Audience").text == world.provider.entity_id
    confirmation = find(assertion, ".//saml:SubjectConfirmationData")
    assert confirmation.get("Recipient") == root.get("Destination") == world.provider.acs_url
    assert confirmation.get("InResponseTo") is None and root.get("InResponseTo") is None
    assert find(assertion, ".//saml:OneTimeUse") is not None
    facts = {
        node.get("Name"): node.findtext("saml:AttributeValue", namespaces=NS)
        for node in assertion.iterfind(".//saml:Attribute", NS)
    }
    assert facts == {"email": amy.email, "firstName": amy.given, "lastName": amy.family}
    assert len(root.findall("ds:Signature", NS)) == len(assertion.findall("ds:Signature", NS)) == 1
    times = [find(assertion, "saml:Conditions").get(name) for name in ("NotBefore", "NotOnOrAfter")]
    start, end = (datetime.fromisoformat(text or "") for text in times)
    assert end - start <= timedelta(minutes=5)
    assert confirmation.get("NotOnOrAfter") == times[1]


def test_names_that_are_markup_stay_names(world):
    amy = world.school.learners[0]
    amy.given, amy.family = 'A<b>&"', "]]><!-- x"
    document = world.said(amy)
    ok, who = world.judged(document)
    assert (ok, who) == (True, amy.email)
    assert amy.given in [node.text for node in etree.fromstring(document).iter("{*}AttributeValue")]


def test_two_assertions_are_never_the_same_and_each_works_once(world):
    amy = world.school.learners[0]
    one, two = world.said(amy), world.said(amy)
    assert find(etree.fromstring(one), "saml:Assertion").get("ID") != (
        find(etree.fromstring(two), "saml:Assertion").get("ID")
    )
    assert world.told(one).status_code == 303
    again = world.told(one)
    assert again.status_code == 403 and "used already" in again.text
    assert world.told(two).status_code == 303


def test_in_a_frame_a_click_opens_a_window_and_signs_in_there(world):
    amy = world.school.learners[0]
    world.activity.tool.container = "iframe"
    browser = world.campus.browser(amy, third_party_cookies=False)
    page = browser.launch(world.activity)
    page = browser.submit(page.form("/lti/confirm"))
    [link] = [url for text, url in page.links if "Open in Coursera" in text]
    world.activity.tool.container = "window"
    framed, _ = world.leave(amy, **{"Sec-Fetch-Dest": "iframe"})
    assert framed.auto_form is None and "SAMLResponse" not in framed.text
    assert any("/go/" in url for _, url in framed.links) and 'target="_blank"' in framed.text
    [grades] = [url for text, url in framed.links if text == "My grades"]
    assert requests.get(grades, timeout=10).status_code == 200
    browser.top = None
    browser.get(link)
    assert browser.follow_auto_forms().title.startswith("Your first visit")


def test_the_page_with_the_assertion_may_post_to_coursera_only(world):
    page, _ = world.leave(world.school.learners[0])
    policy = page.headers["Content-Security-Policy"]
    allowed = re.search(r"form-action ([^;]*)", policy)
    assert allowed and allowed[1].split() == ["'self'", world.coursera.url]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.form().action == world.provider.acs_url and page.auto_form


def test_an_old_way_out_signs_nobody_in(world):
    way = requests.compat.urljoin(world.url, world.way_out(world.school.learners[0]))
    clock = world.services.clock
    world.services.clock = lambda: clock() + timedelta(minutes=31)
    answer = requests.get(way, allow_redirects=False, timeout=10)
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"


@pytest.mark.parametrize("begins_at", ["tool", "coursera"])
def test_whom_the_platform_hides_is_told_so(world, begins_at):
    amy = world.school.learners[0]
    world.use(begins_at=begins_at)
    _ = world.activity
    world.activity.tool.share_email = False
    amy.email = ""
    page, _ = world.leave(amy)
    assert page.status == 403 and page.headers["X-SAML-Error"] == "external_id"
    assert "does not say who you are" in page.text


def test_a_teacher_who_opens_the_activity_is_not_signed_in(world):
    browser = world.campus.browser(world.school.teacher)
    page = browser.launch(world.activity)
    assert "/activities/" in page.url and not world.coursera.sign_ons


def test_without_the_partner_a_platform_that_wants_saml_explains_itself(world):
    world.configure(lambda config: config["coursera"]["practice"].pop("saml"))
    page, _ = world.leave(world.school.learners[0])
    assert page.status == 503 and page.headers["X-SAML-Error"] == "not_configured"


def test_another_organisation_at_the_same_coursera_knows_us_by_another_name(world):
    world.settings(own_entity_id=True)
    document = world.said(world.school.learners[0])
    assert not world.judged(document)[0]
    assert requests.get(f"{world.url}/saml/metadata/nobody", timeout=10).status_code == 404
    own = requests.get(f"{world.url}/saml/metadata/practice", timeout=10).text
    world.coursera.trust(own)
    assert world.judged(document) == (True, world.school.learners[0].email)
    world.use(begins_at="coursera")
    assert signed_in(visit(world, world.school.learners[0]))


def test_keys_rotate_in_two_steps_and_nobody_is_locked_out(world):
    amy = world.school.learners[0]

    def certificates() -> int:
        text = requests.get(f"{world.url}/saml/metadata", timeout=10).content
        return len(etree.fromstring(text).findall(".//ds:X509Certificate", NS))

    assert certificates() == 1
    made = world.command("keys", "rotate", "--saml")
    assert made.returncode == 0 and "waits" in made.stdout and certificates() == 2
    assert world.judged(world.said(amy))[0]  # the old key signs until Coursera knows the new one
    world.exchange()
    assert "signs from now on" in world.command("keys", "rotate", "--saml").stdout
    document = world.said(amy)
    assert world.judged(document) == (True, amy.email)
    listed = world.command("keys", "list").stdout
    assert listed.count("SAML") == 2 and listed.count("LTI") >= 1
    clock = world.services.clock
    world.services.clock = lambda: clock() + timedelta(hours=25)
    assert certificates() == 1


def test_the_keys_of_saml_and_lti_have_nothing_in_common(world):
    jwks = requests.get(f"{world.url}/lti/jwks.json", timeout=10).json()["keys"]
    with world.app.app_context():
        key = keys.active_key(world.services.tool)
        [row] = keys.listed()
    modulus = int.from_bytes(base64.urlsafe_b64decode(jwks[0]["n"] + "=="), "big")
    assert key.private_key.public_key().public_numbers().n != modulus
    assert row.fingerprint == key.certificate.fingerprint(SHA256()).hex()
    stored = str(databases.content(world.environ["DEMO_DATABASE"])["saml_key"])
    assert "BEGIN CERTIFICATE" in stored and "PRIVATE" not in stored


def test_the_metadata_of_coursera_is_enough(world, tmp_path):
    file = tmp_path / "coursera.xml"
    file.write_text(requests.get(f"{world.coursera.url}/saml/metadata", timeout=10).text)
    world.configure(
        lambda config: config["coursera"]["practice"].update(saml={"metadata": str(file)})
    )
    saml = world.services.config.coursera["practice"].saml
    assert (saml.entity_id, saml.acs_url) == (world.provider.entity_id, world.provider.acs_url)
    assert signed_in(visit(world, world.school.learners[0]))


def test_a_changed_address_makes_no_second_person(world):
    amy = world.school.learners[0]
    before = amy.email
    visit(world, amy)
    amy.email = "Amy.Married@campus.example"
    assert signed_in(world.campus.browser(amy).launch(world.activity))
    assert [who.name_id for who in world.coursera.sign_ons] == [before, before]
    assert world.coursera.sign_ons[1].email == amy.email
