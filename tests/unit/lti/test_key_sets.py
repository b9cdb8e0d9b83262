"""The platforms' keys: fetched once, followed when they change, kept when the platform is down."""

import json
import socket
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Response, current_app

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti import key_sets


def post(world: Any, kid: str = "k1", key: Any = None, **claims: Any) -> str:
    """A launch's outcome: ok or the code of its refusal."""
    query, cookies = world.login()
    token = world.sign(world.claims(query["nonce"], **claims), {"kid": kid}, key or world.keys[0])
    try:
        world.verify({"id_token": token, "state": query["state"]}, cookies)
    except LaunchRefused as error:
        return error.code
    return "ok"


def test_launches_share_one_fetch(world):
    assert [post(world) for _ in range(5)] == ["ok"] * 5
    assert world.there.count("/certs") == 1
    key_sets._known.clear()  # as another process starts: the database has it
    assert post(world) == "ok"
    assert world.there.count("/certs") == 1


def test_parallel_first_launches_share_one_fetch(world):
    app = current_app._get_current_object()
    outcomes: list[str] = []

    def one() -> None:
        with app.app_context():
            outcomes.append(post(world))

    world.there.answers["/certs"] = slowly(world.there.answers["/certs"])
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == ["ok"] * 8
    assert world.there.count("/certs") == 1


def slowly(value: Any) -> Any:
    def answer() -> Any:
        threading.Event().wait(0.3)
        return value

    return answer


def test_unknown_kids_cost_one_fetch_in_30_seconds(world):
    assert [post(world, f"x{n}") for n in range(10)] == ["kid_unknown"] * 10
    assert world.there.count("/certs") == 1
    assert post(world) == "ok"
    world.clock.ahead = timedelta(seconds=31)
    assert [post(world, f"y{n}") for n in range(10)] == ["kid_unknown"] * 10
    assert world.there.count("/certs") == 2


def test_forged_signatures_cost_one_fetch_in_30_seconds(world):
    assert [post(world, key=world.keys[1]) for _ in range(10)] == ["signature"] * 10
    assert world.there.count("/certs") <= 2


def test_a_rotation_is_followed_at_once(world):
    assert post(world) == "ok"
    world.there.answers["/certs"] = {"keys": [world.jwk(world.keys[1], "k2")]}
    assert post(world, "k2", world.keys[1]) == "ok"
    assert post(world) == "kid_unknown", "the withdrawn key is gone with the new set"


def test_a_new_key_of_the_same_name_is_followed_at_once(world):
    assert post(world) == "ok"
    world.there.answers["/certs"] = {"keys": [world.jwk(world.keys[1], "k1")]}
    assert post(world, "k1", world.keys[1]) == "ok"
    assert post(world) == "signature"


def test_two_keys_of_one_name_are_both_tried(world):
    world.there.answers["/certs"] = {"keys": [world.jwk(key, "k1") for key in world.keys]}
    assert (post(world), post(world, key=world.keys[1])) == ("ok", "ok")


BROKEN = {
    "500": Response("down", 500),
    "html": Response("<html>sign in", 200, content_type="text/html"),
    "redirect": Response("", 302, {"Location": "https://evil.example/jwks"}),
    "huge": Response(b'{"keys": [' + b" " * 300_000 + b"]}", 200),
    "a list": [],
    "no keys": {"keys": []},
    "keys a text": {"keys": "k1"},
    "nested": Response("[" * 50_000, 200),
}


@pytest.mark.parametrize("case", BROKEN)
def test_old_keys_stay_while_the_key_set_is_broken(world, case):
    good = world.there.answers["/certs"]
    world.there.answers["/certs"] = BROKEN[case]
    assert post(world) == "keyset"
    world.there.answers["/certs"] = good
    world.clock.ahead = timedelta(seconds=6)
    assert post(world) == "ok", "without any key it is tried again soon"
    world.there.answers["/certs"] = BROKEN[case]
    world.clock.ahead = timedelta(hours=25)
    now = int(world.clock().timestamp())
    assert post(world, iat=now, exp=now + 60) == "ok", "stale if error"
    assert world.there.count("/certs") == 3, "and it was asked"


def test_a_platform_that_drips_its_keys_is_given_up(world, monkeypatch):
    """Each byte restarts a time-out; the whole answer has a deadline, too."""
    monkeypatch.setattr(key_sets, "TIMEOUT", (0.3, 0.3))

    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            try:
                while not stop.wait(0.1):
                    connection.sendall(b" ")
            except OSError:
                return

    thread = threading.Thread(target=talk)
    thread.start()
    platform = world.platform
    platform.key_set_url = f"http://127.0.0.1:{listener.getsockname()[1]}/certs"
    db.session.commit()
    started = time.monotonic()
    assert post(world) == "keyset"
    assert time.monotonic() - started < 3
    stop.set()
    thread.join(5)
    listener.close()


def test_only_rsa_signing_keys_of_sound_size_count(world):
    good = world.jwk(world.keys[0], "good")
    short = world.jwk(rsa.generate_private_key(65537, 1024), "short")
    odd = [
        short, {**good, "kid": "enc", "use": "enc"}, {**good, "kid": "alg", "alg": "RS512"},
        {**good, "kid": 5}, {**good, "kid": "n", "n": 5}, {**good, "kid": "e", "e": "!!"},
        {**good, "kid": "big", "n": "f" * 40_000}, {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "EC", "kid": "ec"}, {"kty": "RSA", "kid": "bare"}, {**good, "kid": "d", "d": "AQ"},
        None, 5, "x", [good],
    ]  # fmt: skip
    assert set(key_sets.usable_keys({"keys": [*odd, good]})) == {"good"}
    for junk in (None, 5, "x", [], {}, {"keys": None}, {"keys": {"a": 1}}):
        assert key_sets.usable_keys(json.loads(json.dumps(junk))) == {}
