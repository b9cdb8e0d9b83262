"""H57 to H59 and H68: hostile course ids, names and addresses in messages that are sound."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.bench import ABSENT, Bench
from passport_lti.extensions import db
from passport_lti.models import Activity, Deployment

HOSTILE = {
    "path": "../../evil?x=//evil.example",
    "dots": "..",
    "javascript": "javascript:alert(1)",
    "at": "@evil.example",
    "slashes": "//evil.example",
    "backslash": "\\evil",
    "query": "abc?next=https://evil.example",
    "fragment": "abc#x",
    "crlf": "abc\r\nSet-Cookie: a=b",
    "line-break": "abc\n",
    "nul-like": "abc%00",
    "unicode-dots": "\u2025\u2025/evil",
    "full-width": "\uff0e\uff0e\uff0fevil",
    "space": "a b",
    "html": "<script>alert(1)</script>",
    "sql": "' OR 1=1 --",
    "long": "c" * 65,
}


def content_of(bench: Bench, **changes: str) -> dict[str, Any]:
    """A link of its own, with the content of a real course but for the changes."""
    school = bench.world.school
    custom = {
        "coursera_program": school.program.id,
        "coursera_course": school.courses["final"].id,
        "strategy": "final_grade",
        "include_final": "1",
        "points": "100",
        **changes,
    }
    return {"custom": custom, "resource_link": {"id": f"h57-{hash(str(custom))}", "title": "T"}}


@pytest.mark.parametrize("name", ["coursera_course", "coursera_program", "coursera_item", "items"])
@pytest.mark.parametrize("value", HOSTILE.values(), ids=[f"H57-{key}" for key in HOSTILE])
def test_h57_ids_that_are_none(bench: Bench, name: str, value: str) -> None:
    bench.refused(bench.launch(content_of(bench, **{name: value})), "malformed")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"strategy": "made_up"}, id="H57-strategy-unknown"),
        pytest.param({"strategy": ""}, id="H57-strategy-empty"),
        pytest.param({"strategy": "../x"}, id="H57-strategy-path"),
        pytest.param({"points": "1e9"}, id="H57-points-number"),
        pytest.param({"points": ""}, id="H57-points-empty"),
        pytest.param({"coursera_program": ""}, id="H57-program-empty"),
        pytest.param({"coursera_course": ""}, id="H57-course-empty"),
    ],
)
def test_h57_choices_that_are_none(bench: Bench, changes: dict[str, str]) -> None:
    bench.refused(bench.launch(content_of(bench, **changes)), "malformed")


def test_h57_the_way_out_leads_to_coursera_whatever_the_message_says(bench: Bench) -> None:
    claims = content_of(bench, url="https://evil.example", course_url="//evil.example")
    claims["custom"]["coursera_host"] = "evil.example"
    answer = bench.accepted(bench.launch(claims))
    away = bench.browser.send("GET", bench.url + answer.headers["Location"])
    coursera = urlsplit(bench.world.coursera.url).netloc
    assert urlsplit(away.headers["Location"]).netloc == coursera
    assert "evil" not in away.headers["Location"]


@pytest.mark.parametrize("what", ["course", "program"], ids=["H58-course", "H58-program"])
def test_h58_content_that_this_tenant_does_not_offer(bench: Bench, what: str) -> None:
    """A sound id that no program of this platform's organisation has."""
    answer = bench.accepted(
        bench.launch(content_of(bench, **{f"coursera_{what}": "someone-elses"}))
    )
    bench.lines.kept.clear()
    away = bench.browser.send("GET", bench.url + answer.headers["Location"])
    assert away.status_code == 404 and "Location" not in away.headers
    assert "not available" in away.text
    assert any("activity=" in line for line in bench.lines.kept)


SCRIPT = '"><script>alert(1)</script><img src=x onload=alert(1) x="'
NAMES = {
    "H59-script": SCRIPT,
    "H59-attribute": "' onmouseover='alert(1)",
    "H59-template": "{{ 7 * 7 }}{% raw %}",
    "H59-right-to-left": "abc\u202egpj.exe",
    "H59-control": "a\x1b[31m\x07b\r\nSet-Cookie: a=b",
    "H59-long": "W" * 15_000,
    "H59-format": "%s%n{0}",
    "H59-comment": "--><!--",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_h59_names_of_people_courses_and_activities(bench: Bench, text: str) -> None:
    claims = {
        "sub": "h59",
        "name": text,
        "email": text,
        "context": {"id": bench.world.school.context.id, "title": text, "label": text},
        "resource_link": {"id": f"h59-{hash(text)}", "title": text},
        "custom": content_of(bench)["custom"],
    }
    try:
        pages = [_taught(bench, claims), _unconfirmed(bench, claims), _picked(bench, claims)]
    finally:
        bench.accepted(bench.launch())  # the context gets its own name again
    for page in pages:
        assert "<script>alert" not in page and "<img src=x" not in page
        assert "onmouseover='" not in page and "<!--" not in page
        assert text == NAMES["H59-template"] or "{{ 7" not in page
        assert "49{%" not in page
        assert len(page) < 40_000


def _taught(bench: Bench, claims: dict[str, Any]) -> str:
    answer = bench.accepted(bench.launch(claims, person=bench.teacher))
    return _shown(bench, bench.browser.send("GET", bench.url + answer.headers["Location"]))


def _unconfirmed(bench: Bench, claims: dict[str, Any]) -> str:
    return _shown(bench, bench.accepted(bench.launch(claims, cookies=False)))


def _picked(bench: Bench, claims: dict[str, Any]) -> str:
    kept = {name: value for name, value in claims.items() if name not in ("resource_link",)}
    return _shown(bench, bench.accepted(bench.launch({**kept, "custom": ABSENT}, linking=True)))


def _shown(bench: Bench, answer: Any) -> str:
    assert answer.status_code == 200 and "a" not in answer.cookies
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
    return answer.text


def test_h59_a_title_of_a_megabyte_is_refused(bench: Bench) -> None:
    claims = {"resource_link": {"id": "1", "title": "t" * 1_000_000}}
    bench.refused(bench.launch(claims), "malformed")


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "https://evil.example/", "//evil.example", "data:text/html,x", 7, None],
    ids=["H68-javascript", "H68-host", "H68-no-scheme", "H68-data", "H68-number", "H68-null"],
)
@pytest.mark.parametrize("linking", [False, True], ids=["activity", "deep-linking"])
def test_h68_the_return_address_of_a_presentation_is_not_used(
    bench: Bench, address: Any, linking: bool
) -> None:
    presentation = {"return_url": address, "document_target": "iframe", "locale": "en"}
    answer = bench.accepted(bench.launch({"launch_presentation": presentation}, linking=linking))
    text = answer.text + str(answer.headers)
    assert "evil.example" not in text and "javascript:" not in text and "data:text" not in text


def test_h57_nothing_hostile_was_stored(bench: Bench) -> None:
    bench.launch(content_of(bench, coursera_course="../x"))
    with bench.world.app.app_context():
        for activity in db.session.scalars(db.select(Activity)):
            assert "/" not in activity.course_id + activity.program_id


def test_h57_hostile_content_makes_no_deployment_wait(bench: Bench) -> None:
    """Claims are judged before the deployment: nobody is asked to approve junk."""
    claims = content_of(bench, coursera_course="../x")
    bench.refused(bench.launch({**claims, "deployment_id": "h57-unknown"}), "malformed")
    with bench.world.app.app_context():
        waiting = db.session.scalars(db.select(Deployment.deployment_id)).all()
    assert "h57-unknown" not in waiting
