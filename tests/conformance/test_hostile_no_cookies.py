"""H41 and H42: browsers that return no cookie, and storage frames that nobody asked."""

from typing import Any

import pytest
import requests

from conformance.bench import Bench
from passport_lti.sandbox.reading import read_page


def framed(bench: Bench, linking: bool = False) -> requests.Response:
    """The answer to a browser that returned no cookie."""
    return bench.launch(cookies=False, linking=linking)


def session_of(bench: Bench, answer: requests.Response) -> str:
    return read_page(bench.url, answer).form("/lti/confirm").fields["session"][0]


def confirm(bench: Bench, value: str) -> requests.Response:
    return requests.post(
        f"{bench.url}/lti/confirm", {"session": value}, allow_redirects=False, timeout=30
    )


def refused(answer: requests.Response) -> None:
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"


@pytest.mark.parametrize("linking", [False, True], ids=["H41-activity", "H41-deep-linking"])
def test_h41_the_page_names_person_and_context_and_waits(bench: Bench, linking: bool) -> None:
    answer = bench.accepted(framed(bench, linking))
    person = bench.teacher if linking else bench.learner
    assert person.name in answer.text and bench.world.school.context.fullname in answer.text
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    page = read_page(bench.url, answer)
    assert page.auto_form is None, "nobody goes on without a click"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_h41_one_click_goes_on_once(bench: Bench) -> None:
    value = session_of(bench, framed(bench))
    first = confirm(bench, value)
    assert first.status_code in (200, 303) and "X-LTI-Error" not in first.headers
    refused(confirm(bench, value))


def test_h41_nothing_goes_on_without_the_click(bench: Bench) -> None:
    """The confirm value opens no other page."""
    value = session_of(bench, framed(bench))
    for path in ("/go/1", "/activities/1", "/deep-linking"):
        refused(requests.get(f"{bench.url}{path}", params={"session": value}, timeout=30))


@pytest.mark.parametrize(
    "value",
    ["", "forged", "a.b", "é", "\x00", "s" * 50_000],
    ids=lambda v: f"H41-{len(v)}-characters",
)
def test_h41_forged_confirmations(bench: Bench, value: str) -> None:
    refused(confirm(bench, value))


def test_h41_a_get_confirms_nothing(bench: Bench) -> None:
    value = session_of(bench, framed(bench))
    answer = requests.get(f"{bench.url}/lti/confirm", params={"session": value}, timeout=30)
    assert answer.status_code == 405
    assert confirm(bench, value).status_code in (200, 303)


@pytest.mark.parametrize(
    "target",
    ["_parent", "evil", "https://evil.example", '"><script>alert(1)</script>'],
    ids=["H42-parent", "H42-unknown", "H42-address", "H42-html"],
)
@pytest.mark.parametrize("step", ["login", "launch"])
def test_h42_a_storage_target_is_not_used(bench: Bench, target: str, step: str) -> None:
    """The tool keeps nothing in a platform's frame, so no answer from one is ever believed."""
    extra: dict[str, Any] = {"lti_storage_target": target}
    if step == "login":
        answer = bench.launch(login=extra, cookies=False)
    else:
        answer = bench.launch(form=extra, cookies=False)
    page = bench.accepted(answer).text
    assert "/lti/confirm" in page and "postMessage" not in page and target not in page


def test_h42_a_state_that_a_frame_sends_along_does_not_confirm(bench: Bench) -> None:
    """Fields that a script could add (a cookie's name and value) are no cookie."""
    browser = bench.campus.browser(bench.learner)
    form = bench.form_of(browser)
    fields = {name: values[0] for name, values in form.fields.items()}
    cookies = browser.cookies(bench.url).get_dict()
    answer = bench.post(browser, form.action, {**fields, **cookies}, cookies=False)
    assert "/lti/confirm" in bench.accepted(answer).text
