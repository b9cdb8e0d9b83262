"""Dynamic registration with an invitation, over HTTP; and what a stranger can't make us do."""

import socket
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask import Response, current_app

from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.lti import guarded
from passport_lti.lti.platforms import settings_of
from passport_lti.lti.registration import RegistrationRefused, invite, register
from passport_lti.models import Deployment, Invitation, Platform
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.registration import registration_token
from passport_lti.sandbox.serving import serve

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
HOUR = timedelta(hours=1)


@pytest.fixture
def here(world):
    """The tool on this machine, so that it may register with platforms on this machine."""
    world.config = world.configure("http://127.0.0.1:5000")
    url = world.there.url
    world.there.answers["/configuration"] = {
        "issuer": url,
        "authorization_endpoint": f"{url}/auth",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/certs",
        "registration_endpoint": f"{url}/register",
        "something": "else",
    }
    world.there.answers["/register"] = {"client_id": "new", TOOL: {"deployment_id": "9"}}
    return world


def secret(world: Any, name: str = "moodle", expires: timedelta = HOUR) -> str:
    url = urlsplit(invite(world.tool, name, "main", expires))
    assert url.path == "/lti/register"
    return parse_qs(url.query)["invite"][0]


def go(world: Any, invitation: str, token: str = "t") -> Platform:
    return register(world.tool, invitation, f"{world.there.url}/configuration", token)


def refused(world: Any, *arguments: str) -> RegistrationRefused:
    before = db.session.query(Platform).count()
    with pytest.raises(RegistrationRefused) as caught:
        go(world, *arguments)
    assert 400 <= caught.value.status < 500 and caught.value.detail.endswith(".")
    assert db.session.query(Platform).count() == before
    return caught.value


def test_a_platform_registers_itself(here):
    invitation = secret(here)
    platform = go(here, invitation, "token-of-the-platform")
    assert (platform.name, platform.client_id, platform.source) == ("moodle", "new", "registration")
    assert platform.key_set_url == f"{here.there.url}/certs"
    assert settings_of(platform).coursera == "main"
    assert [(d.deployment_id, d.state) for d in platform.deployments] == [("9", "approved")]
    call = here.there.calls[-1]
    assert call.headers["Authorization"] == "Bearer token-of-the-platform"
    asked = call.json
    assert sorted(s.rsplit("/", 1)[1] for s in asked["scope"].split()) == [
        "contextmembership.readonly", "lineitem", "lineitem.readonly", "result.readonly", "score",
    ]  # fmt: skip
    assert asked["redirect_uris"] == ["http://127.0.0.1:5000/lti/launch"]
    assert asked[TOOL]["domain"] == "127.0.0.1:5000"
    assert {m["type"] for m in asked[TOOL]["messages"]} == {
        "LtiDeepLinkingRequest",
        "LtiResourceLinkRequest",
    }
    assert asked[TOOL]["custom_parameters"]["context_history"] == "$Context.id.history"
    row = db.session.query(Invitation).one()
    assert row.platform_fk == platform.id and invitation not in row.secret_hash


def test_an_invitation_works_once(here):
    invitation = secret(here)
    go(here, invitation)
    here.there.answers["/register"] = {"client_id": "another"}
    assert refused(here, invitation).code == "session"
    assert refused(here, "guessed").code == "session"
    assert refused(here, "").code == "session"
    late = secret(here, "late")
    here.clock.ahead = timedelta(hours=2)
    assert refused(here, late).code == "session"
    assert here.there.count("/register") == 1


def test_parallel_registrations_leave_one_platform(here):
    invitation, app = secret(here), current_app._get_current_object()
    gate, outcomes = threading.Barrier(4), []
    clients = iter("abcd")
    here.there.answers["/register"] = lambda: {"client_id": next(clients)}

    def one() -> None:
        with app.app_context():
            gate.wait(10)
            try:
                outcomes.append(go(here, invitation).name)
            except RegistrationRefused as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == 4 and outcomes.count("moodle") == 1
    assert db.session.query(Platform).filter_by(source="registration").count() == 1


def test_parallel_updates_use_an_invitation_once(here):
    go(here, secret(here))
    invitation, app = secret(here), current_app._get_current_object()
    token = jwt.encode({"scope": "reg-update", "sub": "9"}, "k" * 32)
    gate, outcomes = threading.Barrier(2), []
    here.there.answers["/register"] = lambda: gate.wait(10) is not None and {"client_id": "new"}

    def one() -> None:
        with app.app_context():
            try:
                outcomes.append(go(here, invitation, token).name)
            except RegistrationRefused as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["moodle", "session"]


