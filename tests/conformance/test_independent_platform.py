"""The tool at a platform that we did not write: Open edX's LTI consumer, over HTTP.

The library makes and signs the launches, checks the token grants, keeps line items and scores and
verifies the deep linking answer. It has no column from a deep link, no roster without Open edX
itself and no dynamic registration: those are shown against the practice campus alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import Deployment, LaunchLog, Platform
from passport_lti.sandbox.browser import Browser, Form
from passport_lti.sandbox.reading import read_page
from worlds import World, opened

pytest.importorskip("lti_consumer")

TESTS = Path(__file__).parents[1]
Change = Callable[[dict[str, str]], Any]


@dataclass
class OpenEdx:
    """The platform's process, seen from outside, and the tool that it launches."""

    world: World
    issuer: str
    registrations: dict[str, dict[str, str]]

    def form(
        self, role: str = "student", *, at: str = "main", user: str = "una",
        link: str = "unit-1", asking: Change | None = None, **more: str,
    ) -> tuple[Browser, Form]:  # fmt: skip
        """From the course page to the form that carries the id_token; `asking` changes the
        query of the tool's authentication request on its way."""
        browser = Browser()
        config = self.registrations[at]["config"]
        query = urlencode({"config": config, "user": user, "role": role, "link": link, **more})
        login = browser.send("GET", f"{self.issuer}/start?{query}").headers["Location"]
        answer = browser.send("GET", login)
        if answer.status_code != 302:
            raise _Refused(answer)
        url = answer.headers["Location"]
        if asking:
            parts = urlsplit(url)
            fields = dict(parse_qsl(parts.query))
            asking(fields)
            url = urlunsplit(parts._replace(query=urlencode(fields)))
        answer = browser.send("GET", url)
        page = read_page(url, answer)
        if answer.status_code != 200:
            raise _Refused(answer)
        return browser, page.form("/lti/launch")

    def launch(self, *arguments: Any, **options: Any) -> requests.Response:
        """A whole launch: the tool's raw answer (or the platform's, where it ends there)."""
        try:
            browser, form = self.form(*arguments, **options)
        except _Refused as end:
            return end.answer
        return posted(browser, form)

    def stored(self) -> dict[str, Any]:
        answer = requests.get(f"{self.issuer}/stored", timeout=30)
        assert answer.status_code == 200
        return answer.json()


class _Refused(Exception):
    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer


def posted(browser: Browser, form: Form) -> requests.Response:
    pairs = [(name, values[0]) for name, values in form.fields.items() if name]
    return browser.send("POST", form.action, pairs)


@pytest.fixture(scope="module")
def edx() -> Iterator[OpenEdx]:
    with opened() as world:
        url = world.tool.launch_url.removesuffix("/lti/launch")
        with running(url, world.environ["DEMO_FOLDER"]) as known:
            platform = OpenEdx(world, **known)
            register(platform, "main", "1")
            register(platform, "away", "2")
            yield platform


@contextmanager
def running(tool: str, folder: str) -> Iterator[dict[str, Any]]:
    """The platform in a process of its own; what it says of itself."""
    command = [sys.executable, "-m", "conformance.xblock_platform", tool, folder]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the platform did not start"
        yield json.loads(line)
    finally:
        process.kill()
        process.communicate()


def register(edx: OpenEdx, name: str, deployment: str) -> None:
    """The tool learns the values that Open edX's Studio shows for manual registration."""
    shown = edx.registrations[name]
    now = edx.world.services.clock()
    with edx.world.app.app_context():
        known = db.session.scalars(db.select(Platform)).first()
        row = Platform(
            name=f"edx-{name}", issuer=edx.issuer, client_id=shown["client_id"],
            auth_login_url=shown["auth_login_url"], auth_token_url=shown["auth_token_url"],
            key_set_url=shown["key_set_url"], source="registration", settings=known.settings,
            created_at=now,
        )  # fmt: skip
        row.deployments.append(
            Deployment(deployment_id=deployment, state="approved", first_seen_at=now)
        )
        db.session.add(row)
        db.session.commit()


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
    """Deep linking answer, resource link, token, line items, scores: each checked by the library."""
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
    asked: list[str] = []
    world.services.http.hooks["response"].append(lambda answer, **_: (asked.append(answer.url), print(answer.request.method, answer.status_code, answer.url[-70:], answer.request.body if "token" in answer.url else "", answer.text[-120:] )) )
    outcome = world.sync()
    assert outcome.ok, outcome.problems
    assert asked.count(edx.registrations["main"]["auth_token_url"]) == 1
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
    assert any(urlsplit(url).path.endswith("/results") for url in asked)
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
    at_login = urlsplit(answer.url).path == "/lti/login"
    assert launches(edx) == before + (0 if at_login else 1)


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
    assert parse_qs(urlencode(asked))["scope"] == ["openid"]


def launches(edx: OpenEdx) -> int:
    with edx.world.app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(LaunchLog)) or 0
