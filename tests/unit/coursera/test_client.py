"""The client against a server over HTTP: tokens, paging, patience, and answers that are none."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Response, request

from passport_lti.config.settings import CourseraConnection
from passport_lti.coursera.client import CourseraClient
from passport_lti.errors import Gone, Rejected, RetryLater, ServiceError
from passport_lti.http import Session

from .conftest import NOW, ORG, Fake


def page(*ids: str, **paging: Any) -> dict[str, Any]:
    return {"elements": [{"id": i} for i in ids], "paging": paging, "linked": {}}


def ids(client: CourseraClient) -> list[str]:
    return [row["id"] for row in client.programs()]


def test_a_token_is_fetched_once(client: CourseraClient, fake: Fake) -> None:
    fake.answers["org"] = {"id": ORG}
    assert client.organisation() == {"id": ORG}
    assert client.organisation() == {"id": ORG}
    assert fake.tokens == 1
    assert client.requests == 3


def test_a_token_is_renewed_before_it_expires(fake: Fake) -> None:
    now = [NOW]
    connection = CourseraConnection(api_base=fake.url, org_id=ORG, api_key="k", api_secret="secret")
    fake.answers["org"] = {}
    with Session() as http:
        client = CourseraClient("main", connection, http, lambda: now[0])
        client.organisation()
        now[0] += timedelta(seconds=1700)
        client.organisation()
        assert fake.tokens == 1
        now[0] += timedelta(seconds=60)
        client.organisation()
        assert fake.tokens == 2


def test_a_token_that_was_revoked_is_renewed_once(
    client: CourseraClient, fake: Fake, waits: list[float]
) -> None:
    fake.answers["org"] = {"id": ORG}
    client.organisation()
    fake.refused_tokens = {"t1"}
    assert client.organisation() == {"id": ORG}
    assert fake.tokens == 2
    assert waits == []


def test_a_fresh_token_that_is_refused_is_an_error(client: CourseraClient, fake: Fake) -> None:
    fake.refused_tokens = {"t1", "t2", "t3"}
    fake.answers["org"] = {}
    with pytest.raises(Rejected) as caught:
        client.organisation()
    assert caught.value.reason == "coursera_refused"
    assert fake.tokens == 2


def test_a_wrong_key(make_client: Callable[..., CourseraClient], fake: Fake) -> None:
    with pytest.raises(Rejected) as caught:
        make_client(api_secret="wrong-SECRET").organisation()
    assert caught.value.reason == "coursera_refused"
    assert "api_secret" in str(caught.value) and "SECRET" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, [], {"access_token": ""}, {"access_token": 5}])
def test_a_token_answer_without_a_token(client: CourseraClient, fake: Fake, answer: Any) -> None:
    fake.token_answer = answer
    with pytest.raises(RetryLater) as caught:
        client.organisation()
    assert caught.value.reason == "coursera_malformed"


@pytest.mark.parametrize("following", ["2", 2, "opaque~x y/&=", "2.0"])
def test_pages_are_followed_as_they_are_named(
    client: CourseraClient, fake: Fake, following: Any
) -> None:
    fake.answers["programs"] = [page("a", "b", next=following), page("c", total=3)]
    assert ids(client) == ["a", "b", "c"]
    assert "start=0&limit=100" in fake.seen[0]
    assert len(fake.seen) == 2


def test_the_next_page_is_asked_for_literally(client: CourseraClient, fake: Fake) -> None:
    starts: list[str] = []

    def answer() -> Any:
        starts.append(request.args["start"])
        return page("a", next="x y/&=é") if len(starts) == 1 else page("b")

    fake.answers["programs"] = answer
    assert ids(client) == ["a", "b"]
    assert starts == ["0", "x y/&=é"]


@pytest.mark.parametrize(
    "last", [page("b"), page("b", next=None), page("b", next=""), {"elements": [{"id": "b"}]}]
)
def test_the_last_page_names_no_other(client: CourseraClient, fake: Fake, last: Any) -> None:
    fake.answers["programs"] = [page("a", next="1"), last]
    assert ids(client) == ["a", "b"]


def test_an_empty_page_is_the_last(client: CourseraClient, fake: Fake) -> None:
    fake.answers["programs"] = [page("a", next="1"), page(next="2"), page("c")]
    assert ids(client) == ["a"]


@pytest.mark.parametrize("start", ["0", "1"])
def test_pages_in_circles_are_noticed(client: CourseraClient, fake: Fake, start: str) -> None:
    fake.answers["programs"] = [page("a", next="1"), page("b", next=start)]
    with pytest.raises(RetryLater) as caught:
        ids(client)
    assert caught.value.reason == "coursera_malformed"


@pytest.mark.parametrize("answer", [{}, [], "text", 5, {"elements": None}, {"elements": [1]}])
def test_an_answer_without_elements(client: CourseraClient, fake: Fake, answer: Any) -> None:
    fake.answers["programs"] = [answer]
    with pytest.raises(RetryLater) as caught:
        ids(client)
    assert caught.value.reason == "coursera_malformed"


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_one_bad_answer_is_got_over(
    client: CourseraClient, fake: Fake, waits: list[float], status: int
) -> None:
    fake.answers["programs"] = [Response("<html>", status), page("a")]
    assert ids(client) == ["a"]
    assert waits == [0.4]


@pytest.mark.parametrize("header", ["7", "Sun, 01 Mar 2026 12:00:07 GMT"])
def test_the_wish_to_wait_is_honoured(
    client: CourseraClient, fake: Fake, waits: list[float], header: str
) -> None:
    fake.answers["programs"] = [Response("", 429, {"Retry-After": header}), page("a")]
    assert ids(client) == ["a"]
    assert waits == [7.0]


def test_who_is_to_wait_long_asks_again_later(
    client: CourseraClient, fake: Fake, waits: list[float]
) -> None:
    fake.answers["programs"] = Response("", 429, {"Retry-After": "600"})
    with pytest.raises(RetryLater) as caught:
        ids(client)
    assert (caught.value.reason, caught.value.after) == ("coursera_rate_limited", 600.0)
    assert waits == []
    assert len(fake.seen) == 1


def test_patience_ends(client: CourseraClient, fake: Fake, waits: list[float]) -> None:
    fake.answers["programs"] = Response("broken", 500)
    with pytest.raises(RetryLater) as caught:
        ids(client)
    assert caught.value.reason == "coursera_down"
    assert len(fake.seen) == 4
    assert waits == pytest.approx([0.4, 1.2, 3.6])


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", '{"elements": [{"id": "a"', "", "9" * 5000, "[" * 100_000]
)
def test_an_answer_that_is_no_json(client: CourseraClient, fake: Fake, body: str) -> None:
    fake.answers["programs"] = Response(body, 200, {"Content-Type": "text/html"})
    with pytest.raises(RetryLater) as caught:
        ids(client)
    assert caught.value.reason == "coursera_malformed"


def test_an_answer_that_breaks_off(client: CourseraClient, fake: Fake) -> None:
    whole = Response('{"elements": []}', 200, {"Content-Length": "16"})
    fake.answers["programs"] = [Response('{"elem', 200, {"Content-Length": "6"}), whole]
    assert ids(client) == []


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, Rejected, "coursera_bad_request"),
        (403, Rejected, "coursera_forbidden"),
        (404, Gone, "coursera_gone"),
        (409, Rejected, "coursera_bad_request"),
        (302, RetryLater, "coursera_down"),
    ],
)
def test_refusals(
    client: CourseraClient, fake: Fake, status: int, kind: type[ServiceError], reason: str
) -> None:
    fake.answers["programs"] = Response("no", status)
    with pytest.raises(kind) as caught:
        ids(client)
    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert len(fake.seen) == (4 if kind is RetryLater else 1)


def test_nobody_listens(make_client: Callable[..., CourseraClient], waits: list[float]) -> None:
    client = make_client()
    object.__setattr__(client.connection, "api_base", "http://127.0.0.1:9")
    with pytest.raises(RetryLater) as caught:
        client.organisation()
    assert caught.value.reason == "coursera_down"
    assert len(waits) == 3


def test_what_is_asked(make_client: Callable[..., CourseraClient], fake: Fake) -> None:
    client = make_client(page_size=7, outline_path="/outline/{org_id}/{course_slug}/{course_id}")
    fake.answers |= {"courseGradebookReports": page("a"), "enrollmentReports": page("b")}
    fake.answers[f"{ORG}/a slug/c"] = {"modules": []}
    assert [len(p) for p in client.gradebook_pages("p", "c")] == [1]
    assert [len(p) for p in client.enrollment_pages("p")] == [1]
    assert client.outline("p", "c", "a slug") == {"modules": []}
    assert fake.seen[:2] == [
        "q=search&programId=p&courseId=c&start=0&limit=7",
        "q=byProgramId&programId=p&start=0&limit=7",
    ]


def test_no_outline_is_gone(client: CourseraClient) -> None:
    with pytest.raises(Gone):
        client.outline("p", "c", "slug")
    assert client.requests == 0


def test_the_old_generation_has_other_addresses(make_client: Callable[..., CourseraClient]) -> None:
    client = make_client()
    object.__setattr__(client.connection, "api_base", "https://api.coursera.org")
    assert client.base == f"https://api.coursera.org/api/businesses.v1/{ORG}"
