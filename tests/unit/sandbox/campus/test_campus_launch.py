"""Launches: the order of the dance, what is checked, what stands in the id_token."""

import jwt
import pytest

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"


def test_a_launch_carries_who_where_and_what(world):
    page = world.campus.browser(world.amy).launch(world.quiz)
    claims = world.client.claims
    assert (page.title, world.client.form["state"]) == ("Launched", "s-1")
    assert claims["sub"] == world.amy.id
    assert claims["aud"] == world.tool.client_id
    assert claims["exp"] - claims["iat"] == 60
    assert claims["nonce"] == "n-1"
    assert claims[CLAIM + "roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    assert claims[CLAIM + "context"]["type"] == ["CourseSection"]
    assert claims[CLAIM + "resource_link"]["id"] == world.quiz.id != world.quiz.cmid
    assert claims[ENDPOINT]["lineitem"] == world.line_item_url()
    assert claims[ROSTER]["context_memberships_url"].endswith("/bindings/1/memberships")


def test_the_id_token_is_signed_with_the_published_key(world):
    world.campus.browser(world.amy).launch(world.quiz)
    keys = {key["kid"]: jwt.PyJWK(key).key for key in world.campus.public_keys()["keys"]}
    old = world.client.header["kid"]
    jwt.decode(world.client.form["id_token"], keys[old], ["RS256"], audience=world.tool.client_id)
    world.campus.rotate_key()
    assert [key["kid"] for key in world.campus.public_keys()["keys"]] != [old]


def test_a_message_hint_works_once(world):
    browser = world.campus.browser(world.amy)
    browser.get(f"{world.campus.url}/mod/lti/launch.php?id={world.quiz.cmid}")
    login = browser.page.auto_form
    browser.submit(login)
    assert browser.page.auto_form.fields["id_token"]
    browser.submit(login)
    assert (browser.page.status, browser.page.auto_form) == (404, None)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "somebody"}, 200, "unauthorized_client"),
        ({"login_hint": "999"}, 200, "access_denied"),
        ({"prompt": "login"}, 200, "invalid_request"),
        ({"response_mode": "query"}, 200, "invalid_request"),
        ({"response_mode": ""}, 200, "invalid_request"),
        ({"scope": "openid profile"}, 404, None),
        ({"response_type": "code"}, 404, None),
        ({"nonce": ""}, 404, None),
        ({"lti_message_hint": "{}"}, 404, None),
        ({"redirect_uri": "http://127.0.0.1/elsewhere"}, 404, None),
    ],
)
def test_a_wrong_auth_request_is_refused(world, change, status, error):
    world.client.auth = change
    browser = world.campus.browser(world.amy)
    browser.get(f"{world.campus.url}/mod/lti/launch.php?id={world.quiz.cmid}")
    page = browser.submit(browser.page.auto_form)
    assert page.status == status
    if error is None:
        assert page.auto_form is None
    else:
        assert page.auto_form.value("error") == error
        assert page.auto_form.value("state") == "s-1"


def test_nobody_is_login_hint_0_and_ends_at_the_sign_in_page(world):
    browser = world.campus.browser(world.amy)
    world.campus.visits.end_all()
    browser.get(f"{world.campus.url}/mod/lti/launch.php?id={world.quiz.cmid}")
    assert browser.page.auto_form.value("login_hint") == "0"
    assert "Sign in" in browser.follow_auto_forms().title


def test_in_a_frame_without_foreign_cookies_the_tool_gets_no_cookie(world):
    world.tool.container = "iframe"
    page = world.campus.browser(world.amy, third_party_cookies=False).launch(world.quiz)
    assert (page.title, world.client.form["cookie"]) == ("Launched", "")
    assert world.client.claims[CLAIM + "launch_presentation"]["document_target"] == "iframe"
    world.campus.browser(world.amy).launch(world.quiz)
    assert world.client.form["cookie"] == "s-1"


def test_privacy_hides_name_and_email_but_not_the_username_variable(world):
    world.tool.share_name = world.tool.share_email = False
    world.tool.custom = "user=$User.username\nfull=$Person.name.full"
    world.campus.browser(world.amy).launch(world.quiz)
    claims = world.client.claims
    assert not {"name", "given_name", "family_name", "email"} & set(claims)
    assert "user_username" not in claims[CLAIM + "ext"]
    assert claims[CLAIM + "custom"]["user"] == "amy.adams"
    assert claims[CLAIM + "custom"]["full"] is None


def test_custom_parameters(world):
    world.tool.custom = "who=admin\nunknown=$ResourceLink.id.history\nkept=\\$Context.id\na=b=c"
    world.quiz.custom = "who=teacher\nItem.Id=7\ncontext=$Context.id"
    world.campus.browser(world.amy).launch(world.quiz)
    custom = world.client.claims[CLAIM + "custom"]
    assert custom["who"] == "admin"
    assert custom["unknown"] == "$ResourceLink.id.history"
    assert custom["kept"] == "$Context.id"
    assert custom["a"] == "b=c"
    assert (custom["Item.Id"], custom["item_id"]) == ("7", "7")
    assert custom["context"] == world.context.id


def test_a_second_line_item_on_the_link_removes_the_claim(world):
    world.manual_column("More", resourceLinkId=world.quiz.id)
    world.campus.browser(world.amy).launch(world.quiz)
    assert "lineitem" not in world.client.claims[ENDPOINT]
    assert "lineitems" in world.client.claims[ENDPOINT]


def test_an_administrator_is_an_instructor_too(world):
    ada = world.campus.add_person("Ada", "Admin", admin=True)
    world.campus.browser(ada).launch(world.quiz)
    roles = world.client.claims[CLAIM + "roles"]
    assert [role.rpartition("#")[2] for role in roles] == [
        "Instructor",
        "Administrator",
        "Administrator",
    ]


def test_hooks_change_what_is_sent(world):
    seen = {}
    world.campus.on_id_token = lambda header, claims, key: (
        {**header, "kid": "other"},
        {**claims, "sub": ""},
    )
    world.campus.on_auth_response = lambda form: {**form, "state": "stolen"}
    world.campus.on_login = lambda params: seen.update(params) or params
    world.campus.browser(world.amy).launch(world.quiz, follow=False)
    assert (world.client.header["kid"], world.client.claims["sub"]) == ("other", "")
    assert world.client.form["state"] == "stolen"
    assert seen["iss"] == world.campus.url
    assert "lti_storage_target" not in seen


def test_a_learner_sees_no_gradebook_and_cannot_select_content(world):
    browser = world.campus.browser(world.amy)
    assert browser.gradebook(world.context).status == 404
    assert browser.select_content(world.context).status == 404
    assert world.client.claims == {}
