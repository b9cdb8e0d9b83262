"""H60 to H63 and H65: hostile logins, methods and types of content."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.logins import login, login_of

LOGINS = [
    pytest.param({"iss": "https://unknown.example"}, "issuer_unknown", id="H60-iss-unknown"),
    pytest.param({"iss": ABSENT}, "malformed", id="H60-iss-absent"),
    pytest.param({"iss": ""}, "malformed", id="H60-iss-empty"),
    pytest.param({"login_hint": ABSENT}, "malformed", id="H60-hint-absent"),
    pytest.param({"login_hint": ""}, "malformed", id="H60-hint-empty"),
    pytest.param({"target_link_uri": ABSENT}, "malformed", id="H60-target-absent"),
    pytest.param({"client_id": "wrong"}, "client_unknown", id="H60-client-wrong"),
    pytest.param({"client_id": "' OR 1=1 --"}, "client_unknown", id="H60-client-sql"),
    pytest.param(
        {"target_link_uri": "https://evil.example/lti/launch"}, "target_link", id="H61-host"
    ),
    pytest.param({"target_link_uri": "//evil.example/"}, "target_link", id="H61-no-scheme"),
    pytest.param({"target_link_uri": "/lti/launch"}, "target_link", id="H61-path-only"),
    pytest.param({"target_link_uri": "javascript:alert(1)"}, "target_link", id="H62-javascript"),
    pytest.param({"target_link_uri": "data:text/html,x"}, "target_link", id="H62-data"),
    pytest.param({"target_link_uri": "[::1"}, "target_link", id="H62-broken-address"),
    pytest.param({"login_hint": "h" * 100_000}, "malformed", id="H63-hint-100-kB"),
    pytest.param({"lti_message_hint": "h" * 100_000}, "malformed", id="H63-message-hint-100-kB"),
    pytest.param({"login_hint": "a\x00b"}, "malformed", id="H63-nul"),
    pytest.param({f"p{n}": "x" for n in range(200)}, "malformed", id="H63-200-parameters"),
    pytest.param({"iss": ["a", "b"]}, "malformed", id="H63-repeated"),
    pytest.param({"login_hint": ["7", "7"]}, "malformed", id="H63-repeated-alike"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("changes", "code"), LOGINS)
def test_logins(bench: Bench, changes: dict[str, Any], code: str, method: str) -> None:
    answer = login(bench, method, login_of(bench, **changes))
    if answer.status_code == 414:
        # An address of that length is refused by the web server, before anything of ours.
        assert method == "GET" and code == "malformed" and bench.lines.kept == []
        return
    bench.refused(answer, code)
    assert "Location" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "change",
    [
        "http://{host}@evil.example/lti/launch",
        "http://{host}.evil.example/lti/launch",
        "http://evil.example/{host}/lti/launch",
        "http://evil.example#{host}/lti/launch",
        "http://evil.example\\@{host}/lti/launch",
        "http://{host}/lti/launch\r\nSet-Cookie: a=b",
        "http://{host}/lti/launch\nx",
        "http://{host}/../lti/launch",
        "http://user@{host}/lti/launch",
        "ftp://{host}/lti/launch",
    ],
    ids=["H61-user", "H61-suffix", "H61-path", "H61-fragment", "H61-backslash", "H62-crlf",
         "H62-lf", "H61-dots", "H61-own-user", "H62-ftp"],
)  # fmt: skip
def test_h61_h62_targets_that_look_like_ours(bench: Bench, change: str, method: str) -> None:
    target = change.format(host=urlsplit(bench.url).netloc)
    answer = login(bench, method, login_of(bench, target_link_uri=target))
    bench.refused(answer, "target_link")
    assert "a" not in answer.cookies


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/lti/launch", 405, id="H65-GET-launch"),
        pytest.param("HEAD", "/lti/launch", 405, id="H65-HEAD-launch"),
        pytest.param("PUT", "/lti/launch", 405, id="H65-PUT-launch"),
        pytest.param("DELETE", "/lti/launch", 405, id="H65-DELETE-launch"),
        pytest.param("TRACE", "/lti/launch", 405, id="H65-TRACE-launch"),
        pytest.param("PUT", "/lti/login", 405, id="H65-PUT-login"),
        pytest.param("POST", "/lti/jwks.json", 405, id="H65-POST-jwks"),
        pytest.param("GET", "/lti/confirm", 405, id="H65-GET-confirm"),
        pytest.param("POST", "/lti/register", 405, id="H65-POST-register"),
    ],
)
def test_h65_methods(bench: Bench, method: str, path: str, status: int) -> None:
    tables = bench.tables()
    answer = requests.request(method, f"{bench.url}{path}", timeout=30)
    assert answer.status_code == status and answer.headers["Allow"]
    assert "Traceback" not in answer.text and bench.tables() == tables


@pytest.mark.parametrize("path", ["/lti/launch", "/lti/login"])
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "text/xml", "multipart/form-data; boundary=x", ""],
    ids=lambda value: f"H65-{value.partition(';')[0] or 'no-type'}",
)
def test_h65_content_types(bench: Bench, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = requests.post(f"{bench.url}{path}", b'{"id_token": "x"}', headers=headers, timeout=30)
    assert answer.status_code == 415 and answer.headers["X-LTI-Error"] == "malformed"
