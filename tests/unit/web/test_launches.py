"""Launches as a browser sees them: where they lead, and what a refused one says."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import Activity, Deployment, LaunchLog, Platform
from passport_lti.web import journal, limits, sessions
from passport_lti.web.sessions import Kind, Linking


def _session_of(answer: requests.Response) -> str:
    return parse_qs(urlsplit(answer.headers["Location"]).query)["session"][0]


def _options(world: Any) -> dict[str, object]:
    return {"course": "columns", "strategy": "granular_auto_columns", "include_final": "1"}


def test_a_learner_comes_out_at_the_item_on_coursera(world: Any) -> None:
    item = world.school.courses["linked"].items[1]
    [activity] = world.school.publish(
        world.tool, course="linked", strategy="granular_deep_linked", item=[item.id]
    )
    way = world.launched(world.school.learners[0], activity)
    assert way.status_code == 303
    answer = requests.get(world.url + way.headers["Location"], allow_redirects=False, timeout=10)
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == world.school.program.url
    assert parse_qs(target.query)["itemId"] == [item.id]
    assert parse_qs(target.query)["productId"] == [world.school.courses["linked"].id]
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_an_instructor_comes_to_the_activity(world: Any) -> None:
    [activity] = world.school.publish(world.tool, **_options(world))
    page = world.campus.browser(world.school.teacher).launch(activity)
    assert page.status == 200
    assert "Everyday Statistics" in page.text and "Sync now" in page.text


def test_an_activity_without_content_says_what_to_do(world: Any) -> None:
    activity = world.campus.add_activity(world.school.context, world.tool, "Empty")
    teacher = world.launched(world.school.teacher, activity)
    assert teacher.status_code == 200 and "Select content" in teacher.text
    learner = world.launched(world.school.learners[0], activity)
    assert learner.status_code == 200 and "not set up yet" in learner.text


def test_in_a_frame_a_learner_gets_one_button_to_a_new_window(world: Any) -> None:
    framed = world.campus.add_tool(world.url, container="iframe")
    _register(world, framed)
    [activity] = world.school.publish(framed, **_options(world))
    page = world.launched(world.school.learners[0], activity)
    assert page.status_code == 200
    assert page.text.count('class="btn') == 1 and page.text.count('target="_blank"') == 1


def _register(world: Any, tool: object) -> None:
    with world.app.app_context():
        known = db.session.scalars(db.select(Platform)).one()
        row = Platform(
            name="framed", issuer=known.issuer, client_id=tool.client_id,  # type: ignore[attr-defined]
            auth_login_url=known.auth_login_url, auth_token_url=known.auth_token_url,
            key_set_url=known.key_set_url, source="registration", settings=known.settings,
            created_at=world.services.clock(),
        )  # fmt: skip
        row.deployments.append(
            Deployment(
                deployment_id=tool.deployment_id,  # type: ignore[attr-defined]
                state="approved",
                first_seen_at=world.services.clock(),
            )
        )
        db.session.add(row)
        db.session.commit()


def test_a_browser_without_cookies_confirms_once_and_goes_on(world: Any) -> None:
    browser = world.campus.browser(world.school.teacher, third_party_cookies=False)
    page = browser.select_content(world.school.context, world.tool)
    form = page.form("/lti/confirm")
    assert "Tara Teacher" in page.text and "Data Literacy" in page.text
    fields = {"session": form.fields["session"][0]}
    first = requests.post(f"{world.url}/lti/confirm", fields, timeout=10)
    assert first.status_code == 200 and "/deep-linking" in first.text
    second = requests.post(f"{world.url}/lti/confirm", fields, timeout=10)
    assert (second.status_code, second.headers["X-LTI-Error"]) == (403, "session")


@pytest.mark.parametrize(
    ("locale", "heard", "title"),
    [("es", "es", "¿Es usted?"), ("es_mx", "es", "¿Es usted?"), ("en", "en", "Is this you?"),
     ("tlh", "en", "Is this you?"), ("../es", "en", "Is this you?"), ("", "en", "Is this you?")],
)  # fmt: skip
def test_a_page_speaks_the_language_of_its_launch(
    world: Any, locale: str, heard: str, title: str
) -> None:
    claim = "https://purl.imsglobal.org/spec/lti/claim/launch_presentation"
    world.campus.on_id_token = lambda header, claims, key: (
        header, claims | {claim: claims[claim] | {"locale": locale}},
    )  # fmt: skip
    browser = world.campus.browser(world.school.teacher, third_party_cookies=False)
    page = browser.select_content(world.school.context, world.tool)
    assert f'<html lang="{heard}">' in page.text and title in page.text
    session = page.form("/lti/confirm").fields["session"][0]
    later = requests.post(f"{world.url}/lti/confirm", {"session": session}, timeout=10)
    assert f'<html lang="{heard}">' in later.text


def test_the_picker_is_closed_until_the_launch_is_confirmed(world: Any) -> None:
    browser = world.campus.browser(world.school.teacher, third_party_cookies=False)
    value = browser.select_content(world.school.context, world.tool).form("confirm")
    fields = {"session": value.fields["session"][0], "step": "start"}
    answer = requests.post(f"{world.url}/deep-linking", fields, timeout=10)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (403, "session")


def test_a_refused_message_changes_nothing_but_the_log(world: Any) -> None:
    world.campus.on_id_token = lambda header, claims, key: (header, claims | {"aud": "another"})
    activity = world.campus.add_activity(world.school.context, world.tool, "Any")
    answer = world.launched(world.school.teacher, activity)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (401, "audience")
    assert "client ID" in answer.text and "Traceback" not in answer.text
    with world.app.app_context():
        counts = {
            table.name: db.session.scalar(db.select(db.func.count()).select_from(table))
            for table in db.metadata.sorted_tables
        }
        row = db.session.scalars(db.select(LaunchLog)).one()
        assert row.verdict == "audience" and row.correlation_id in answer.text
    standing = {"platform", "deployment", "launch_log"}
    assert {name for name, count in counts.items() if count} == standing


@pytest.mark.parametrize(
    ("send", "status"),
    [
        ({"data": "a=1&a=2"}, 400),
        ({"data": "&".join(f"f{n}=1" for n in range(101))}, 400),
        ({"data": "&".join(f"f{n}=1" for n in range(1001))}, 413),
        ({"data": "id_token=" + "x" * 600_000}, 413),
        ({"data": b"id_token=\xff"}, 400),
        ({"data": "id_token=%FF"}, 400),
        ({"json": {"id_token": "x"}}, 415),
        ({"data": ""}, 415),
    ],
)
def test_a_damaged_form_is_malformed(world: Any, send: dict[str, object], status: int) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if send.get("data") else {}
    answer = requests.post(f"{world.url}/lti/launch", headers=headers, timeout=10, **send)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (status, "malformed")


def test_a_login_sets_a_cookie_for_its_state_alone(world: Any) -> None:
    query = {"iss": world.tool.issuer, "login_hint": "1", "client_id": world.tool.client_id}
    query["target_link_uri"] = f"{world.url}/lti/launch"
    answer = requests.get(f"{world.url}/lti/login", query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    cookie = answer.headers["Set-Cookie"]
    assert "Path=/lti" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    refused = requests.get(
        f"{world.url}/lti/login", query | {"iss": "https://x.example"}, timeout=9
    )
    assert (refused.status_code, refused.headers["X-LTI-Error"]) == (400, "issuer_unknown")
    assert "sent platform ID https://x.example," in refused.text


def test_a_refused_login_is_in_the_log_as_a_claim_of_its_platform(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"iss": world.tool.issuer, "login_hint": "amy@home.example"}
    query["target_link_uri"] = f"{world.url}/lti/launch"
    for wrong in (
        {"target_link_uri": "https://x.example/"}, {"client_id": "other"}, {"iss": "https://x.y"},
    ):  # fmt: skip
        requests.get(f"{world.url}/lti/login", query | wrong, timeout=10)
    assert world.verdicts() == ["target_link", "client_unknown", "issuer_unknown"]
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        claims = journal.claims(platform, world.services.clock())
        assert {claim.code for claim in claims} == {"target_link", "client_unknown"}
        assert journal.launches(platform).rows == []
    monkeypatch.setattr(limits, "PER_MINUTE", 1)
    for number in range(40):
        query["iss"] = f"https://platform-{number}.example"
        requests.get(f"{world.url}/lti/login", query, timeout=10)
    assert 3 < len(world.verdicts()) < 20


@pytest.mark.parametrize("issuer", ["<b>x</b>", "call 555 now", "https://x.example/" + "x" * 300])
def test_a_stranger_writes_nothing_into_the_page(world: Any, issuer: str) -> None:
    query = {"iss": issuer, "login_hint": "1", "target_link_uri": f"{world.url}/lti/launch"}
    refused = requests.get(f"{world.url}/lti/login", query, timeout=10)
    assert refused.headers["X-LTI-Error"] == "issuer_unknown"
    assert issuer not in unescape(refused.text)


def test_opening_the_launch_address_is_explained(world: Any) -> None:
    answer = requests.get(f"{world.url}/lti/launch", timeout=10)
    assert answer.status_code == 405 and "go back to your course" in answer.text


def test_names_from_outside_are_shown_as_text(world: Any) -> None:
    hostile = "<script>alert(1)</script>"
    course = world.coursera.add_course(world.school.program, hostile, [(hostile, "EXAM", 100)])
    session = world.opened()
    fields = {"session": session, "step": "course", "program": world.school.program.id}
    page = world.picker(**fields, course=course.id)
    assert page.status_code == 200
    assert hostile not in page.text and "&lt;script&gt;" in page.text


def test_a_platform_that_was_removed_ends_its_sessions(world: Any) -> None:
    [activity] = world.school.publish(world.tool, **_options(world))
    answer = world.launched(world.school.teacher, activity)
    with world.app.app_context():
        db.session.execute(db.update(Platform).values(state="removed"))
        db.session.commit()
    page = requests.get(world.url + answer.headers["Location"], timeout=10)
    assert (page.status_code, page.headers["X-LTI-Error"]) == (403, "session")


def test_sessions_of_one_kind_do_not_open_pages_of_another(world: Any) -> None:
    [activity] = world.school.publish(world.tool, **_options(world))
    learner = _session_of(world.launched(world.school.learners[0], activity))
    teacher = _session_of(world.launched(world.school.teacher, activity))
    with world.app.app_context():
        number = db.session.scalars(db.select(Activity.id)).one()
    page = f"{world.url}/activities/{number}"
    assert requests.get(page, {"session": teacher}, timeout=10).status_code == 200
    refused = requests.get(page, {"session": learner}, timeout=10)
    assert (refused.status_code, refused.headers["X-LTI-Error"]) == (403, "session")
    assert world.picker(session=teacher, step="start").status_code == 403
    way = f"{world.url}/go/{number}"
    closed = requests.get(way, {"session": teacher}, timeout=10, allow_redirects=False)
    assert (closed.status_code, closed.headers["X-LTI-Error"]) == (403, "session")
    shown = requests.get(page, {"session": teacher}, timeout=10).text
    [link] = re.findall(r'href="(/go/[^"]+)"', shown)
    out = requests.get(world.url + unescape(link), timeout=10, allow_redirects=False)
    assert out.headers["Location"].startswith(world.school.program.url)
    assert requests.get(f"{page}x", {"session": teacher}, timeout=10).status_code == 404


def test_a_session_of_another_context_is_foreign(world: Any) -> None:
    [activity] = world.school.publish(world.tool, **_options(world))
    session = _session_of(world.launched(world.school.teacher, activity))
    elsewhere = world.campus.copy_context(world.school.context)
    world.campus.enrol(elsewhere, world.school.teacher, "instructor")
    [copied] = world.campus.activities(elsewhere)
    there = world.launched(world.school.teacher, copied).headers["Location"].split("?")[0]
    foreign = requests.get(world.url + there, {"session": session}, timeout=10)
    assert (foreign.status_code, foreign.headers["X-LTI-Error"]) == (403, "session")


def test_a_session_of_an_unconfirmed_launch_opens_nothing(world: Any) -> None:
    browser = world.campus.browser(world.school.teacher, third_party_cookies=False)
    browser.select_content(world.school.context, world.tool)
    with world.app.test_request_context():
        log = db.session.scalars(db.select(LaunchLog)).one()
        value = sessions.issue(Kind.PICKER, log, Linking("1", world.campus.url, True))
    answer = world.picker(session=value, step="start")
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (403, "session")


@pytest.mark.parametrize("extra", [{"login_hint": ["1", "2"]}, {f"f{n}": "1" for n in range(97)}])
def test_a_login_with_repeated_or_too_many_fields_is_malformed(
    world: Any, extra: dict[str, Any]
) -> None:
    query = {"iss": world.tool.issuer, "login_hint": "1", "client_id": world.tool.client_id}
    query["target_link_uri"] = f"{world.url}/lti/launch"
    for send in (requests.get, requests.post):
        field = {"params": query | extra} if send is requests.get else {"data": query | extra}
        answer = send(f"{world.url}/lti/login", allow_redirects=False, timeout=10, **field)
        assert (answer.status_code, answer.headers["X-LTI-Error"]) == (400, "malformed")


def test_outside_of_a_context_the_links_describe_themselves(world: Any) -> None:
    context = "https://purl.imsglobal.org/spec/lti/claim/context"
    world.campus.on_id_token = lambda header, claims, key: (
        header, {name: value for name, value in claims.items() if name != context},
    )  # fmt: skip
    course = world.school.courses["final"]
    fields = {"program": world.school.program.id, "course": course.id, "points": "100"}
    page = world.picker(session=world.opened(), strategy="final_grade", **fields)
    assert page.status_code == 200 and 'name="JWT"' in page.text
