"""The tool at a platform that we did not write: Open edX's LTI consumer, over HTTP.

The library makes and signs the launches, checks the token grants, keeps line items and scores and
verifies the deep linking answer. It has no column from a deep link, no roster without Open edX
itself and no dynamic registration: those are shown against the practice campus alone.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from conformance.xblock_platform.seen import Change, OpenEdx, posted, register, running
from passport_lti.extensions import db
from passport_lti.models import LaunchLog
from passport_lti.sandbox.reading import read_page
from worlds import opened

pytest.importorskip("lti_consumer")

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"


@pytest.fixture(scope="module")
def edx() -> Iterator[OpenEdx]:
    with opened() as world:
        url = world.tool.launch_url.removesuffix("/lti/launch")
        with running(url, world.environ["DEMO_FOLDER"]) as known:
            platform = OpenEdx(world, **known)
            register(platform, "main", "1")
            register(platform, "away", "2")
            yield platform


def scope_of(answer: requests.Response) -> str:
    return parse_qs(str(answer.request.body))["scope"][0]


def pick(edx: OpenEdx, strategy: str, course: str, **fields: str) -> requests.Response:
    """A teacher chooses content; the platform's answer to the signed deep linking message."""
    browser, form = edx.form("staff", user="tara", link="", linking="1")
    answer = posted(browser, form)
    assert answer.status_code == 200, answer.headers
    picker = read_page(form.action, answer).form("deep-linking")
    school = edx.world.school
    chosen = {
        "session": picker.value("session"), "program": school.program.id,
        "course": school.courses[course].id, "strategy": strategy, "points": "100", **fields,
    }  # fmt: skip
    answer = browser.send("POST", picker.action, list(chosen.items()))
    assert answer.status_code == 200, answer.text
    back = read_page(picker.action, answer).form("lti-dl/response")
    return posted(browser, back)


def test_instructor(edx: OpenEdx) -> None:
    answer = edx.launch("staff", user="tara")
    assert answer.status_code in (200, 303), answer.headers.get("X-LTI-Error")
    assert "X-LTI-Error" not in answer.headers


def test_unknown_role_gets_least_privilege(edx: OpenEdx) -> None:
    answer = edx.launch("", user="guest")
    assert answer.status_code == 200 and "X-LTI-Error" not in answer.headers
    assert "/activities/" not in answer.text and "Sync now" not in answer.text


def test_content_is_chosen_opened_and_graded(edx: OpenEdx) -> None:
    """Deep linking answer, launch, token, line items, scores: the library checks each."""
    world, learner = edx.world, edx.world.school.learners[0]
    saved = pick(edx, "granular_auto_columns", "columns")
    assert saved.status_code == 200, saved.text
    [item] = edx.stored()["content"]
    assert item["content_type"] == "ltiResourceLink"
    assert item["attributes"]["custom"]["strategy"] == "granular_auto_columns"

    answer = edx.launch(user="amy", email=learner.email, content=str(item["id"]))
    assert answer.status_code == 303 and "/go/" in answer.headers["Location"], answer.text
    teacher = edx.launch("staff", user="tara", content=str(item["id"]))
    assert teacher.status_code == 303 and "/activities/" in teacher.headers["Location"]

    world.coursera.enrol(world.school.accounts[learner.id], world.school.courses["columns"])
    world.grade(learner, "columns", "Averages", 80)
    asked: list[requests.Response] = []
    world.services.http.hooks["response"].append(lambda answer, **_: asked.append(answer))
    outcome = world.sync()
    assert outcome.ok, outcome.problems
    grants = [scope_of(answer) for answer in asked if "/v1/token/" in answer.url]
    assert sorted(grants) == sorted(set(grants)), "one token for each scope"
    assert {f"{AGS}/lineitem", f"{AGS}/score"} <= set(grants)
    stored = edx.stored()
    course = world.school.courses["columns"]
    by_id = {row["id"]: row for row in stored["line_items"]}
    assert {row["resource_id"] for row in by_id.values()} == {
        f"coursera:{course.id}:{one.id}" for one in course.items
    }
    assert {row["tag"] for row in by_id.values()} == {"granular_auto_columns"}
    [score] = stored["scores"]
    assert by_id[score["line_item_id"]]["label"] == "Averages"
    assert (score["user_id"], score["score_given"], score["score_maximum"]) == ("amy", 80, 100)
    assert (score["activity_progress"], score["grading_progress"]) == ("Completed", "FullyGraded")

    assert world.sync().summary["sent"] == 0
    world.grade(learner, "columns", "Averages", 95)
    assert world.sync().ok
    results = [a for a in asked if urlsplit(a.url).path.endswith("/results")]
    assert results and all(answer.status_code == 200 for answer in results)
    assert len(grants) == sum("/v1/token/" in answer.url for answer in asked), "tokens are kept"
    after = edx.stored()
    assert [row["score_given"] for row in after["scores"]] == [95]
    assert len(after["line_items"]) == len(course.items)


