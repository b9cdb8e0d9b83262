"""Every refusal of a launch, and the order of the checks. Nothing but LaunchRefused leaves."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti import state as flows
from passport_lti.lti.claims import CLAIM, DEEP_LINKING
from passport_lti.lti.oidc import begin_login
from passport_lti.models import Deployment, LaunchLog

BASE = "https://passport.example.edu"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def refused(call: Callable[[], Any]) -> LaunchRefused:
    with pytest.raises(LaunchRefused) as caught:
        call()
    assert 400 <= caught.value.status < 500
    return caught.value


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def linking(world: Any, **settings: Any) -> dict[str, Any]:
    """The changes that make a deep linking request of a resource link request."""
    return {
        "message_type": "LtiDeepLinkingRequest",
        "resource_link": None,
        "roles": [ROLE + "Instructor"],
        "deep_linking_settings": {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe"],
            "deep_link_return_url": f"{world.there.url}/return?course=2",
            **settings,
        },
    }


def test_a_good_launch_is_read(world):
    verified = world.launch()
    launch = verified.launch
    assert verified.same_browser and verified.platform.name == "campus"
    assert (launch.sub, launch.role, launch.email) == ("4", "learner", "amy@example.edu")
    assert launch.context.history == ("1",)
    assert "left" not in launch.custom, "a variable that was not replaced is unknown"


def after(seconds: int) -> timedelta:
    """A time of a claim, counted from the moment of the launch."""
    return timedelta(seconds=seconds)


CLAIM_CASES = {
    "version 1.2": ({"version": "1.2.0"}, "version"),
    "version 1.3": ({"version": "1.3"}, "version"),
    "version a number": ({"version": 1.3}, "malformed"),
    "no version": ({"version": None}, "version"),
    "type unknown": ({"message_type": "LtiSubmissionReviewRequest"}, "message_type"),
    "no type": ({"message_type": None}, "message_type"),
    "type a list": ({"message_type": ["LtiResourceLinkRequest"]}, "malformed"),
    "no target": ({"target_link_uri": None}, "claims_missing"),
    "no deployment": ({"deployment_id": None}, "deployment_missing"),
    "deployment a number": ({"deployment_id": 1}, "malformed"),
    "deployment long": ({"deployment_id": "1" * 300}, "malformed"),
    "deployment unknown": ({"deployment_id": "2"}, "deployment_unknown"),
    "no link": ({"resource_link": None}, "resource_link_missing"),
    "link without id": ({"resource_link": {"title": "x"}}, "resource_link_missing"),
    "link id empty": ({"resource_link": {"id": ""}}, "resource_link_missing"),
    "link id long": ({"resource_link": {"id": "7" * 256}}, "malformed"),
    "link a text": ({"resource_link": "7"}, "malformed"),
    "link a list": ({"resource_link": []}, "malformed"),
    "no sub": ({"sub": None}, "sub_missing"),
    "sub empty": ({"sub": ""}, "sub_missing"),
    "sub a number": ({"sub": 4}, "malformed"),
    "sub long": ({"sub": "4" * 300}, "malformed"),
    "sub with control": ({"sub": "4\n5"}, "malformed"),
    "sub with NUL": ({"sub": "4\x00"}, "malformed"),
    "no roles": ({"roles": None}, "roles_missing"),
    "roles a text": ({"roles": ROLE + "Instructor"}, "malformed"),
    "roles an empty text": ({"roles": ""}, "malformed"),
    "several missing": ({"sub": None, "roles": None}, "claims_missing"),
    "context a text": ({"context": "2"}, "malformed"),
    "context id a number": ({"context": {"id": 2}}, "malformed"),
    "custom a text": ({"custom": "x=1"}, "malformed"),
    "name a number": ({"name": 5}, "malformed"),
    "name with NUL": ({"name": "Amy\x00"}, "malformed"),
    "name half a surrogate": ({"name": "Amy \ud800"}, "malformed"),
    "target elsewhere": ({"target_link_uri": "https://evil.example/lti/launch"}, "target_link"),
    "target not the login's": ({"target_link_uri": BASE + "/lti/other"}, "target_link"),
    "target a script": ({"target_link_uri": "javascript:alert(1)"}, "target_link"),
    "target a number": ({"target_link_uri": 5}, "malformed"),
    "aud other": ({"aud": "other"}, "audience"),
    "aud longer": ({"aud": "client-12"}, "audience"),
    "aud none": ({"aud": None}, "audience"),
    "aud empty": ({"aud": []}, "audience"),
    "aud object": ({"aud": {"client-1": 1}}, "audience"),
    "aud extra": ({"aud": ["client-1", "other"]}, "audience"),
    "aud extra, azp right": ({"aud": ["other", "client-1"], "azp": "client-1"}, "audience"),
    "azp wrong": ({"azp": "other"}, "azp"),
    "iss slash": ({"iss": "slash"}, "issuer_unknown"),
    "iss unknown": ({"iss": "https://evil.example"}, "issuer_unknown"),
    "iss half a surrogate": ({"iss": "\ud800"}, "malformed"),
    "no iss": ({"iss": None}, "issuer_unknown"),
    "no exp": ({"exp": None}, "exp_missing"),
    "exp long past": (
        {"exp": after(-3600), "iat": after(-3660)},
        "expired",
    ),
    "exp past, out of leeway": (
        {"exp": after(-65), "iat": after(-125)},
        "expired",
    ),
    "exp text": ({"exp": "tomorrow"}, "malformed"),
    "exp true": ({"exp": True}, "malformed"),
    "exp negative": ({"exp": -1}, "expired"),
    "exp huge": ({"exp": 1e308}, "malformed"),
    "exp huge integer": ({"exp": 10**400}, "malformed"),
    "exp in 10 years": ({"exp": after(315_360_000)}, "expired"),
    "exp before iat": ({"iat": after(30), "exp": after(20)}, "expired"),
    "no iat": ({"iat": None}, "iat_missing"),
    "iat a day old": ({"iat": after(-86_400)}, "expired"),
    "iat 15 min old": ({"iat": after(-900), "exp": after(60)}, "expired"),
    "iat 5 min ahead": (
        {"iat": after(300), "exp": after(360)},
        "not_yet_valid",
    ),
    "nbf 5 min ahead": (
        {"nbf": after(300), "exp": after(360)},
        "not_yet_valid",
    ),
    "no nonce": ({"nonce": None}, "nonce_missing"),
    "nonce not ours": ({"nonce": "0" * 64}, "nonce_unknown"),
    "nonce a number": ({"nonce": 5}, "malformed"),
}


@pytest.mark.parametrize("case", CLAIM_CASES)
def test_bad_claims_are_refused(world, case):
    changes, code = CLAIM_CASES[case]
    if changes.get("iss") == "slash":
        changes = {"iss": world.there.url + "/"}
    assert refused(lambda: world.launch(**changes)).code == code
    assert db.session.query(LaunchLog).count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": after(20), "exp": after(80)},
        {"iat": after(-90), "exp": after(-30)},
        {"aud": ["client-1"]},
        {"azp": "client-1"},
        {"name": None, "email": None, "context": None, "custom": None},
        {"ext": {"user_username": 5}},
        {"roles": []},
        {"roles": [""]},
        {"roles": [ROLE + "Learner"] * 1000},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_odd_but_legal_launches_pass(world, changes):
    assert world.launch(**changes).launch.sub == "4"


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ([], "none"),
        ([""], "none"),
        ([5, None, {}], "none"),
        (["http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"], "none"),
        (["http://evil.example/membership#Instructor"], "none"),
        ([ROLE + "InstructorX"], "none"),
        (["Instructor"], "instructor"),
        (["Learner"], "learner"),
        ([ROLE + "Learner", ROLE + "Instructor"], "instructor"),
        (["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"], "none"),
    ],
)
def test_unknown_roles_are_the_least_privilege(world, roles, role):
    assert world.launch(roles=roles).launch.role == role


def test_several_missing_claims_are_all_named(world):
    error = refused(
        lambda: world.launch(
            message_type="LtiDeepLinkingRequest", target_link_uri=None, sub=None, version=None
        )
    )
    assert error.code == "claims_missing"
    for name in ("target_link_uri", "sub", "version", "deep_linking_settings"):
        assert name in error.detail


HEADERS = {
    "alg none": ({"alg": "none"}, "alg"),
    "HS256": ({"alg": "HS256"}, "alg"),
    "RS512": ({"alg": "RS512"}, "alg"),
    "ES256": ({"alg": "ES256"}, "alg"),
    "PS256": ({"alg": "PS256"}, "alg"),
    "no kid": ({"kid": None}, "kid_missing"),
    "empty kid": ({"kid": ""}, "kid_missing"),
    "unknown kid": ({"kid": "../../etc/passwd"}, "kid_unknown"),
    "sql kid": ({"kid": "' OR 1=1 --"}, "kid_unknown"),
    "long kid": ({"kid": "k" * 10_000}, "kid_unknown"),
    "kid a number": ({"kid": 1}, "kid_unknown"),
    "crit": ({"crit": ["exp"]}, "malformed"),
    "jku": ({"kid": "k2", "jku": "https://evil.example/jwks"}, "kid_unknown"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_bad_headers_are_refused(world, case):
    changes, code = HEADERS[case]
    query, cookies = world.login()
    good = world.sign(world.claims(query["nonce"]))
    _, claims, signature = good.split(".")
    header = {"alg": "RS256", "kid": "k1", "typ": "JWT", **changes}
    token = f"{part(header)}.{claims}.{signature}"
    form = {"id_token": token, "state": query["state"]}
    assert refused(lambda: world.verify(form, cookies)).code == code


def test_signatures_of_others_are_refused(world):
    query, cookies = world.login()
    claims = world.claims(query["nonce"])
    public = world.keys[0].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
    mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    other = world.sign(claims, key=world.keys[1])
    embedded = world.sign(claims, {"jwk": world.jwk(world.keys[1], "k1")}, key=world.keys[1])
    elliptic = jwt.encode(
        claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers={"kid": "k1"}
    )
    head, _, tail = world.sign(claims).split(".")
    tampered = f"{head}.{part({**claims, 'sub': '5'})}.{tail}"
    for token, code in [
        (f"{signed}.{part(mac)}", "alg"),
        (elliptic, "alg"),
        (other, "signature"),
        (embedded, "signature"),
        (tampered, "signature"),
        (f"{head}.{part(claims)}.", "signature"),
    ]:
        form = {"id_token": token, "state": query["state"]}
        assert refused(lambda form=form: world.verify(form, cookies)).code == code


HEAD = part({"alg": "RS256", "kid": "k1"})
PAYLOADS: dict[str, Any] = {
    "a list": [1],
    "a text": "x",
    "a number": 5,
    "a name twice": b'{"sub":"1","sub":"2"}',
    "NaN": b'{"exp": NaN}',
    "deep": b"[" * 10_000,
    "digits": b'{"exp": ' + b"9" * 9000 + b"}",
    "not UTF-8": b"{\xff}",
}
TOKENS = {
    "none": "",
    "garbage": "garbage",
    "2 parts": "a.b",
    "5 parts": "a.b.c.d.e",
    "5 sound parts": ".".join([HEAD, part({}), "eA", "eA", "eA"]),
    "spaces": " . . ",
    "not ASCII": "é.b.c",
    "bad base64": "!!!.###.$$$",
    "header a list": f"{part([])}.{part({})}.eA",
    "1 MB": "a" * 1_000_000,
    **{name: f"{HEAD}.{part(payload)}.eA" for name, payload in PAYLOADS.items()},
}


@pytest.mark.parametrize("case", TOKENS)
def test_tokens_that_are_none_are_malformed(world, case):
    query, cookies = world.login()
    form = {"id_token": TOKENS[case], "state": query["state"]}
    assert refused(lambda: world.verify(form, cookies)).code == "malformed"


def test_a_message_that_is_no_launch_is_refused(world):
    token = world.sign({"name": "badltilaunch"})
    assert refused(lambda: world.verify({"id_token": token}, {})).code == "issuer_unknown"
    token = world.sign({"name": "badltilaunch", "iss": world.there.url})
    assert refused(lambda: world.verify({"id_token": token}, {})).code == "audience"


def test_the_platforms_own_error_is_shown(world):
    form = {"error": "access_denied", "error_description": "x", "state": "y"}
    error = refused(lambda: world.verify(form, {}))
    assert error.code == "platform_error" and "access_denied" in error.detail


def test_states_and_browsers(world):
    query, cookies = world.login()
    other, others = world.login()
    token = world.sign(world.claims(query["nonce"]))

    def code(state: str, cookies: dict[str, str]) -> str:
        form = {"id_token": token, "state": state}
        return refused(lambda: world.verify(form, cookies)).code

    (name, value) = next(iter(cookies.items()))
    assert name.startswith("__Host-")
    assert code("", cookies) == "state_missing"
    assert code(query["state"] + "x", cookies) == "state_unknown"
    assert code("\ud800", cookies) == "state_unknown"
    assert code("x" * 100_000, cookies) == "state_unknown"
    assert code(other["state"], others) == "nonce_unknown", "a nonce is bound to its state"
    assert code(query["state"], others) == "state_browser"
    assert code(query["state"], {name: value[:-1] + "x"}) == "state_browser"
    form = {"id_token": token, "state": query["state"]}
    assert not world.verify(form, {"theirs": "1"}).same_browser
    # H40: an attacker's own flow, its cookie planted by a sibling sub-domain, which can't use the
    # prefix: the person is asked.
    assert not world.verify(form, {name.removeprefix("__Host-"): value}).same_browser
    assert world.verify(form, {**cookies, **others}).same_browser


def test_a_flow_ends_after_ten_minutes(world):
    query, cookies = world.login()
    claims = world.claims(query["nonce"], iat=after(620), exp=after(680))
    form = {"id_token": world.sign(claims), "state": query["state"]}
    world.clock.ahead = timedelta(seconds=660)
    assert refused(lambda: world.verify(form, cookies)).code == "state_unknown"
    world.clock.ahead = timedelta(seconds=590)
    assert world.verify(form, cookies).launch.sub == "4"


def test_a_message_counts_once(world):
    query, cookies = world.login()
    form = {"id_token": world.sign(world.claims(query["nonce"])), "state": query["state"]}
    verified = world.verify(form, cookies)
    again = world.verify(form, cookies)
    world.accept(verified)
    assert refused(lambda: world.accept(again, "c2")).code == "nonce_reused"
    assert refused(lambda: world.verify(form, cookies)).code == "nonce_reused"
    assert db.session.query(LaunchLog).count() == 1


def test_hostile_custom_values_are_refused_and_use_no_nonce(world):
    for value in ("../../evil?x=//evil.example", "javascript:alert(1)", "@evil", "a\r\nb", "．．"):
        custom = {"coursera_program": "p", "coursera_course": value, "strategy": "final_grade"}
        verified = world.launch(custom=custom)
        assert refused(lambda v=verified: world.accept(v, "c")).code == "malformed"
    assert db.session.query(LaunchLog).count() == 0


def test_an_unknown_deployment_waits_once(world):
    for _ in range(2):
        error = refused(lambda: world.launch(deployment_id="9"))
        assert (error.code, error.status) == ("deployment_unknown", 403)
    row = db.session.query(Deployment).filter_by(deployment_id="9").one()
    assert row.state == "waiting"
    row.state = "approved"
    db.session.commit()
    assert world.launch(deployment_id="9").launch.deployment_id == "9"


def test_deep_linking_requests(world):
    settings = world.launch(**linking(world, data="opaque &=")).launch.deep_linking
    assert settings.data == "opaque &=" and settings.accept_multiple
    assert world.launch(**linking(world)).launch.deep_linking.data is None
    admin = ["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"]
    assert world.launch(**linking(world) | {"roles": admin}).launch.is_admin
    for changes, code in [
        ({"roles": [ROLE + "Learner"]}, "role_not_allowed"),
        ({"roles": ["https://evil.example/person#Administrator"]}, "role_not_allowed"),
        ({"deep_linking_settings": None}, "claims_missing"),
        (linking(world, deep_link_return_url="https://evil.example/r"), "malformed"),
        (linking(world, deep_link_return_url="javascript:alert(1)"), "malformed"),
        (linking(world, accept_types=["link"]), "malformed"),
    ]:
        error = refused(lambda changes=changes: world.launch(**linking(world) | changes))
        assert error.code == code, changes


ORDER: list[tuple[dict[str, Any], str]] = [
    ({"aud": "other"}, "audience"),
    ({"exp": None}, "exp_missing"),
    ({"nonce": "x"}, "nonce_unknown"),
    ({"sub": None}, "sub_missing"),
    ({"deployment_id": "9"}, "deployment_unknown"),
]


def test_the_first_check_that_fails_names_the_refusal(world):
    """Key and signature, issuer and audience, times, nonce, claims, deployment."""
    for first in range(len(ORDER)):
        changes: dict[str, Any] = {}
        for later, _ in ORDER[first:]:
            changes |= later
        assert refused(lambda changes=changes: world.launch(**changes)).code == ORDER[first][1]
        query, _ = world.login()
        token = world.sign(world.claims(query["nonce"], **changes), key=world.keys[1])
        assert refused(lambda t=token: world.verify({"id_token": t}, {})).code == "signature"


def test_addresses_of_services_are_whole_or_refused(world):
    ags = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
    query, cookies = world.login()
    claims = world.claims(query["nonce"])
    for url, accepted in [
        ("https://campus.example/lineitems?type_id=1", True),
        ("https://campus.example/" + "x" * 2000, False),
        ("file:///etc/passwd", False),
        (5, False),
    ]:
        form = {
            "id_token": world.sign({**claims, ags: {"lineitems": url, "scope": []}}),
            "state": query["state"],
        }
        if accepted:
            assert world.verify(form, cookies).launch.line_items_url == url
        else:
            assert refused(lambda f=form: world.verify(f, cookies)).code == "malformed"


# --- the login


LOGINS = {
    "iss unknown": ({"iss": "https://evil.example"}, "issuer_unknown"),
    "iss none": ({"iss": ""}, "malformed"),
    "iss NUL": ({"iss": "a\x00"}, "malformed"),
    "iss half a surrogate": ({"iss": "\ud800"}, "malformed"),
    "client wrong": ({"client_id": "client-2"}, "client_unknown"),
    "no hint": ({"login_hint": ""}, "malformed"),
    "hint 100 kB": ({"lti_message_hint": "x" * 100_000}, "malformed"),
    "200 parameters": ({f"p{n}": "x" for n in range(200)}, "malformed"),
    "no target": ({"target_link_uri": ""}, "malformed"),
    "target evil": ({"target_link_uri": "https://evil.example/lti/launch"}, "target_link"),
    "target user": ({"target_link_uri": "https://u@passport.example.edu/x"}, "target_link"),
    "target prefix": ({"target_link_uri": BASE + ".evil.example/x"}, "target_link"),
    "target http": ({"target_link_uri": BASE.replace("https", "http") + "/x"}, "target_link"),
    "target script": ({"target_link_uri": "javascript:alert(1)"}, "target_link"),
    "target CRLF": ({"target_link_uri": BASE + "/x\r\nSet-Cookie: a=b"}, "target_link"),
    "target backslash": ({"target_link_uri": "https:\\\\evil.example"}, "target_link"),
    "target port": ({"target_link_uri": BASE + ":99999/x"}, "target_link"),
}


@pytest.mark.parametrize("case", LOGINS)
def test_bad_logins_are_refused(world, case):
    changes, code = LOGINS[case]
    assert refused(lambda: world.login(**changes)).code == code


def test_a_tool_below_a_path_owns_that_path_alone(world):
    world.config = world.configure(BASE + "/coursera")
    assert world.login(target_link_uri=BASE + "/coursera/lti/launch")
    for target in ("/lti/launch", "/courseraX/lti/launch", "/coursera/../admin"):
        error = refused(lambda t=target: world.login(target_link_uri=BASE + t))
        assert error.code == "target_link"


def test_a_login_sends_back_what_moodle_wants(world):
    hint = '{"cmid":2,"launchid":"ltilaunch1_930034447 &+"}'
    start = begin_login(
        world.tool,
        {
            "iss": world.there.url, "login_hint": "0", "lti_message_hint": hint,
            "target_link_uri": f"{BASE}/lti/launch",
        },
    )  # fmt: skip
    assert start.url.startswith(f"{world.there.url}/auth?site=1&"), "a query is kept"
    query, _ = world.login(lti_message_hint=hint)
    assert query["lti_message_hint"] == hint
    assert (query["scope"], query["response_type"]) == ("openid", "id_token")
    assert (query["response_mode"], query["prompt"]) == ("form_post", "none")
    assert query["redirect_uri"] == f"{BASE}/lti/launch"
    assert flows.unseal(world.tool.secret, query["state"], world.clock()).nonce == query["nonce"]
    assert len(flows.nonce_key(query["nonce"])) == 64


# --- fuzz


JUNK: list[Any] = [
    None, True, False, 0, -1, 5, 1e308, 10**30, "", " ", "x", "\x00", "\ud800", "é" * 300, "$X",
    [], [[]], [None], {}, {"id": None}, {"id": "x"}, {"id": {"id": 1}}, {"a": [1]},
    "\u202e<script>", "https://evil.example/", "javascript:alert(1)", [ROLE],
    ROLE + "Instructor", "1" * 5000,
]  # fmt: skip


def test_no_mutation_brings_anything_but_a_refusal(world):
    """2,000 random changes of a good token, form, cookies and login."""
    chance = random.Random(20_26)
    outcomes: dict[str, int] = {}
    for _ in range(2000):
        query, cookies = world.login()
        claims = world.claims(query["nonce"])
        if chance.random() < 0.3:
            claims = world.claims(query["nonce"], **linking(world))
        headers = {"alg": "RS256", "kid": "k1", "typ": "JWT"}
        names = [*claims, DEEP_LINKING, CLAIM + "lis", CLAIM + "launch_presentation", "azp", "nbf"]
        for _ in range(chance.choice([0, 1, 1, 2])):
            name = chance.choice(names)
            value = chance.choice(JUNK)
            if isinstance(claims.get(name), dict) and chance.random() < 0.6:
                claims[name] = {**claims[name], chance.choice([*claims[name], "new"]): value}
            elif chance.random() < 0.2:
                claims.pop(name, None)
            else:
                claims[name] = value
        if chance.random() < 0.2:
            headers[chance.choice(["alg", "kid", "crit", "b64", "typ", "jku"])] = chance.choice(
                JUNK
            )
        signed = f"{part(headers)}.{part(claims)}"
        token = f"{signed}.{part(world.raw_signature(signed))}"
        if chance.random() < 0.2:
            place = chance.randrange(len(token))
            token = token[:place] + chance.choice("aA.=-_é \x00") + token[place + 1 :]
        form = {"id_token": token, "state": query["state"]}
        if chance.random() < 0.15:
            form[chance.choice(["id_token", "state", "error"])] = str(chance.choice(JUNK))
        try:
            verified = world.verify(form, cookies if chance.random() < 0.9 else {})
            world.accept(verified, "fuzz")
            outcome = "ok"
        except LaunchRefused as error:
            assert 400 <= error.status < 500
            outcome = error.code
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        login = {"iss": world.there.url, "login_hint": "4", "target_link_uri": BASE + "/lti/launch"}
        login[chance.choice([*login, "client_id", "lti_message_hint", "x"])] = str(
            chance.choice(JUNK)
        )
        try:
            begin_login(world.tool, login)
        except LaunchRefused as error:
            assert 400 <= error.status < 500
    assert outcomes["ok"] > 200 and len(outcomes) > 15, outcomes