def test_a_failed_registration_does_not_use_the_invitation(here):
    invitation = secret(here)
    good = here.there.answers["/register"]
    here.there.answers["/register"] = Response("token_already_used", 401)
    error = refused(here, invitation)
    assert error.code == "platform_error" and "401: token_already_used" in error.detail
    here.there.answers["/register"] = good
    assert go(here, invitation).name == "moodle"


def test_nothing_that_exists_is_overwritten(here):
    here.there.answers["/register"] = {"client_id": "client-1"}
    assert "already" in refused(here, secret(here)).detail
    assert here.platform.source == "yaml"
    here.there.answers["/register"] = {"client_id": "new"}
    go(here, secret(here))
    assert "already" in refused(here, secret(here, "thief")).detail
    count = here.there.count("/register")
    assert "another name" in refused(here, secret(here)).detail
    assert here.there.count("/register") == count, "the platform was not even asked"


def test_an_update_changes_its_own_platform(here):
    platform = go(here, secret(here))
    token = jwt.encode({"scope": "reg-update", "sub": "9"}, "k" * 32)
    assert "already" in refused(here, secret(here, "thief"), token).detail
    here.there.answers["/register"] = {"client_id": "other"}
    assert "another platform" in refused(here, secret(here), token).detail
    here.there.answers["/configuration"]["jwks_uri"] = f"{here.there.url}/keys"
    here.there.answers["/register"] = {"client_id": "new", TOOL: {"deployment_id": "10"}}
    assert go(here, secret(here), token).id == platform.id
    assert platform.key_set_url.endswith("/keys")
    assert {row.deployment_id for row in platform.deployments} == {"9", "10"}


def test_the_name_of_a_removed_platform_is_free_again(here):
    old = go(here, secret(here))
    old.state = "removed"
    db.session.commit()
    here.there.answers["/register"] = {"client_id": "newer"}
    assert go(here, secret(here)).client_id == "newer"
    assert old.state == "removed" and old.name == f"moodle-{old.id}"


def test_names_and_connections_are_checked(here):
    for name, coursera in [("Bad Name", "main"), ("", "main"), ("moodle", "none"),
                           ("campus", "main")]:  # fmt: skip
        with pytest.raises(PassportError):
            invite(here.tool, name, coursera, HOUR)
    assert db.session.query(Invitation).count() == 0