def test_the_library_guards_grant_and_line_items(edx: OpenEdx) -> None:
    """So the grades of the test above came with our assertion and its token."""
    shown = edx.registrations["main"]
    forged = requests.post(
        shown["auth_token_url"],
        data={
            "grant_type": "client_credentials", "client_assertion": "a.b.c", "scope": "",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        },
        timeout=30,
    )  # fmt: skip
    assert forged.status_code == 400
    url = f"{edx.issuer}/api/lti_consumer/v1/lti/1/lti-ags"
    assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=30).status_code == 403


def test_a_foreign_deep_linking_answer_is_refused_by_the_library(edx: OpenEdx) -> None:
    before = edx.stored()["content"]
    url = f"{edx.issuer}/api/lti_consumer/v1/lti/1/lti-dl/response"
    _, form = edx.form("staff", user="tara")
    answer = requests.post(url, data={"JWT": form.value("id_token")}, timeout=30)
    assert answer.status_code == 403 and edx.stored()["content"] == before


def other(name: str) -> Change:
    return lambda fields: fields.update({name: f"another-{name}"})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"asking": other("nonce")}, "nonce_unknown"),
        ({"asking": other("state")}, "state_unknown"),
        ({"link": ""}, "resource_link_missing"),
        ({"user": ""}, "malformed"),
        ({"at": "stranger"}, "kid_unknown"),
        ({"at": "unknown"}, "client_unknown"),
        ({"at": "away"}, "deployment_unknown"),
    ],
    ids=["nonce", "state", "no-link", "no-person", "other-key", "other-client", "deployment"],
)
def test_bad_launches(edx: OpenEdx, options: dict[str, Any], code: str) -> None:
    before = launches(edx)
    answer = edx.launch(**options)
    assert answer.headers.get("X-LTI-Error") == code, (answer.status_code, answer.text[:300])
    assert 400 <= answer.status_code < 500 and "<title>" in answer.text
    assert launches(edx) == before + 1


def test_the_same_message_twice(edx: OpenEdx) -> None:
    browser, form = edx.form("staff", user="tara")
    assert "X-LTI-Error" not in posted(browser, form).headers
    again = posted(browser, form)
    assert 400 <= again.status_code < 500
    assert again.headers["X-LTI-Error"] in ("nonce_reused", "state_unknown")


def test_a_message_in_another_browser(edx: OpenEdx) -> None:
    _, form = edx.form("staff", user="tara")
    other_browser, _ = edx.form("student")
    answer = posted(other_browser, form)
    assert answer.headers.get("X-LTI-Error") == "state_browser"


def test_the_library_refuses_a_learner_who_wants_to_choose(edx: OpenEdx) -> None:
    answer = edx.launch("student", linking="1")
    assert answer.status_code == 403
    assert urlsplit(answer.url).netloc == urlsplit(edx.issuer).netloc


def test_the_library_accepts_only_our_redirect_uri(edx: OpenEdx) -> None:
    asked: list[str] = []
    edx.form(asking=lambda fields: asked.append(fields["redirect_uri"]))
    assert asked == [edx.world.tool.launch_url]
    answer = edx.launch(asking=other("redirect_uri"))
    assert answer.status_code == 400 and "X-LTI-Error" not in answer.headers


def test_the_library_asks_with_its_hints(edx: OpenEdx) -> None:
    """What the library's login initiation sends comes back in our authentication request."""
    asked: dict[str, str] = {}
    edx.form(asking=asked.update)
    assert asked["login_hint"] == "una" and asked["lti_message_hint"]
    assert asked["response_mode"] == "form_post" and asked["prompt"] == "none"
    assert asked["scope"] == "openid"


def launches(edx: OpenEdx) -> int:
    with edx.world.app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(LaunchLog)) or 0
