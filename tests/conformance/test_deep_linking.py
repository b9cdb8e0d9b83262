"""D31 to D37: what the picker sends back, read as the platform reads it."""

import time
from typing import Any

import jwt
import pytest
import requests

from conformance.bench import ABSENT, Bench
from passport_lti.sandbox.browser import Page
from passport_lti.sandbox.campus.claims import CLAIM, DEEP_LINKING

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def picker_of(bench: Bench, **changes: Any) -> Page:
    def with_settings(claims: dict[str, Any]) -> dict[str, Any]:
        settings = {**claims[DEEP_LINKING], **changes}
        kept = {name: value for name, value in settings.items() if value is not ABSENT}
        return {**claims, DEEP_LINKING: kept}

    browser = bench.campus.browser(bench.teacher)
    with bench.changed(with_settings):
        return browser.select_content(bench.world.school.context, bench.world.tool)


def chosen(bench: Bench, page: Page, **fields: Any) -> Page:
    """The page that answers the picker's form."""
    browser = bench.campus.browser(bench.teacher)
    values = {
        "session": page.form("/deep-linking").fields["session"][0],
        "program": bench.world.school.program.id,
        "course": bench.world.school.courses["linked"].id,
        "strategy": "final_grade",
        "points": "100",
        **fields,
    }
    return browser.post(f"{bench.url}/deep-linking", values)


def message_of(bench: Bench, **changes: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    """(header, claims, token) of an answer, verified with the tool's published keys."""
    page = chosen(bench, picker_of(bench, **changes))
    token = page.form().fields["JWT"][0]
    header = jwt.get_unverified_header(token)
    key_set = jwt.PyJWKSet.from_dict(requests.get(f"{bench.url}/lti/jwks.json", timeout=5).json())
    claims = jwt.decode(
        token,
        key_set[header["kid"]].key,
        algorithms=["RS256"],
        audience=bench.campus.url,
        issuer=bench.world.tool.client_id,
        options={"require": ["iss", "aud", "exp", "iat", "nonce"]},
    )
    return header, claims, token


def test_d31_the_picker_opens_for_a_teacher(bench: Bench) -> None:
    answer = bench.accepted(bench.launch(linking=True))
    assert answer.status_code == 200 and "/deep-linking" in answer.text


def test_d31_the_picker_opens_for_an_administrator_who_does_not_teach(bench: Bench) -> None:
    role = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
    bench.accepted(bench.launch({"roles": [role]}, linking=True))


def test_d31_a_learner_gets_no_picker(bench: Bench) -> None:
    role = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
    bench.refused(bench.launch({"roles": [role]}, linking=True), "role_not_allowed")


def test_d32_one_form_posts_itself_to_the_return_address(bench: Bench) -> None:
    page = chosen(bench, picker_of(bench))
    [form] = page.forms
    assert form.action.startswith(f"{bench.campus.url}/mod/lti/contentitem_return.php?")
    assert form.method == "post" and form.auto and set(form.fields) == {"JWT"}


def test_d33_format(bench: Bench) -> None:
    _, claims, _ = message_of(bench)
    assert claims[CLAIM + "message_type"] == "LtiDeepLinkingResponse"
    assert claims[CLAIM + "version"] == "1.3.0"


def test_d34_times(bench: Bench) -> None:
    _, claims, _ = message_of(bench)
    now = time.time()
    assert now - 60 < claims["iat"] <= now < claims["exp"] <= now + 600


def test_d35_signature(bench: Bench) -> None:
    header, _, _ = message_of(bench)
    assert header["alg"] == "RS256" and header["kid"]


def test_d36_required_claims(bench: Bench) -> None:
    _, claims, _ = message_of(bench)
    _, others, _ = message_of(bench)
    assert claims["nonce"] and claims["nonce"] != others["nonce"]
    assert claims[CLAIM + "deployment_id"] == bench.world.tool.deployment_id
    assert isinstance(claims[DL + "content_items"], list)


@pytest.mark.parametrize("data", ["csrf-1 &<>\"' ü €", ""])
def test_d36_data_is_echoed_exactly(bench: Bench, data: str) -> None:
    assert message_of(bench, data=data)[1][DL + "data"] == data


def test_d36_no_data_where_none_was_given(bench: Bench) -> None:
    assert DL + "data" not in message_of(bench, data=ABSENT)[1]


def test_d37_the_items_are_what_the_teacher_picked(bench: Bench) -> None:
    course = bench.world.school.courses["linked"]
    picked = [course.items[0], course.items[2]]
    page = chosen(
        bench,
        picker_of(bench),
        strategy="granular_deep_linked",
        item=[item.id for item in picked],
    )
    token = page.form().fields["JWT"][0]
    claims = jwt.decode(token, options={"verify_signature": False})
    items = claims[DL + "content_items"]
    assert [item["custom"]["coursera_item"] for item in items] == [item.id for item in picked]
    for item, source in zip(items, picked, strict=True):
        assert item["type"] == "ltiResourceLink" and item["url"] == bench.world.tool.launch_url
        assert source.name in item["title"]
        assert item["custom"]["coursera_course"] == course.id
        assert item["custom"]["strategy"] == "granular_deep_linked"
        assert item["lineItem"]["resourceId"] == f"coursera:{course.id}:{source.id}"
        assert item["lineItem"]["tag"] == "granular_deep_linked"
        assert item["lineItem"]["scoreMaximum"] == 100


def test_d37_one_item_at_most_where_the_platform_takes_one(bench: Bench) -> None:
    course = bench.world.school.courses["linked"]
    page = chosen(
        bench,
        picker_of(bench, accept_multiple=False),
        strategy="granular_deep_linked",
        item=[item.id for item in course.items],
    )
    assert page.status == 400 and "JWT" not in page.text
