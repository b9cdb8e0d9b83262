"""H43 to H51: hostile LTI claims."""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.bench import ABSENT, ROLE, Bench

LINKING = "LtiDeepLinkingRequest"
OTHER = "https://evil.example"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"version": ABSENT}, "version", id="H43-C04-absent"),
        pytest.param({"version": None}, "version", id="H43-null"),
        pytest.param({"version": ""}, "version", id="H43-empty"),
        pytest.param({"version": "1.1"}, "version", id="H43-C03-1.1"),
        pytest.param({"version": "1.3"}, "version", id="H43-1.3"),
        pytest.param({"version": "LTI-1p3"}, "version", id="H43-LTI-1p3"),
        pytest.param({"version": "1.3.0 "}, "version", id="H43-space"),
        pytest.param({"version": 1.3}, "malformed", id="H43-number"),
        pytest.param({"version": ["1.3.0"]}, "malformed", id="H43-list"),
        pytest.param({"message_type": ABSENT}, "message_type", id="H44-C08-absent"),
        pytest.param({"message_type": ""}, "message_type", id="H44-empty"),
        pytest.param({"message_type": "LtiUnknown"}, "message_type", id="H44-unknown"),
        pytest.param(
            {"message_type": "LtiSubmissionReviewRequest"}, "message_type", id="H44-review"
        ),
        pytest.param(
            {"message_type": "ltiresourcelinkrequest"}, "message_type", id="H44-lower-case"
        ),
        pytest.param({"message_type": [LINKING]}, "malformed", id="H44-list"),
        pytest.param({"message_type": LINKING}, "claims_missing", id="H44-linking-by-a-launch"),
        pytest.param({"deployment_id": ABSENT}, "deployment_missing", id="H45-C10-absent"),
        pytest.param({"deployment_id": None}, "deployment_missing", id="H45-null"),
        pytest.param({"deployment_id": ""}, "deployment_missing", id="H45-empty"),
        pytest.param({"deployment_id": "d" * 300}, "malformed", id="H45-300-characters"),
        pytest.param({"deployment_id": 1}, "malformed", id="H45-integer"),
        pytest.param({"deployment_id": ["1"]}, "malformed", id="H45-list"),
        pytest.param({"deployment_id": "1\n2"}, "malformed", id="H45-line-break"),
        pytest.param({"resource_link": ABSENT}, "resource_link_missing", id="H47-C11-absent"),
        pytest.param({"resource_link": None}, "resource_link_missing", id="H47-null"),
        pytest.param({"resource_link": {}}, "resource_link_missing", id="H47-C11-no-id"),
        pytest.param({"resource_link": {"id": ""}}, "resource_link_missing", id="H47-C11-empty"),
        pytest.param({"resource_link": {"id": None}}, "resource_link_missing", id="H47-id-null"),
        pytest.param({"resource_link": {"id": "r" * 256}}, "malformed", id="H47-256-characters"),
        pytest.param({"resource_link": {"id": 1}}, "malformed", id="H47-id-integer"),
        pytest.param({"resource_link": {"id": "a\x00"}}, "malformed", id="H47-id-nul"),
        pytest.param({"resource_link": "1"}, "malformed", id="H47-text"),
        pytest.param({"resource_link": [{"id": "1"}]}, "malformed", id="H47-list"),
        pytest.param({"resource_link": {"id": "1", "title": 7}}, "malformed", id="H47-title"),
        pytest.param({"roles": ABSENT}, "roles_missing", id="H48-C09-absent"),
        pytest.param({"roles": None}, "roles_missing", id="H48-null"),
        pytest.param({"roles": ROLE + "Instructor"}, "malformed", id="H49-text"),
        pytest.param({"roles": {"0": ROLE + "Instructor"}}, "malformed", id="H49-object"),
        pytest.param({"roles": 1}, "malformed", id="H49-number"),
        pytest.param({"context": "1"}, "malformed", id="H47-context-text"),
        pytest.param({"context": {"id": 1}}, "malformed", id="H47-context-id-integer"),
        pytest.param({"context": {"id": "c" * 256}}, "malformed", id="H47-context-id-long"),
        pytest.param({"custom": ["a"]}, "malformed", id="H57-custom-a-list"),
        pytest.param({"ags": "x"}, "malformed", id="H70-ags-text"),
        pytest.param({"ags": {"lineitems": 7}}, "malformed", id="H70-ags-address-a-number"),
        pytest.param(
            {"ags": {"lineitems": "javascript:alert(1)", "scope": []}},
            "malformed",
            id="H70-ags-address-javascript",
        ),
        pytest.param({"name": {"x": 1}}, "malformed", id="H59-name-an-object"),
        pytest.param({"email": 7}, "malformed", id="H59-email-a-number"),
        pytest.param({"target_link_uri": ABSENT}, "claims_missing", id="H51-absent"),
        pytest.param({"target_link_uri": ""}, "claims_missing", id="H51-empty"),
        pytest.param({"target_link_uri": 7}, "malformed", id="H51-number"),
        pytest.param({"target_link_uri": f"{OTHER}/lti/launch"}, "target_link", id="H51-host"),
        pytest.param({"target_link_uri": "javascript:alert(1)"}, "target_link", id="H51-script"),
        pytest.param({"target_link_uri": "//evil.example/"}, "target_link", id="H51-no-scheme"),
    ],
)
def test_claims(bench: Bench, claims: dict[str, Any], code: str) -> None:
    bench.refused(bench.launch(claims), code)


