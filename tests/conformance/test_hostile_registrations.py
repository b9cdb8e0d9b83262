"""H75 to H80: hostile dynamic registrations; the answers of H79 have a module of their own."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from conformance.bench import Bench
from conformance.hostile_cases.evil import NAMES, Evil, refused
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import invitation, register
from passport_lti.extensions import db
from passport_lti.lti import registration
from passport_lti.lti.registration import RegistrationRefused
from passport_lti.models import Platform
from passport_lti.sandbox.campus.registration import registration_token
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
        there.answer("/register", {"client_id": f"evil-{server.port}"})
        yield there


def abroad(bench: Bench, document: str) -> RegistrationRefused:
    """The same request to a tool with a public address, where nothing of this machine is due."""
    services = bench.world.services
    config = services.config
    public = SimpleNamespace(
        config=lambda: config, http=services.http, clock=services.clock,
        base_url="https://passport.example.edu", secret=services.tool.secret,
    )  # fmt: skip
    [secret] = parse_qs(urlsplit(invitation(bench, next(NAMES))).query)["invite"]
    with bench.world.app.app_context(), pytest.raises(RegistrationRefused) as caught:
        registration.register(public, secret, document, "t")  # type: ignore[arg-type]
    return caught.value


PRIVATE = [
    "127.0.0.1", "127.1", "127.255.255.254", "0.0.0.0", "169.254.169.254", "[::1]", "[::]",
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fd00::8]", "[fe80::1]", "0x7f.1",
    "0177.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::a00:1]", "[2002:a00:1::]", "localhost", "localhost.", "224.0.0.1",
    "255.255.255.255",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE, ids=[f"H75-{host}" for host in PRIVATE])
def test_h75_addresses_that_are_not_public(own: Bench, host: str) -> None:
    assert abroad(own, f"https://{host}/.well-known/openid-configuration").code == "platform_error"


def named(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server for moodle.example: one list of addresses for each question, the last stays."""
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host != "moodle.example":
            return real(host, port, *more, **options)
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        kind = socket.SOCK_STREAM
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, kind, 6, "", (a, port)) for a in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


