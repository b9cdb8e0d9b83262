"""H69 to H74: hostile deep linking requests, answers and sessions."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import Neighbour, neighbour
from passport_lti.sandbox.campus.claims import DEEP_LINKING
from passport_lti.sandbox.reading import read_page

DATA = "https://purl.imsglobal.org/spec/lti-dl/claim/data"
ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"


def request(bench: Bench, **settings: Any) -> requests.Response:
    """The answer to a deep linking request with other settings."""

    def with_settings(claims: dict[str, Any]) -> dict[str, Any]:
        found = {**claims[DEEP_LINKING], **settings}
        return {**claims, DEEP_LINKING: {k: v for k, v in found.items() if v is not ABSENT}}

    return bench.launch(with_settings, linking=True)


def session_of(bench: Bench, answer: requests.Response) -> str:
    return read_page(bench.url, answer).form("/deep-linking").fields["session"][0]


def choose(bench: Bench, session: str, **fields: Any) -> requests.Response:
    school = bench.world.school
    values = {
        "session": session,
        "program": school.program.id,
        "course": school.courses["linked"].id,
        "strategy": "final_grade",
        "points": "100",
        **fields,
    }
    return requests.post(f"{bench.url}/deep-linking", values, timeout=30)


def message(bench: Bench, answer: requests.Response) -> dict[str, Any]:
    token = read_page(bench.url, answer).form().fields["JWT"][0]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


@pytest.mark.parametrize(
    "data",
    [
        "plain",
        '{"a": [1, "\u00e9"]}',
        "</script><b>&amp;",
        " spaces \t",
        "\u202e" * 3,
        "x" * 20_000,
    ],
    ids=["H69-plain", "H69-json", "H69-html", "H69-spaces", "H69-right-to-left", "H69-20-kB"],
)
def test_h69_data_comes_back_unchanged(bench: Bench, data: str) -> None:
    answer = choose(bench, session_of(bench, bench.accepted(request(bench, data=data))))
    assert message(bench, answer)[DATA] == data


@pytest.mark.parametrize("data", [ABSENT, None], ids=["H69-absent", "H69-null"])
def test_h69_no_data_none_back(bench: Bench, data: Any) -> None:
    answer = choose(bench, session_of(bench, bench.accepted(request(bench, data=data))))
    assert DATA not in message(bench, answer)


@pytest.mark.parametrize("change", ["front", "back", "kind"], ids=lambda c: f"H69-{c}")
def test_h69_a_session_with_other_contents(bench: Bench, change: str) -> None:
    session = session_of(bench, bench.accepted(request(bench, data="mine")))
    forged = {"front": "A" + session[1:], "back": session[:-2] + "xx", "kind": session + "x"}
    answer = choose(bench, forged[change])
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"


@pytest.mark.parametrize(
    "change",
    ["https://evil.example/return", "//evil.example/", "javascript:alert(1)", "data:text/html,x",
     "{own}.evil.example/", "{own}@evil.example/", "{https}/mod/lti/contentitem_return.php",
     "{user}/mod/lti", "/mod/lti/contentitem_return.php", "http://127.0.0.1:1/", "http://[::1"],
    ids=["H70-host", "H70-no-scheme", "H70-javascript", "H70-data", "H70-suffix", "H70-user",
         "H70-https", "H70-own-user", "H70-path", "H70-port", "H70-broken"],
)  # fmt: skip
def test_h70_return_addresses_elsewhere(bench: Bench, change: str) -> None:
    own = bench.campus.url
    url = change.format(
        own=own, https=own.replace("http:", "https:"), user=own.replace("//", "//u:p@")
    )
    bench.refused(request(bench, deep_link_return_url=url), "malformed")


@pytest.mark.parametrize(
    "url", [ABSENT, "", None, 7], ids=["H70-absent", "H70-empty", "H70-null", "H70-7"]
)
def test_h70_no_return_address(bench: Bench, url: Any) -> None:
    bench.refused(request(bench, deep_link_return_url=url), "claims_missing")


@pytest.mark.parametrize(
    "types",
    [[], ["link"], ["file", "html"], "ltiResourceLink", None, ABSENT, [["ltiResourceLink"]]],
    ids=["H71-none", "H71-link", "H71-others", "H71-text", "H71-null", "H71-absent", "H71-nested"],
)
def test_h71_links_are_not_accepted(bench: Bench, types: Any) -> None:
    page = bench.refused(request(bench, accept_types=types), "malformed")
    assert "does not accept LTI links" in page


def test_h71_several_where_one_is_taken(bench: Bench) -> None:
    session = session_of(bench, bench.accepted(request(bench, accept_multiple=False)))
    items = [item.id for item in bench.world.school.courses["linked"].items]
    answer = choose(bench, session, strategy="granular_deep_linked", item=items)
    assert answer.status_code == 400 and "one activity at a time" in answer.text
    answer = choose(bench, session, strategy="granular_deep_linked", item=items[:1])
    assert len(message(bench, answer)[ITEMS]) == 1


@pytest.mark.parametrize("value", ["false", 0, None, []], ids=lambda v: f"H71-{v!r}")
def test_h71_an_unclear_accept_multiple_means_one(bench: Bench, value: Any) -> None:
    session = session_of(bench, bench.accepted(request(bench, accept_multiple=value)))
    items = [item.id for item in bench.world.school.courses["linked"].items]
    answer = choose(bench, session, strategy="granular_deep_linked", item=items)
    assert answer.status_code == 400 and "one activity at a time" in answer.text


def test_h71_line_items_are_not_accepted(bench: Bench) -> None:
    """By the specification such a platform ignores `lineItem`: the link itself is sound."""
    answer = bench.accepted(request(bench, accept_lineitem=False))
    [item] = message(bench, choose(bench, session_of(bench, answer)))[ITEMS]
    assert item["type"] == "ltiResourceLink" and item["custom"]["strategy"] == "final_grade"


def test_h72_a_second_submit(bench: Bench) -> None:
    session = session_of(bench, bench.accepted(request(bench)))
    assert "JWT" in choose(bench, session).text
    again = choose(bench, session)
    assert again.status_code == 403 and again.headers["X-LTI-Error"] == "session"
    assert "already" in again.text and "JWT" not in again.text


def test_h72_a_replayed_answer_makes_nothing_twice_at_the_same_nonce(bench: Bench) -> None:
    answers = [choose(bench, session_of(bench, bench.accepted(request(bench)))) for _ in range(2)]
    assert len({message(bench, answer)["nonce"] for answer in answers}) == 2


def test_h73_a_learners_request(bench: Bench) -> None:
    roles = ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    answer = bench.launch({"roles": roles}, linking=True)
    bench.refused(answer, "role_not_allowed")
    assert answer.status_code == 403


@pytest.mark.parametrize("person", ["learner", "teacher"], ids=["H73-learner", "H73-instructor"])
def test_h73_sessions_of_other_pages_open_no_picker(bench: Bench, person: str) -> None:
    launched = bench.accepted(bench.launch(person=getattr(bench, person)))
    session = launched.headers["Location"].partition("session=")[2]
    answer = choose(bench, session)
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"


@pytest.mark.parametrize("path", ["/activities/1", "/activities/1/option", "/deep-linking"])
def test_h73_a_learners_session_opens_no_instructors_page(bench: Bench, path: str) -> None:
    session = bench.launch().headers["Location"].partition("session=")[2]
    answer = requests.get(f"{bench.url}{path}", params={"session": session}, timeout=30)
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"


@pytest.fixture(scope="module")
def tenants() -> Iterator[tuple[Bench, Neighbour, str]]:
    """Two tenants, and the session of an instructor of the second."""
    with fresh_bench() as bench, neighbour(bench) as other:
        browser = other.campus.browser(other.teacher)
        picker = browser.select_content(other.context, other.tool)
        page = choose(bench, picker.form("/deep-linking").fields["session"][0])
        [activity] = browser.return_content(read_page(bench.url, page))
        answer = browser.launch(activity, follow=False)
        yield bench, other, answer.headers["Location"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/option"), ("POST", "/option"), ("POST", "/sync"),
     ("POST", "/cells/1/retry"), ("POST", "/cells/1/send-anyway"),
     ("POST", "/columns/1/make-again")],
    ids=lambda value: f"H74{value.replace('/', '-')}",
)  # fmt: skip
def test_h74_ids_of_another_tenant_do_not_exist(
    tenants: tuple[Bench, Neighbour, str], method: str, path: str
) -> None:
    bench, _, location = tenants
    own, _, session = location.partition("?session=")
    number = own.rpartition("/")[2]
    assert requests.get(bench.url + location, timeout=30).status_code == 200
    foreign = next(n for n in "123" if n != number)
    tables = bench.tables()
    answer = requests.request(
        method, f"{bench.url}/activities/{foreign}{path}",
        **{"params" if method == "GET" else "data": {"session": session}},
        allow_redirects=False, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 404 and bench.tables() == tables


def test_h74_the_way_out_of_another_tenant_does_not_exist(
    tenants: tuple[Bench, Neighbour, str],
) -> None:
    bench, other, location = tenants
    instructors = location.partition("?session=")[2]
    answer = requests.get(f"{bench.url}/go/1", params={"session": instructors}, timeout=30)
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"
    [activity] = [a for a in other.campus.activities(other.context) if a.title != "Something"]
    launched = other.campus.browser(other.learner).launch(activity, follow=False)
    own, _, session = launched.headers["Location"].partition("?session=")
    assert own.startswith("/go/") and own != "/go/1"
    answer = requests.get(f"{bench.url}/go/1", params={"session": session}, timeout=30)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "role"),
    [("/activities/{}", "instructor"), ("/activities/{}/option", "instructor"),
     ("/go/{}", "learner")],
)  # fmt: skip
def test_h74_a_session_of_another_course_is_foreign(bench: Bench, path: str, role: str) -> None:
    """The launch bounds what its session may see."""
    campus, tool = bench.campus, bench.world.tool
    person = bench.teacher if role == "instructor" else bench.learner
    course = campus.add_context("H74", "Another course")
    campus.enrol(course, person, role)
    activity = campus.add_activity(course, tool, "Elsewhere", custom=bench.activity.custom)
    launched = bench.accepted(bench.launch(person=person, activity=activity))
    own, _, session = launched.headers["Location"].partition("?session=")
    assert own.rpartition("/")[2] != "1"
    query = {"session": session}
    there = f"{bench.url}{path.format(1)}"
    answer = requests.get(there, params=query, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (403, "session")
