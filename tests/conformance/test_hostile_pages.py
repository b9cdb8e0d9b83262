"""H66, H67, H81, H82, H84 and H85: hostile frames, hosts and caches."""

import re
import socket
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.logins import login, login_of
from conformance.hostile_cases.neighbour import invitation

PAGES = ["/lti/setup", "/lti/login", "/lti/register", "/deep-linking", "/activities/1", "/go/1"]


def ancestors(answer: requests.Response) -> set[str]:
    policy = answer.headers["Content-Security-Policy"]
    found = re.search(r"frame-ancestors ([^;]+)", policy)
    assert found
    return set(found[1].split())


def test_h66_h67_pages_stand_in_frames_of_registered_platforms_only(bench: Bench) -> None:
    picker = bench.launch(linking=True)
    teacher = bench.launch(person=bench.teacher)
    answers = [picker, teacher, bench.launch(cookies=False), bench.launch(header={"kid": "x"})]
    answers += [requests.get(f"{bench.url}{path}", timeout=30) for path in PAGES]
    for answer in answers:
        assert ancestors(answer) == {"'self'", bench.campus.url}
        assert "X-Frame-Options" not in answer.headers


def test_h66_the_host_that_asks_does_not_become_an_ancestor(bench: Bench) -> None:
    evil = "https://evil.example"
    headers = {"Origin": evil, "Referer": f"{evil}/page"}
    answer = requests.get(f"{bench.url}/lti/setup", headers=headers, timeout=30)
    assert evil not in str(answer.headers) and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "hostile",
    ["https://evil.example; script-src *", "https://evil.example 'unsafe-inline'", "*", "https:"],
    ids=["H67-semicolon", "H67-space", "H67-star", "H67-scheme"],
)
def test_h67_no_address_adds_to_the_policy(bench: Bench, hostile: str) -> None:
    query = {"openid_configuration": hostile, "invite": "x"}
    answer = requests.get(f"{bench.url}/lti/register", params=query, timeout=30)
    assert ancestors(answer) == {"'self'", bench.campus.url}
    assert "evil" not in answer.headers["Content-Security-Policy"]


def test_h66_a_registration_that_nobody_invited_is_framed_by_nobody_new(bench: Bench) -> None:
    """Only where an invitation of ours leads may a site that is not registered yet frame us."""
    document = "https://moodle.evil.example/openid"
    for address in (f"{bench.url}/lti/register?invite=guessed", f"{bench.url}/lti/register"):
        answer = requests.get(address, params={"openid_configuration": document}, timeout=30)
        assert answer.status_code == 403
        assert ancestors(answer) == {"'self'", bench.campus.url}
    invited = invitation(bench, "framed", timedelta(seconds=-1))
    answer = requests.get(invited, params={"openid_configuration": document}, timeout=30)
    assert answer.status_code == 403 and "is over" in answer.text
    assert "https://moodle.evil.example" in ancestors(answer)


def test_h81_pages_set_no_cookie_and_need_none(bench: Bench) -> None:
    """What no cookie carries, no other site can ride on: forms carry their own session."""
    answer = bench.launch(person=bench.teacher)
    url = bench.url + answer.headers["Location"]
    page = requests.get(url, timeout=30)
    assert page.status_code == 200 and not page.cookies
    for path in ("/activities/1/sync", "/deep-linking", "/activities/1/option"):
        bare = bench.browser.send("POST", f"{bench.url}{path}", [("strategy", "final_grade")])
        assert bare.status_code == 403 and bare.headers["X-LTI-Error"] == "session"


def test_h81_the_login_cookie_behind_https(bench: Bench) -> None:
    config = bench.world.services.config_file
    app, before = bench.world.app, config.current
    tool = before.tool.model_copy(update={"base_url": "https://passport.example.edu"})
    config.current = before.model_copy(update={"tool": tool})
    try:
        fields = login_of(bench, target_link_uri="https://passport.example.edu/lti/launch")
        answer = app.test_client().post("/lti/login", data=fields)
    finally:
        config.current = before
    assert answer.status_code == 302
    [cookie] = answer.headers.getlist("Set-Cookie")
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"secure", "httponly", "samesite=none", "partitioned", "path=/"} <= parts
    # H40: a browser takes a cookie of such a name from no other host.
    assert cookie.startswith("__Host-")
    assert not any(part.startswith("domain") for part in parts)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="H82-Host"),
        pytest.param({"X-Forwarded-Host": "evil.example"}, id="H82-X-Forwarded-Host"),
        pytest.param({"Forwarded": "host=evil.example"}, id="H82-Forwarded"),
        pytest.param({"X-Forwarded-Proto": "gopher"}, id="H82-X-Forwarded-Proto"),
        pytest.param({"X-Original-URL": "//evil.example/"}, id="H82-X-Original-URL"),
        pytest.param({"X-Forwarded-Prefix": "//evil.example"}, id="H82-X-Forwarded-Prefix"),
    ],
)
def test_h82_the_host_comes_from_the_configuration(bench: Bench, headers: dict[str, str]) -> None:
    answer = requests.post(
        f"{bench.url}/lti/login", login_of(bench), headers=headers, allow_redirects=False,
        timeout=30,
    )  # fmt: skip
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["redirect_uri"] == [f"{bench.url}/lti/launch"]
    assert answer.headers["Location"].startswith(bench.campus.url)
    page = requests.get(f"{bench.url}/lti/setup", headers=headers, timeout=30)
    assert "evil.example" not in page.text and f"{bench.url}/lti/login" in page.text


@pytest.mark.parametrize(
    "host", ["a b", "evil.example/x", "[::1", "\x7f"], ids=lambda h: f"H82-{h!r}"
)
def test_h82_hosts_that_are_none(bench: Bench, host: str) -> None:
    parts = urlsplit(bench.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(
            f"GET /lti/setup HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert b" 500 " not in answer.split(b"\r\n")[0] and b"evil.example" not in answer


def test_h84_the_public_keys_are_public_only(bench: Bench) -> None:
    keys = requests.get(f"{bench.url}/lti/jwks.json", timeout=30).json()["keys"]
    assert keys
    for key in keys:
        assert set(key) <= {"kty", "kid", "n", "e", "alg", "use"}, key


def test_h85_pages_are_not_kept(bench: Bench) -> None:
    answers = [
        bench.launch(),
        bench.launch(linking=True),
        bench.launch(cookies=False),
        bench.launch(header={"kid": ABSENT}),
        login(bench, "GET", login_of(bench)),
    ]
    taught = bench.launch(person=bench.teacher)
    answers += [taught, requests.get(bench.url + taught.headers["Location"], timeout=30)]
    answers += [requests.get(f"{bench.url}{path}", timeout=30) for path in PAGES]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store", answer.url
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