OWN: dict[str, Callable[[str], str]] = {
    "H51-another-page": lambda url: f"{url}/lti/setup",
    "H51-query": lambda url: f"{url}/lti/launch?next=https://evil.example",
    "H51-fragment": lambda url: f"{url}/lti/launch#x",
    "H51-user": lambda url: url.replace("://", "://evil.example@") + "/lti/launch",
    "H51-upper-case": lambda url: f"{url}/LTI/launch",
    "H51-https": lambda url: url.replace("http:", "https:") + "/lti/launch",
}


@pytest.mark.parametrize("change", OWN.values(), ids=OWN)
def test_h51_a_target_that_differs_from_the_logins(
    bench: Bench, change: Callable[[str], str]
) -> None:
    bench.refused(bench.launch({"target_link_uri": change(bench.url)}), "target_link")


def test_h44_a_deep_linking_request_at_the_launch_url_goes_to_the_picker(bench: Bench) -> None:
    answer = bench.accepted(bench.launch(linking=True))
    assert "/deep-linking" in answer.text


def test_h44_a_launch_in_the_place_of_deep_linking_opens_no_picker(bench: Bench) -> None:
    claims = {"message_type": "LtiResourceLinkRequest", "resource_link": {"id": "h44"}}
    answer = bench.accepted(bench.launch(claims, linking=True))
    assert "/deep-linking" not in answer.text


def test_h45_an_unknown_deployment_waits_for_its_administrator(bench: Bench) -> None:
    answer = bench.launch({"deployment_id": "unheard-of <b>"})
    page = bench.refused(answer, "deployment_unknown")
    assert answer.status_code == 403 and "waiting for approval" in page
    assert "unheard-of &lt;b&gt;" in page and "<b>" not in page


def test_h46_the_deployment_of_another_registration_of_one_issuer(fresh: Bench) -> None:
    second = fresh.campus.add_tool(fresh.url, name="Second")
    fresh.register(second, "second", second.deployment_id)
    fresh.accepted(fresh.launch())

    answer = fresh.launch({"deployment_id": second.deployment_id})

    fresh.refused(answer, "deployment_unknown")
    assert answer.status_code == 403


def role(name: str) -> str:
    return ROLE + name


@pytest.mark.parametrize(
    "roles",
    [
        pytest.param([], id="H49-C17-none"),
        pytest.param([7, None, {}], id="H49-other-types"),
        pytest.param([[role("Instructor")]], id="H49-a-list-in-a-list"),
        pytest.param(["https://evil.example/#Instructor"], id="H50-made-up-uri"),
        pytest.param([role("Instructor") + "x"], id="H50-longer"),
        pytest.param(["x" + role("Instructor")], id="H50-around"),
        pytest.param([role("InstructorAssistant")], id="H50-near"),
        pytest.param([role("instructor")], id="H50-lower-case"),
        pytest.param([role("Instructor") + "\n"], id="H50-line-break"),
        pytest.param(["Instructor "], id="H50-short-with-space"),
        pytest.param(["Instructor\n"], id="H50-short-with-line-break"),
        pytest.param(["NotInstructor"], id="H50-short-around"),
        pytest.param([f"urn:x:{n}#Instructor" for n in range(1000)], id="H49-1000-unknown"),
        pytest.param(
            ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"],
            id="H50-an-instructor-somewhere-else",
        ),
    ],
)
def test_h49_h50_who_is_no_instructor(bench: Bench, roles: list[Any]) -> None:
    answer = bench.accepted(bench.launch({"roles": roles, "sub": "h49"}, person=bench.teacher))
    assert "/activities/" not in answer.headers.get("Location", "") + answer.text
    _, _, kept = bench.member("h49")
    assert kept == {"none"}
    linking = bench.launch({"roles": roles}, linking=True)
    bench.refused(linking, "role_not_allowed")
    assert linking.status_code == 403


def test_h49_a_thousand_roles_with_a_true_one(bench: Bench) -> None:
    roles = [f"urn:x:{n}" for n in range(1000)] + [role("Learner")]
    bench.accepted(bench.launch({"roles": roles, "sub": "h49-many"}))
    assert bench.member("h49-many")[2] == {"learner"}
