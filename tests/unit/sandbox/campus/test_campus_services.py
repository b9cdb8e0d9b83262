"""Tokens, rosters, faults and dynamic registration."""

import time

import pytest
import requests

from passport_lti.sandbox.campus.registration import TOOL_CONFIGURATION, registration_token

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


def test_a_token_is_json_in_disguise_with_the_permitted_scopes(world):
    world.tool.ags = 1
    answer = world.client.ask_token(f"{AGS}lineitem {AGS}score other")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.json()["scope"] == AGS + "score"
    assert len(answer.json()["access_token"]) == 32


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"iat": int(time.time()) + 3600}, "Cannot handle token"),
        ({"exp": int(time.time()) - 10}, "Expired token"),
        ({"sub": "nobody"}, "invalid_client"),
    ],
)
def test_assertions_are_checked_without_leeway(world, claims, error):
    answer = world.client.ask_token(**claims)
    assert answer.status_code == 400
    assert error in answer.json()["error"]


def test_what_moodle_does_not_check(world):
    for _ in range(2):
        answer = world.client.ask_token(aud="elsewhere", iss="x", exp=None, jti="same")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "unknown"}, "invalid_scope"),
    ],
)
def test_token_errors(world, form, error):
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    good = {
        "grant_type": "client_credentials",
        "client_assertion_type": kind,
        "client_assertion": world.client.sign({"sub": world.tool.client_id}),
        "scope": NRPS,
    }
    assert world.client.post_form(good).status_code == 200
    assert world.client.post_form({**good, **form}).json() == {"error": error}


def test_the_tools_keys_are_read_again_only_when_a_check_fails(world):
    for _ in range(3):
        world.client.token()
    assert world.campus.ledger.count("tool_jwks") == 1
    world.client.new_key("two")
    world.client.token()
    assert world.campus.ledger.count("tool_jwks") == 2


def test_an_unknown_kid_answers_broken_json(world):
    world.client.token()
    answer = world.client.post_form(
        {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": world.client.sign({"sub": world.tool.client_id}, kid="unknown"),
            "scope": NRPS,
        }
    )
    assert answer.status_code == 400
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def members(world, query=""):
    root = f"{world.campus.url}/mod/lti/services.php/CourseSection/{world.context.id}"
    return world.client.call("GET", f"{root}/bindings/1/memberships{query}")


def test_the_roster_has_short_roles_and_active_people_only(world):
    world.campus.suspend(world.context, world.ben)
    found = members(world).json()["members"]
    assert [(m["name"], m["roles"], m["status"]) for m in found] == [
        ("Amy Adams", ["Learner"], "Active"),
        ("Tara Teacher", ["Instructor"], "Active"),
    ]
    world.tool.share_name = world.tool.share_email = False
    assert set(members(world).json()["members"][0]) == {
        "status",
        "roles",
        "user_id",
        "lis_person_sourcedid",
    }


def test_the_next_link_of_the_roster_loses_the_role(world):
    page = members(world, "?role=Learner&limit=1")
    assert [m["user_id"] for m in page.json()["members"]] == [world.amy.id]
    assert page.links["next"]["url"].endswith("/memberships?limit=1&from=1")
    assert [m["user_id"] for m in members(world, "?limit=2&from=1").json()["members"]] == [
        world.ben.id,
        world.tara.id,
    ]
    assert len(members(world, "?role=Mentor").json()["members"]) == 3
    assert members(world, "?rlid=99").status_code == 404
    assert "message" in members(world, f"?rlid={world.quiz.id}").json()["members"][0]


def test_faults(world):
    url = world.line_item_url()
    world.campus.faults.add("lineitem", status=429, headers={"Retry-After": "7"}, body="slow")
    answer = world.client.call("GET", url)
    assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "7", "slow")
    assert world.client.call("GET", url).status_code == 200
    before = world.campus.faults.add("scores", drop="before", match=lambda m, t, b: b"Amy" in b)
    assert world.score(scoreGiven=10) == 200
    with pytest.raises(requests.ConnectionError):
        world.score(5, scoreGiven=20, comment="Amy")
    assert (before.hits, world.value()) == (1, 5)
    world.campus.faults.add("*", drop="after", match="POST /mod/lti/services")
    with pytest.raises(requests.ConnectionError):
        world.score(5, scoreGiven=20)
    assert world.value() == 10
    assert world.campus.ledger.count("scores", status=0) == 2


