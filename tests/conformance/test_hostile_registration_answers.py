"""H79: what a platform answers to a registration."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from conformance.bench import Bench
from conformance.hostile_cases.evil import NAMES, TOOL, Evil, refused
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import invitation
from passport_lti.sandbox.serving import serve


@pytest.fixture(scope="module")
def own() -> Iterator[Bench]:
    with fresh_bench() as bench:
        yield bench


@pytest.fixture
def evil() -> Iterator[Evil]:
    there = Evil()
    with serve(there) as server:
        there.url = server.url
        there.answer("/configuration", there.document())
        there.answer("/register", {"client_id": f"evil-{next(NAMES)}"})
        yield there


def slowly() -> Iterator[bytes]:
    for _ in range(200):
        time.sleep(0.1)
        yield b" "


@pytest.mark.parametrize("step", ["/configuration", "/register"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b" " * 3_000_000, "200 OK", id="H79-3-MB"),
        pytest.param(slowly, "200 OK", id="H79-slow"),
        pytest.param(b"down", "500 Oops", id="H79-500"),
        pytest.param(b"", "204 No Content", id="H79-204"),
        pytest.param(b"<html>Log in</html>", "200 OK", id="H79-html"),
        pytest.param(b"[]", "200 OK", id="H79-list"),
        pytest.param(b"{", "200 OK", id="H79-cut-off"),
        pytest.param(b"[" * 100_000, "200 OK", id="H79-nested"),
        pytest.param(b"\xff\xfe", "200 OK", id="H79-bytes"),
        pytest.param(b"<script>alert(1)</script>", "400 Bad", id="H79-script-in-an-error"),
    ],
)
def test_h79_answers(own: Bench, evil: Evil, step: str, body: Any, status: str) -> None:
    good = evil.answers[step]
    evil.answer(step, body, status)
    began, url = time.monotonic(), invitation(own, next(NAMES))
    answer = refused(own, url, f"{evil.url}/configuration")
    assert answer.headers["X-LTI-Error"] == "platform_error" and "<script>a" not in answer.text
    assert time.monotonic() - began < 20
    evil.answers[step] = good
    again = {"openid_configuration": f"{evil.url}/configuration", "registration_token": "t"}
    assert requests.get(url, params=again, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "client_id",
    [None, "", 7, "c" * 300, "a\nb", ["c"]],
    ids=lambda value: f"H79-client-{value!r:.9}",
)
def test_h79_client_ids(own: Bench, evil: Evil, client_id: Any) -> None:
    evil.answer("/register", {"client_id": client_id})
    answer = refused(own, invitation(own, next(NAMES)), f"{evil.url}/configuration")
    assert answer.headers["X-LTI-Error"] == "malformed"


def test_h79_more_fields_than_we_know_do_no_harm(own: Bench, evil: Evil) -> None:
    evil.answer("/configuration", evil.document(more={"a": [1] * 1000}, x=None, y="z" * 10_000))
    evil.answer("/register", {"client_id": "extra", TOOL: {"deployment_id": "1", "x": 1}, "y": 2})
    query = {"openid_configuration": f"{evil.url}/configuration", "registration_token": "t"}
    answer = requests.get(invitation(own, next(NAMES)), params=query, timeout=30)
    assert answer.status_code == 200