@pytest.mark.parametrize(
    "found",
    [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"],
     ["93.184.216.34", "::1"], ["::ffff:169.254.169.254"]],
    ids=["H75-name-private", "H75-second-private", "H75-first-private", "H75-second-loopback",
         "H75-name-mapped"],
)  # fmt: skip
def test_h75_names_with_a_private_address(
    own: Bench, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    named(monkeypatch, found)
    refusal = abroad(own, "https://moodle.example/config")
    assert refusal.code == "platform_error" and "private network" in refusal.detail


def test_h75_rebinding_the_checked_address_is_the_one_connected_to(
    own: Bench, evil: Evil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second answer of the name server would be another one; nobody asks for it."""
    asked = named(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
    document = evil.url.replace("127.0.0.1", "moodle.example") + "/configuration"
    refused(own, invitation(own, next(NAMES)), document)
    assert evil.asked == ["/configuration"] and asked == ["moodle.example"]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://moodle.example/", "ftp://moodle.example/x", "data:,{}",
     "http://moodle.example/x", "https://moodle.example:22/x", "https://moodle.example:25/",
     "https://user:pw@moodle.example/", "//moodle.example/x", "moodle.example", "", "https://",
     "https://moodle.example\\@10.0.0.1/", "https://moodle.example/\r\nX: y"],
    ids=["H76-file", "H76-gopher", "H76-ftp", "H76-data", "H76-http", "H76-port-22", "H76-port-25",
         "H76-credentials", "H76-no-scheme", "H76-bare", "H76-empty", "H76-no-host",
         "H76-backslash", "H76-crlf"],
)  # fmt: skip
def test_h76_addresses_of_other_kinds(
    own: Bench, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    named(monkeypatch, ["93.184.216.34"])
    assert abroad(own, url).code == "platform_error"


@pytest.mark.parametrize("step", ["/configuration", "/register"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_h76_redirects_are_not_followed(own: Bench, evil: Evil, step: str, status: str) -> None:
    evil.answer("/inside", evil.document())
    evil.answer(step, b"", status, Location=f"{evil.url}/inside")
    refused(own, invitation(own, next(NAMES)), f"{evil.url}/configuration")
    assert "/inside" not in evil.asked


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"issuer": "https://moodle.example"}, id="H77-issuer-elsewhere"),
        pytest.param({"token_endpoint": "https://evil.example/t"}, id="H77-token-elsewhere"),
        pytest.param({"jwks_uri": "http://169.254.169.254/"}, id="H77-keys-elsewhere"),
        pytest.param({"authorization_endpoint": "https://a.example/"}, id="H77-auth-elsewhere"),
        pytest.param({"registration_endpoint": "http://127.0.0.1:9/"}, id="H77-register-elsewhere"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="H77-auth-a-script"),
        pytest.param({"jwks_uri": None}, id="H79-no-keys"),
        pytest.param({"issuer": None}, id="H79-no-issuer"),
        pytest.param({"registration_endpoint": None}, id="H79-no-registration"),
        pytest.param({"token_endpoint": 7}, id="H79-token-a-number"),
        pytest.param({"token_endpoint": ["x"]}, id="H79-token-a-list"),
    ],
)
def test_h77_h79_documents(own: Bench, evil: Evil, changes: dict[str, Any]) -> None:
    evil.answer("/configuration", evil.document(**changes))
    answer = refused(own, invitation(own, next(NAMES)), f"{evil.url}/configuration")
    assert answer.headers["X-LTI-Error"] == "malformed" and "/register" not in evil.asked


def test_h78_nobody_registers_without_an_invitation(own: Bench, evil: Evil) -> None:
    for query in ("", "?invite=", "?invite=guessed", "?invite=%00", "?invite=" + "x" * 5000):
        answer = refused(own, f"{own.url}/lti/register{query}", f"{evil.url}/configuration")
        assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"
    assert evil.asked == [], "no stranger makes us visit anything"


def test_h78_an_existing_registration_is_not_overwritten(own: Bench) -> None:
    """Somebody with an invitation of his own names the client id of a platform that exists."""
    campus, tool = own.campus, own.world.tool
    token = registration_token(campus, tool)
    document = f"{campus.url}/mod/lti/openid-configuration.php"
    answer = refused(own, invitation(own, "thief"), document, token)
    assert answer.headers["X-LTI-Error"] == "malformed"
    with own.world.app.app_context():
        assert db.session.scalar(db.select(Platform).where(Platform.name == "thief")) is None
    own.accepted(own.launch())


def test_h80_an_invitation_works_once(own: Bench, evil: Evil) -> None:
    url, document = invitation(own, next(NAMES)), f"{evil.url}/configuration"
    query = {"openid_configuration": document, "registration_token": "t"}
    assert requests.get(url, params=query, timeout=30).status_code == 200
    evil.asked.clear()
    evil.answer("/register", {"client_id": "another"})
    answer = refused(own, url, document)
    assert answer.status_code == 403 and answer.headers["X-LTI-Error"] == "session"
    assert evil.asked == []


def test_h80_an_invitation_ends(own: Bench, evil: Evil) -> None:
    url = invitation(own, next(NAMES), timedelta(seconds=-1))
    answer = refused(own, url, f"{evil.url}/configuration")
    assert answer.status_code == 403 and evil.asked == []


def test_h80_a_token_that_the_platform_has_used_up(own: Bench) -> None:
    token = registration_token(own.campus)
    assert register(invitation(own, next(NAMES)), own.campus, token).status_code == 200
    document = f"{own.campus.url}/mod/lti/openid-configuration.php"
    answer = refused(own, invitation(own, next(NAMES)), document, token)
    assert "token_already_used" in answer.text


@pytest.mark.parametrize(
    "token", ["a\r\nX-Evil: 1", "t" * 9000, "\u00e9", "a b"],
    ids=["H80-crlf", "H80-9-kB", "H80-not-ascii", "H80-space"],
)  # fmt: skip
def test_h80_tokens_that_are_none(own: Bench, evil: Evil, token: str) -> None:
    answer = refused(own, invitation(own, next(NAMES)), f"{evil.url}/configuration", token)
    assert answer.headers["X-LTI-Error"] == "malformed" and "/register" not in evil.asked