CONFIGURATIONS: dict[str, Any] = {
    "issuer elsewhere": {"issuer": "https://evil.example"},
    "no issuer": {"issuer": None},
    "token elsewhere": {"token_endpoint": "https://evil.example/token"},
    "keys elsewhere": {"jwks_uri": "http://169.254.169.254/latest"},
    "registration elsewhere": {"registration_endpoint": "http://127.0.0.1:1/x"},
    "auth a script": {"authorization_endpoint": "javascript:alert(1)"},
    "auth a number": {"authorization_endpoint": 5},
    "bad port": {"token_endpoint": "http://127.0.0.1:99999999/"},
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_unsound_configurations_are_refused(here, case):
    here.there.answers["/configuration"].update(CONFIGURATIONS[case])
    assert refused(here, secret(here)).code == "malformed"
    assert here.there.count("/register") == 0


ANSWERS: dict[str, Any] = {
    "500": Response("down", 500),
    "html": Response("<html>", 200),
    "redirect": Response("", 302, {"Location": "http://127.0.0.1:1/"}),
    "2 MB": Response(b" " * 2_000_000, 200),
    "a list": [],
    "deep": Response("[" * 50_000, 200),
    "bytes": Response(b"\xff\xfe\xfd", 400),
}


@pytest.mark.parametrize("path", ["/configuration", "/register"])
@pytest.mark.parametrize("case", ANSWERS)
def test_broken_answers_are_refused_in_one_sentence(here, path, case):
    here.there.answers[path] = ANSWERS[case]
    error = refused(here, secret(here))
    assert error.code == "platform_error" and "<" not in error.detail


@pytest.mark.parametrize(
    "answer",
    [{}, {"client_id": ""}, {"client_id": 5}, {"client_id": "x" * 300}, {"client_id": "a\nb"},
     {"client_id": "ok", TOOL: {"deployment_id": "1" * 300}}],
)  # fmt: skip
def test_answers_without_sound_ids_are_refused(here, answer):
    here.there.answers["/register"] = answer
    assert refused(here, secret(here)).code == "malformed"


def test_odd_answers_are_tolerated(here):
    for number, answer in enumerate([{TOOL: None}, {TOOL: {}}, {TOOL: []}, {"x": [1]}]):
        here.there.answers["/register"] = {"client_id": f"c{number}", **answer}
        assert go(here, secret(here, f"p{number}"), "").deployments == []
    here.there.answers["/register"] = {"client_id": "c9", TOOL: {"deployment_id": 7}}
    assert go(here, secret(here, "p9")).deployments[0].deployment_id == "7"
    assert refused(here, secret(here, "p10"), "a\r\nX: y").code == "malformed"
    assert db.session.query(Deployment).filter_by(deployment_id="7").count() == 1


# --- server-side requests


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest", "https://10.0.0.1",
        "https://192.168.1.1", "https://172.16.0.1", "https://100.64.0.1", "https://0.0.0.0",
        "https://[fd00::1]", "https://[fe80::1]", "https://[::ffff:127.0.0.1]",
        "https://[::ffff:10.0.0.1]", "https://[64:ff9b::7f00:1]", "https://[2002:7f00:1::]",
        "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]", "https://0x7f.1", "https://2130706433",
        "https://localhost", "https://224.0.0.1", "file:///etc/passwd", "gopher://x", "ftp://x/",
        "http://example.org/", "https://example.org:22/", "https://user:pw@example.org/", "//x/y",
        "https://", "", "https://exa mple.org", "https://example.org\\@127.0.0.1/",
        "https://\ud800", "https://example.org:99999999", "https://no-such-host.invalid/",
    ],
)  # fmt: skip
def test_our_own_network_is_out_of_reach(world, url):
    with pytest.raises(RegistrationRefused) as caught:
        register(world.tool, secret(world), url, "t")
    assert caught.value.code in ("platform_error", "malformed")


def test_plain_http_needs_this_machine_on_both_sides(world):
    world.there.answers["/configuration"] = {}
    assert refused(world, secret(world)).code == "platform_error"
    assert world.there.calls == []


def addresses(*found: str) -> Any:
    """A name server that gives these addresses once, and then only loopback."""
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host != "moodle.example":
            return real(host, port, *more, **options)
        asked.append(host)
        known = found if len(asked) == 1 else ("127.0.0.1",)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in known]

    lookup.asked = asked  # type: ignore[attr-defined]
    return lookup


def test_one_private_address_among_several_is_refused(world, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", addresses("93.184.216.34", "10.0.0.1"))
    with pytest.raises(ValueError, match="private"):
        guarded.safe_address("moodle.example", 443, loopback=False, secure=True)
    monkeypatch.setattr(socket, "getaddrinfo", addresses("93.184.216.34"))
    found = guarded.safe_address("moodle.example", 443, loopback=False, secure=True)
    assert found == "93.184.216.34"


def test_a_name_is_resolved_once(here, monkeypatch):
    """DNS rebinding: what was checked is what is connected to."""
    lookup = addresses("127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    here.there.answers["/x"] = {"a": 1}
    url = here.there.url.replace("127.0.0.1", "moodle.example") + "/x?b=1"
    reply = guarded.request(here.tool.http, "GET", url, loopback=True, headers={})
    assert (reply.status, reply.value, lookup.asked) == (200, {"a": 1}, ["moodle.example"])
    call = here.there.calls[-1]
    assert call.query == "b=1" and call.headers["Host"].startswith("moodle.example:")


# --- the practice campus


def test_the_practice_campus_registers_and_updates(here):
    campus = Campus()
    with serve(campus.app) as server:
        campus.url = server.url
        url = f"{campus.url}/mod/lti/openid-configuration.php"
        platform = register(here.tool, secret(here), url, registration_token(campus))
        tool = campus.tools[platform.deployments[0].deployment_id]
        assert (platform.issuer, platform.client_id) == (campus.url, tool.client_id)
        assert tool.launch_url == "http://127.0.0.1:5000/lti/launch"
        assert (tool.ags, tool.nrps, tool.share_email) == (2, True, True)
        again = register(here.tool, secret(here), url, registration_token(campus, tool))
        assert again.id == platform.id and len(campus.tools) == 1
