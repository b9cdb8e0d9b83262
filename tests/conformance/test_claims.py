"""S60 and S61: claims of odd size, type and content."""

from typing import Any

import pytest

from conformance.bench import ABSENT, ROLE, Bench
from passport_lti.sandbox.campus.claims import DEEP_LINKING

LONG = "x" * 256


@pytest.mark.parametrize(
    "claims",
    [
        {"resource_link": {"id": LONG}},
        {"deployment_id": LONG},
        {"sub": LONG},
        {"context": {"id": LONG}},
        {"sub": "a\nb"},
    ],
    ids=["link", "deployment", "sub", "context", "control"],
)
def test_s60_identifiers_that_are_too_long(bench: Bench, claims: dict[str, Any]) -> None:
    bench.refused(bench.launch(claims), "malformed")


def test_s60_identifiers_of_the_greatest_length(bench: Bench) -> None:
    longest = "é" * 255
    bench.accepted(bench.launch({"sub": longest, "resource_link": {"id": longest}}))
    assert bench.member(longest)[2] == {"learner"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", 7),
        ("sub", ["7"]),
        ("sub", True),
        ("deployment_id", 1),
        ("deployment_id", {"id": "1"}),
        ("version", 1.3),
        ("message_type", ["LtiResourceLinkRequest"]),
        ("roles", "Learner"),
        ("roles", {"0": "Learner"}),
        ("resource_link", "7"),
        ("resource_link", {"id": 7}),
        ("context", []),
        ("context", {"id": 2}),
        ("custom", "a=b"),
        ("target_link_uri", 5),
        ("launch_presentation", "window"),
        ("lis", ["x"]),
        ("ags", "https://x.example"),
        ("ags", {"scope": "score"}),
        ("ags", {"scope": [], "lineitems": 5}),
        ("ags", {"scope": [], "lineitems": "javascript:alert(1)"}),
        ("nrps", {"context_memberships_url": "file:///etc/passwd"}),
        ("name", 5),
        ("email", {"a": 1}),
        ("nonce", 5),
        ("iat", True),
        ("exp", "2030-01-01"),
    ],
)
def test_s60_wrong_types(bench: Bench, name: str, value: Any) -> None:
    bench.refused(bench.launch({name: value}), "malformed")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("x", "malformed"),
        (ABSENT, "claims_missing"),
        ({"deep_link_return_url": "https://evil.example/"}, "malformed"),
        ({"deep_link_return_url": ""}, "claims_missing"),
        ({"accept_types": ["file"]}, "malformed"),
    ],
)
def test_s60_deep_linking_settings(bench: Bench, settings: Any, code: str) -> None:
    def with_settings(claims: dict[str, Any]) -> dict[str, Any]:
        if settings is ABSENT:
            return {name: value for name, value in claims.items() if name != DEEP_LINKING}
        whole = {**claims[DEEP_LINKING], **settings} if isinstance(settings, dict) else settings
        return {**claims, DEEP_LINKING: whole}

    bench.refused(bench.launch(with_settings, linking=True), code)


def test_s60_unknown_claims_are_ignored(bench: Bench) -> None:
    more = {
        "https://vendor.example/claim": {"a": [1, None, {"b": "c"}]},
        "custom_thing": 5,
        "ext": {"user_username": ["odd"]},
        "role_scope_mentor": ["1"],
        "tool_platform": {"guid": 5},
        "jti": "j",
    }
    bench.accepted(bench.launch(more))


def test_s61_unresolved_variables_are_absent(bench: Bench) -> None:
    activity = bench.campus.add_activity(bench.world.school.context, bench.world.tool, "Plain")
    custom = {
        "coursera_program": "$Coursera.program",
        "coursera_course": "$Coursera.course",
        "context_history": "$Context.id.history",
        "person_sourcedid": "$Person.sourcedId",
    }
    answer = bench.launch({"custom": custom, "lis": ABSENT}, activity=activity)
    page = bench.accepted(answer)
    assert page.status_code == 200 and "not set up yet" in page.text


def test_s61_half_a_choice_is_refused_or_not_set_up(bench: Bench) -> None:
    activity = bench.campus.add_activity(bench.world.school.context, bench.world.tool, "Half")
    answer = bench.launch({"custom": {"coursera_course": "abc"}}, activity=activity)
    bench.refused(answer, "malformed")


@pytest.mark.parametrize("value", ["../../x", "a b", "<script>", "x" * 65, "a/b", "é"])
def test_s61_ids_that_are_none_of_courseras(bench: Bench, value: str) -> None:
    def with_custom(claims: dict[str, Any]) -> dict[str, Any]:
        name = "https://purl.imsglobal.org/spec/lti/claim/custom"
        return {**claims, name: {**claims[name], "coursera_course": value}}

    bench.refused(bench.launch(with_custom), "malformed")


def test_hostile_names_are_shown_as_text(bench: Bench) -> None:
    hostile = '"><script>alert(1)</script>'
    claims = {
        "sub": "hostile-names", "name": hostile, "roles": [ROLE + "Instructor"],
        "context": {"id": "hostile-1", "title": hostile, "label": hostile},
        "resource_link": {"id": "hostile-1", "title": hostile},
    }  # fmt: skip
    answer = bench.accepted(bench.launch(claims, person=bench.teacher))
    page = bench.browser.get(bench.url + answer.headers["Location"])
    assert page.status == 200 and "<script>alert" not in page.text
    shown = bench.accepted(bench.launch({**claims, "sub": "h2"}, cookies=False))
    assert "<script>alert" not in shown.text and "&lt;script&gt;" in shown.text