@pytest.fixture
def register(world):
    """Register a tool as its registration page would; changes by keyword."""

    def register(token=None, **changes):
        tool = {
            "domain": "tool.example",
            "target_link_uri": "https://tool.example/lti/launch",
            "claims": ["sub", "email"],
            "messages": [{"type": "LtiDeepLinkingRequest"}],
            "custom_parameters": {"x": "a=b"},
        }
        document = {
            "response_types": ["id_token"],
            "initiate_login_uri": "https://tool.example/login",
            "redirect_uris": ["https://tool.example/lti/launch"],
            "client_name": "Registered",
            "jwks_uri": "https://tool.example/jwks",
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": f"{AGS}score {AGS}lineitem",
            TOOL_CONFIGURATION: tool,
            **changes,
        }
        token = registration_token(world.campus) if token is None else token
        return requests.post(
            f"{world.campus.url}/mod/lti/openid-registration.php",
            json=document,
            headers={"Authorization": f"Bearer {token}", "Connection": "close"},
            timeout=10,
        )

    return register


def test_a_registered_tool_is_pending_framed_and_not_in_the_chooser(world, register):
    document = register().json()
    tool = world.campus.tool_by_client(document["client_id"])
    assert document[TOOL_CONFIGURATION]["deployment_id"] == tool.deployment_id
    assert (tool.state, tool.container, tool.in_chooser) == ("pending", "iframe", False)
    assert (tool.ags, tool.nrps, tool.accept_grades) == (2, False, "delegate")
    assert (tool.share_name, tool.share_email, tool.custom) == (False, True, "x=a=b")
    ada = world.campus.browser(world.campus.add_person("Ada", "Admin", admin=True))
    page = ada.get(f"{world.campus.url}/mod/lti/toolconfigure.php")
    form = next(f for f in page.forms if f.fields.get("id") == [tool.deployment_id])
    ada.submit(form, button="Activate")
    assert tool.state == "active"


def test_refused_registrations(world, register):
    token = registration_token(world.campus)
    assert register(token).status_code == 200
    assert (register(token).status_code, register(token).text) == (401, "token_already_used")
    assert register("").text == "missing_registration_token"
    assert register(client_name="").status_code == 400
    assert register(**{TOOL_CONFIGURATION: {}}).text == "missing_domain"
    wrong = {"domain": "a.example", "target_link_uri": "https://b.example"}
    assert register(**{TOOL_CONFIGURATION: wrong}).text == "domain_targetlinkuri_mismatch"


def test_people_click_through_the_campus(world):
    ada = world.campus.browser(world.campus.add_person("Ada", "Admin", admin=True))
    form = ada.get(f"{world.campus.url}/mod/lti/typessettings.php").form("typessettings")
    ada.submit(
        form,
        name="By hand",
        launch_url="https://t.example/lti",
        jwks_url="https://t.example/jwks",
        login_url="https://t.example/login",
        redirect_urls="https://t.example/lti\nhttps://t.example/two",
    )
    tool = list(world.campus.tools.values())[-1]
    assert (tool.name, len(tool.redirect_urls), tool.nrps) == ("By hand", 2, True)
    assert tool.client_id in ada.page.text
    tara = world.campus.browser(world.tara)
    tara.get(world.campus.url)
    tara.get(tara.page.link("Data Literacy"))
    assert tara.get(tara.page.link("Participants")).status == 200
    tara.get(tara.page.link("Grades"))
    cell = next(f for f in tara.page.forms if f.fields.get("person") == [world.amy.id])
    tara.submit(cell, value="41.5")
    assert world.value() == 41.5
    assert "41.5" in tara.page.text
