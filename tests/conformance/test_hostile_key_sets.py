"""H6 and H10 to H12: hostile, broken and rotating key sets; each test has a world of its own."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from conformance.bench import Bench
from conformance.hostile_cases.forged import STRANGER, public_jwk
from conformance.hostile_cases.fresh import fresh_bench
from passport_lti.sandbox.serving import serve


@pytest.fixture
def own() -> Iterator[Bench]:
    with fresh_bench(launched=False) as bench:
        yield bench


def publish(bench: Bench, body: object, **answer: Any) -> Any:
    """The campus's key set address answers with this from now on."""
    text = body if isinstance(body, str) else json.dumps(body)
    return bench.campus.faults.add("jwks", answer.pop("status", 200), None, body=text, **answer)


def later(bench: Bench, seconds: float) -> None:
    """Time passes for the tool and the campus alike."""
    services = bench.world.services
    before = services.clock
    services.clock = lambda: before() + timedelta(seconds=seconds)
    bench.campus.clock_offset += seconds


def own_key(bench: Bench, **changes: Any) -> dict[str, Any]:
    return public_jwk(bench.campus.private_key, **{"kid": bench.campus.kid, **changes})


def test_h6_c02_unknown_kids_cost_one_fetch_in_thirty_seconds(own: Bench) -> None:
    own.accepted(own.launch())
    before = own.campus.ledger.count("jwks")
    for number in range(20):
        own.refused(own.launch(header={"kid": f"random-{number}"}), "kid_unknown")
    assert own.campus.ledger.count("jwks") - before == 1
    later(own, 31)
    own.refused(own.launch(header={"kid": "one-more"}), "kid_unknown")
    assert own.campus.ledger.count("jwks") - before == 2
    own.accepted(own.launch())


def test_h6_parallel_unknown_kids_cost_one_fetch(own: Bench) -> None:
    own.accepted(own.launch())
    browser, forms = own.campus.browser(own.learner), []
    with own.changed(header={"kid": "unheard-of"}):
        forms = [own.form_of(browser) for _ in range(8)]
    before, codes = own.campus.ledger.count("jwks"), []

    def post(form: Any) -> None:
        fields = {name: values[0] for name, values in form.fields.items()}
        answer = requests.post(form.action, fields, allow_redirects=False, timeout=30)
        codes.append(answer.headers.get("X-LTI-Error"))

    threads = [threading.Thread(target=post, args=(form,)) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert codes == ["kid_unknown"] * 8
    assert own.campus.ledger.count("jwks") - before == 1


def test_h6_a_rotated_key_is_found_by_one_fetch(own: Bench) -> None:
    own.accepted(own.launch())
    before = own.campus.ledger.count("jwks")
    own.campus.rotate_key()
    own.accepted(own.launch())
    assert own.campus.ledger.count("jwks") - before == 1


@pytest.mark.parametrize("first", ["stranger", "own"], ids=["H10-other-first", "H10-own-first"])
def test_h10_two_keys_of_one_name(own: Bench, first: str) -> None:
    pair = [public_jwk(STRANGER, kid=own.campus.kid), own_key(own)]
    publish(own, {"keys": pair if first == "stranger" else pair[::-1]})
    own.accepted(own.launch())
    third = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own.refused(own.launch(key=third), "signature")


WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"use": "enc"}, id="H11-use-enc"),
        pytest.param({"alg": "RS512"}, id="H11-alg-RS512"),
        pytest.param({"alg": "HS256"}, id="H11-alg-HS256"),
        pytest.param({"kty": "EC"}, id="H11-kty-EC"),
        pytest.param({"kty": "oct", "k": "c2VjcmV0"}, id="H11-oct"),
        pytest.param({"n": "AQAB"}, id="H11-tiny-modulus"),
        pytest.param({"n": 7}, id="H11-modulus-a-number"),
        pytest.param({"n": "***"}, id="H11-modulus-not-base64"),
        pytest.param({"e": ""}, id="H11-no-exponent"),
        pytest.param({"e": "AQ"}, id="H11-exponent-one"),
        pytest.param({"kid": 7}, id="H11-kid-a-number"),
        pytest.param({"d": "c2VjcmV0"}, id="H11-private"),
        pytest.param({"n": public_jwk(WEAK)["n"]}, id="H11-1024-bit"),
        pytest.param({"n": "AQ" * 2000}, id="H11-16000-bit"),
    ],
)
def test_h11_keys_that_are_not_for_this(own: Bench, change: dict[str, Any]) -> None:
    publish(own, {"keys": [own_key(own, **change)]})
    own.refused(own.launch(), "keyset")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"keys": []}', id="H12-empty"),
        pytest.param("{}", id="H12-without-keys"),
        pytest.param('{"keys": "none"}', id="H12-keys-as-text"),
        pytest.param('{"keys": [1, null, [], "x"]}', id="H12-entries-of-other-types"),
        pytest.param("[]", id="H12-a-list"),
        pytest.param("null", id="H12-null"),
        pytest.param("", id="H12-no-body"),
        pytest.param('{"keys": [', id="H12-cut-off"),
        pytest.param("<html>Please log in</html>", id="H12-login-page"),
        pytest.param("[" * 100_000, id="H12-nested"),
        pytest.param(" " * 10_000_000 + "{}", id="H12-10-MB"),
    ],
)
def test_h12_what_is_no_key_set(own: Bench, body: str) -> None:
    publish(own, body)
    began = time.monotonic()
    own.refused(own.launch(), "keyset")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [301, 302, 307, 308], ids=lambda s: f"H12-redirect-{s}")
def test_h12_another_host_gives_no_keys(own: Bench, status: int) -> None:
    """A redirect to a host that would serve a fitting key is not followed."""
    visits: list[str] = []

    def elsewhere(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        visits.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"keys": [public_jwk(STRANGER, kid="evil")]}).encode()]

    with serve(elsewhere) as other:
        publish(own, "", status=status, headers={"Location": f"{other.url}/keys"})
        own.refused(own.launch(header={"kid": "evil"}, key=STRANGER), "keyset")
    assert visits == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status": 500}, id="H12-500"),
        pytest.param({"status": 200, "body": "<html>Maintenance</html>"}, id="H12-maintenance"),
        pytest.param({"drop": "before"}, id="H12-no-answer"),
        pytest.param({"status": 200, "body": '{"keys": []}'}, id="H12-emptied"),
    ],
)
def test_h12_known_keys_stay_while_the_key_set_is_broken(own: Bench, answer: Any) -> None:
    own.accepted(own.launch())
    own.campus.faults.add("jwks", times=None, **answer)
    later(own, 25 * 3600)
    own.accepted(own.launch())
    own.refused(own.launch(key=STRANGER), "signature")


def test_h12_a_slow_key_set_costs_a_few_seconds(own: Bench) -> None:
    own.campus.faults.add("jwks", times=None, delay=20)
    began = time.monotonic()
    own.refused(own.launch(), "keyset")
    assert time.monotonic() - began < 6


def test_h12_a_broken_key_set_that_is_mended_works_within_seconds(own: Bench) -> None:
    publish(own, "<html>Maintenance</html>")
    own.refused(own.launch(), "keyset")
    own.campus.faults.clear()
    later(own, 6)
    own.accepted(own.launch())
