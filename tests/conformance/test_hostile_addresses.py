"""H65, H74 and H82: addresses, hosts and numbers that no page of ours ever names."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

import databases
from conformance.bench import Bench
from conformance.hostile_cases.logins import login_of
from conformance.test_flows import two_processes
from passport_lti import create_app
from passport_lti.sync.services import Services

BIG = "9" * 30
"""A number that fits no database."""


def session_of(bench: Bench) -> str:
    answer = bench.accepted(bench.launch(person=bench.teacher))
    return answer.headers["Location"].partition("session=")[2]


def raw(bench: Bench, request: str) -> str:
    """The head of the answer to a request that no client would make."""
    parts = urlsplit(bench.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(f"{request}\r\nConnection: close\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    return answer.partition(b"\r\n\r\n")[0].decode("latin-1")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/activities/{BIG}"),
        ("GET", f"/activities/{BIG}/option"),
        ("GET", f"/activities/1/cells/{BIG}"),
        ("GET", f"/activities/1/learners/{BIG}/columns/1"),
        ("GET", f"/grades/{BIG}"),
        ("POST", f"/activities/{BIG}/sync"),
        ("POST", f"/activities/1/cells/{BIG}/retry"),
        ("POST", f"/activities/1/cells/{BIG}/send-anyway"),
        ("POST", f"/activities/1/columns/{BIG}/make-again"),
        ("GET", f"/go/{BIG}"),
        ("GET", "/activities/-1"),
        ("GET", "/activities/1.5"),
    ],
)
def test_h74_numbers_that_no_row_has(bench: Bench, method: str, path: str) -> None:
    place = "params" if method == "GET" else "data"
    fields = {place: {"session": session_of(bench)}}
    answer = requests.request(method, bench.url + path, allow_redirects=False, timeout=30, **fields)
    assert answer.status_code in (403, 404) and "<h1" in answer.text


@pytest.mark.parametrize("page", [BIG, "-5", "0", "x", "1e9"])
def test_h74_pages_that_a_table_lacks(bench: Bench, page: str) -> None:
    query = {"session": session_of(bench), "page": page}
    assert requests.get(f"{bench.url}/activities/1", params=query, timeout=30).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "a" * 3000, "a:b:c", "[", ""])
@pytest.mark.parametrize("path", ["//lti//setup", "/lti/setup", "//lti/launch", "/nowhere"])
def test_h82_no_answer_leads_to_the_host_that_a_request_names(
    bench: Bench, path: str, host: str
) -> None:
    head = raw(bench, f"GET {path} HTTP/1.1\r\nHost: {host}")
    assert head.split()[1] in ("200", "308", "404", "405") and "evil" not in head
    places = [line for line in head.splitlines() if line.lower().startswith("location:")]
    assert all(
        urlsplit(line.split()[1]).netloc in ("", urlsplit(bench.url).netloc) for line in places
    )


@pytest.mark.parametrize("hops", [0, 1])
def test_h82_nor_to_the_host_that_a_proxy_names(bench: Bench, hops: int) -> None:
    """Not even a trusted proxy moves us: it may pass on what a stranger sent."""
    config = bench.world.services.config
    tool = config.tool.model_copy(update={"proxy_hops": hops})
    services = Services(bench.world.services.config_file)
    before = services.config_file.current
    services.config_file.current = before.model_copy(update={"tool": tool})
    try:
        app = create_app(services=services)
    finally:
        services.config_file.current = before
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    with databases.left_by(app):
        answer = app.test_client().get("//lti//setup", headers=headers)
    assert answer.status_code in (308, 404)
    assert urlsplit(answer.headers.get("Location", "")).netloc in ("", urlsplit(bench.url).netloc)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/lti/launch", 405),
        ("PUT", "/lti/launch", 405),
        ("DELETE", "/lti/login", 405),
        ("GET", "/lti/confirm", 405),
    ],
)
def test_h65_what_is_refused_before_it_is_read_has_a_code_too(
    bench: Bench, method: str, path: str, status: int
) -> None:
    answer = requests.request(method, bench.url + path, timeout=30)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (status, "malformed")


@pytest.mark.parametrize("path", ["/lti/launch", "/lti/login", "/lti/confirm"])
def test_h52_what_is_too_large_has_a_code(bench: Bench, path: str) -> None:
    answer = requests.post(bench.url + path, {"id_token": "x" * 1_000_000}, timeout=30)
    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (413, "malformed")


@pytest.fixture(scope="module")
def served(_bench: Bench) -> Iterator[str]:
    """The address of the same tool behind the production server."""
    with two_processes(_bench.world) as url:
        yield url.removesuffix("/lti/launch")


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"-5\r\nid_token=\r\n0\r\n\r\n",
        b"fffffffff\r\nid_token=",
        b"5\r\nid_to--0\r\n\r\n",
    ],
    ids=["H56-no-size", "H56-negative", "H56-cut-off", "H56-no-end"],
)
@pytest.mark.parametrize("path", ["/lti/launch", "/lti/login", "/lti/confirm", "/deep-linking"])
def test_h56_a_body_that_no_server_can_read(served: str, path: str, body: bytes) -> None:
    parts = urlsplit(served)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
            + body
        )
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    status = int(answer.split()[1])
    assert 400 <= status < 500 and b"Traceback" not in answer
    code = (
        b"session" if path in ("/lti/confirm", "/deep-linking") and status == 403 else b"malformed"
    )
    assert path == "/deep-linking" or b"X-LTI-Error: " + code in answer


def test_h63_a_login_by_get_with_long_hints_is_one(bench: Bench, served: str) -> None:
    """Other platforms' hints are tokens of some thousand characters."""
    query = login_of(bench, lti_message_hint="h" * 6000)
    answer = requests.get(f"{served}/lti/login", query, allow_redirects=False, timeout=30)
    assert answer.status_code == 302 and "h" * 6000 in answer.headers["Location"]
