"""S63: browsers that return no cookie, and `session` values in the place of cookies."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from conformance.bench import ABSENT, Bench
from passport_lti.extensions import db
from passport_lti.models import LaunchLog


def session_in(answer: requests.Response) -> str:
    """The `session` value of a redirect or of a page's form."""
    query = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    if "session" in query:
        return query["session"][0]
    found = re.search(r'name="session" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def confirm(bench: Bench, session: str) -> requests.Response:
    return requests.post(
        f"{bench.url}/lti/confirm", {"session": session}, allow_redirects=False, timeout=10
    )


def refused(answer: requests.Response) -> None:
    assert (answer.status_code, answer.headers.get("X-LTI-Error")) == (403, "session")
    assert "Start again from your course" in answer.text and "Traceback" not in answer.text


def unconfirmed(bench: Bench, **options: Any) -> requests.Response:
    answer = bench.accepted(bench.launch(cookies=False, **options))
    assert answer.status_code == 200 and "/lti/confirm" in answer.text
    return answer


def test_s63_without_a_cookie_the_page_names_person_and_context(bench: Bench) -> None:
    page = unconfirmed(bench)
    assert bench.learner.name in page.text
    assert bench.world.school.context.fullname in page.text
    assert "/go/" not in page.text
    onward = confirm(bench, session_in(page))
    assert onward.status_code == 303 and "/go/" in onward.headers["Location"]


def test_s63_a_confirmation_works_once(bench: Bench) -> None:
    value = session_in(unconfirmed(bench))
    assert confirm(bench, value).status_code == 303
    refused(confirm(bench, value))


def test_s63_nobody_is_named_where_names_are_hidden(bench: Bench) -> None:
    hidden = dict.fromkeys(("name", "given_name", "family_name", "email"), ABSENT)
    page = unconfirmed(bench, claims=hidden)
    assert bench.learner.family not in page.text and "keeps private" in page.text


def test_s63_the_picker_in_a_frame_without_cookies(bench: Bench) -> None:
    browser = bench.campus.browser(bench.teacher, third_party_cookies=False)
    page = browser.select_content(bench.world.school.context, bench.world.tool)
    assert bench.teacher.name in page.text and not page.forms[0].auto
    page = browser.submit(page.form("/lti/confirm"))
    assert page.form("/deep-linking").fields["session"]
    assert not browser.cookies(bench.url).get_dict()
    # From here on no page needs a cookie: the choice goes through and the campus makes it.
    page = browser.post(
        f"{bench.url}/deep-linking",
        {
            "session": page.form("/deep-linking").fields["session"][0],
            "program": bench.world.school.program.id,
            "course": bench.world.school.courses["linked"].id,
            "strategy": "final_grade",
            "points": "100",
        },
    )
    assert len(browser.return_content(page)) == 1


def test_s63_each_login_has_a_cookie_of_its_own(bench: Bench) -> None:
    names = set()
    for _ in range(2):
        fields = {
            "iss": bench.campus.url, "login_hint": "4", "client_id": bench.world.tool.client_id,
            "target_link_uri": bench.world.tool.launch_url,
        }  # fmt: skip
        answer = requests.post(f"{bench.url}/lti/login", fields, allow_redirects=False, timeout=5)
        [cookie] = answer.cookies
        names.add(cookie.name)
        header = answer.headers["Set-Cookie"]
        assert "HttpOnly" in header and "Path=/lti" in header
        # Plain http (a demo on this machine) can't have SameSite=None.
        assert "SameSite=Lax" in header and "Secure" not in header
    assert len(names) == 2


def test_s63_the_cookie_over_https(bench: Bench) -> None:
    tool = bench.world.services.config.tool
    secure = bench.url.replace("http://", "https://")
    plain = tool.base_url
    object.__setattr__(tool, "base_url", secure)
    try:
        fields = {
            "iss": bench.campus.url, "login_hint": "4", "client_id": bench.world.tool.client_id,
            "target_link_uri": f"{secure}/lti/launch",
        }  # fmt: skip
        answer = requests.post(f"{bench.url}/lti/login", fields, allow_redirects=False, timeout=5)
    finally:
        object.__setattr__(tool, "base_url", plain)
    assert answer.status_code == 302
    for part in ("SameSite=None", "Secure", "Partitioned", "HttpOnly"):
        assert part in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("kind", ["confirm", "learner", "instructor", "picker"])
def test_session_values_are_refused_on_other_pages(bench: Bench, kind: str) -> None:
    if kind == "confirm":
        value, own = session_in(unconfirmed(bench)), "/lti/confirm"
    elif kind == "learner":
        value, own = session_in(bench.launch()), "/go"
    elif kind == "instructor":
        value, own = session_in(bench.launch(person=bench.teacher)), "/activities"
    else:
        value, own = session_in(bench.launch(linking=True)), "/deep-linking"
    with bench.world.app.app_context():
        activity = db.session.scalars(
            db.select(LaunchLog.activity_fk).where(LaunchLog.activity_fk.is_not(None))
        ).first()
    pages = {
        "/lti/confirm": ("POST", "/lti/confirm"),
        "/go": ("GET", f"/go/{activity}"),
        "/activities": ("GET", f"/activities/{activity}"),
        "/deep-linking": ("POST", "/deep-linking"),
    }
    # A teacher may go on to Coursera, too.
    allowed = {own, "/go"} if kind == "instructor" else {own}
    for page, (method, path) in pages.items():
        if page not in allowed:
            refused(
                requests.request(
                    method, bench.url + path, params={"session": value} if method == "GET" else {},
                    data={"session": value} if method == "POST" else None,
                    allow_redirects=False, timeout=10,
                )
            )  # fmt: skip


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "é" * 50, "A" * 5000])
def test_session_values_that_were_never_issued(bench: Bench, value: str) -> None:
    refused(confirm(bench, value))
    answer = requests.post(f"{bench.url}/deep-linking", {"session": value}, timeout=10)
    refused(answer)


def test_a_changed_session_value_is_refused(bench: Bench) -> None:
    value = session_in(unconfirmed(bench))
    head, _, tail = value.rpartition(".")
    refused(confirm(bench, f"{head}.{tail[::-1]}"))
    assert confirm(bench, value).status_code == 303


def test_a_used_picker_answers_no_second_time(bench: Bench) -> None:
    value = session_in(bench.launch(linking=True))
    fields = {
        "session": value,
        "program": bench.world.school.program.id,
        "course": bench.world.school.courses["final"].id,
        "strategy": "final_grade",
        "points": "100",
    }
    assert "JWT" in requests.post(f"{bench.url}/deep-linking", fields, timeout=10).text
    refused(requests.post(f"{bench.url}/deep-linking", fields, timeout=10))


def test_a_session_value_never_leaves_in_a_referer(bench: Bench) -> None:
    pages = [unconfirmed(bench), bench.launch(linking=True)]
    answer = bench.launch(person=bench.teacher)
    pages += [answer, bench.browser.send("GET", bench.url + answer.headers["Location"])]
    answer = bench.launch()
    pages += [answer, bench.browser.send("GET", bench.url + answer.headers["Location"])]
    for page in pages:
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
    # The way out to Coursera carries nothing of ours.
    assert "session" not in pages[-1].headers["Location"]


def test_only_registered_platforms_may_frame_a_page(bench: Bench) -> None:
    policy = bench.launch(linking=True).headers["Content-Security-Policy"]
    [ancestors] = [part for part in policy.split("; ") if part.startswith("frame-ancestors")]
    assert ancestors.split()[1:] == ["'self'", bench.campus.url]
