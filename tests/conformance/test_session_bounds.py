"""Section 5.11: a `session` value serves one kind of page, for the activity of its launch."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from conformance.bench import Bench
from passport_lti.sandbox.reading import read_page

INSTRUCTORS = [
    "/activities/{}" + part
    for part in (
        "", "/option", "/people", "/preview", "/figures", "/progress", "/progress.svg",
        "/syncs.svg", "/grades.csv", "/cells.csv",
    )
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """An activity's number and a session that a launch of it gave."""

    number: str
    session: str


def place(bench: Bench, person: Any, activity: Any = None) -> Place:
    answer = bench.accepted(bench.launch(person=person, activity=activity))
    parts = urlsplit(answer.headers["Location"])
    return Place(parts.path.rpartition("/")[2], parse_qs(parts.query)["session"][0])


@pytest.fixture
def other(bench: Bench) -> Any:
    """One more activity of the same course."""
    campus, school = bench.campus, bench.world.school
    return campus.add_activity(
        school.context, bench.world.tool, "Beside", custom=bench.activity.custom
    )


def get(bench: Bench, path: str, session: str) -> requests.Response:
    query = {"session": session}
    return requests.get(bench.url + path, params=query, allow_redirects=False, timeout=30)


def refused(answer: requests.Response) -> None:
    assert (answer.status_code, answer.headers.get("X-LTI-Error")) == (403, "session")
    assert "Location" not in answer.headers and "Start again from your course" in answer.text


def test_an_instructors_session_is_bound_to_its_activity(bench: Bench, other: Any) -> None:
    own, beside = place(bench, bench.teacher), place(bench, bench.teacher, other)
    assert own.number != beside.number
    for path in INSTRUCTORS:
        assert get(bench, path.format(own.number), own.session).status_code == 200
        refused(get(bench, path.format(own.number), beside.session))
        refused(get(bench, path.format(beside.number), own.session))
    tables = bench.tables()
    for path in ("sync", "look", "option", "retry-all", "cells/1/retry"):
        url = f"{bench.url}/activities/{beside.number}/{path}"
        refused(requests.post(url, {"session": own.session}, timeout=30))
    assert bench.tables() == tables


def test_a_learners_session_is_bound_to_its_activity(bench: Bench, other: Any) -> None:
    own, beside = place(bench, bench.learner), place(bench, bench.learner, other)
    assert get(bench, f"/go/{own.number}", own.session).status_code == 302
    assert get(bench, f"/grades/{own.number}", own.session).status_code == 200
    for path in ("go", "grades"):
        refused(get(bench, f"/{path}/{beside.number}", own.session))


def test_the_instructors_page_opens_coursera_with_a_session_of_its_own(bench: Bench) -> None:
    own = place(bench, bench.teacher)
    refused(get(bench, f"/go/{own.number}", own.session))
    page = get(bench, f"/activities/{own.number}", own.session).text
    [way] = re.findall(r'href="(/go/[^"]+)"', page)
    assert own.session not in way
    away = requests.get(bench.url + way, allow_redirects=False, timeout=30)
    assert away.status_code == 302
    coursera = urlsplit(bench.world.coursera.url).netloc
    assert urlsplit(away.headers["Location"]).netloc == coursera


ELSEWHERE = [
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="H39-cross-site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="H40-sibling-sub-domain"),
    pytest.param({"Origin": "https://evil.example"}, id="H39-origin"),
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_h39_nobody_confirms_for_somebody_else(bench: Bench, headers: dict[str, str]) -> None:
    """An attacker's own confirm value, posted by a page of his in the victim's browser."""
    asked = bench.accepted(bench.launch(cookies=False))
    fields = {"session": read_page(bench.url, asked).form("/lti/confirm").fields["session"][0]}
    url = f"{bench.url}/lti/confirm"
    refused(requests.post(url, fields, headers=headers, allow_redirects=False, timeout=30))
    # What a browser says of our own page: the origin is hidden, as no referrer is sent.
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    answer = requests.post(url, fields, headers=own, allow_redirects=False, timeout=30)
    assert answer.status_code == 303
