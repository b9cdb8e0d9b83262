"""S59: the platform's keys when they are broken, slow, late or new."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from conformance.bench import Bench

EC = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))

BROKEN: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "404": {"status": 404, "body": "<h1>Not here</h1>"},
    "not-json": {"status": 200, "body": "<html>Please sign in</html>"},
    "no-object": {"status": 200, "body": "[]"},
    "no-keys": {"status": 200, "body": '{"keys": []}'},
    "no-list": {"status": 200, "body": '{"keys": "none"}'},
    "other-keys": {"status": 200, "body": json.dumps({"keys": [{**EC, "kid": "e"}]})},
    "huge": {"status": 200, "body": '{"keys": [], "x": "' + "x" * 400_000 + '"}'},
    "redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/keys"}},
    "dropped": {"drop": "before"},
}


@contextmanager
def later(bench: Bench, **ahead: float) -> Iterator[None]:
    """Both clocks have moved on."""
    services = bench.world.services
    now, delta = services.clock, timedelta(**ahead)
    services.clock = lambda: now() + delta
    bench.campus.clock_offset = delta.total_seconds()
    try:
        yield
    finally:
        services.clock, bench.campus.clock_offset = now, 0.0


@pytest.mark.parametrize("case", BROKEN)
def test_s59_no_usable_keys_and_recovery(fresh: Bench, case: str) -> None:
    fresh.campus.faults.add("jwks", times=None, **BROKEN[case])
    page = fresh.refused(fresh.launch(), "keyset")
    assert "key_set_url" in page
    fresh.campus.faults.clear()
    with later(fresh, seconds=10):
        fresh.accepted(fresh.launch())


def test_s59_a_slow_key_set_ends_in_time(fresh: Bench) -> None:
    fresh.campus.faults.add("jwks", delay=5)
    fresh.refused(fresh.launch(), "keyset")


def test_s59_a_flood_does_not_reach_a_platform_that_is_down(fresh: Bench) -> None:
    fault = fresh.campus.faults.add("jwks", status=500, times=None)
    for _ in range(5):
        fresh.refused(fresh.launch(), "keyset")
    assert fault.hits == 1


def test_s59_a_rotated_key_is_fetched_once(fresh: Bench) -> None:
    fresh.accepted(fresh.launch())
    fresh.campus.rotate_key()
    before = fresh.campus.ledger.count("jwks")
    for _ in range(3):
        fresh.accepted(fresh.launch())
    assert fresh.campus.ledger.count("jwks") == before + 1


def test_s59_a_new_key_under_the_old_name(fresh: Bench) -> None:
    fresh.accepted(fresh.launch())
    kid = fresh.campus.kid
    fresh.campus.rotate_key()
    fresh.campus._key.kid = kid
    fresh.accepted(fresh.launch())


def test_s59_the_old_key_is_refused_after_a_rotation(fresh: Bench) -> None:
    fresh.accepted(fresh.launch())
    old, kid = fresh.campus.private_key, fresh.campus.kid
    fresh.campus.rotate_key()
    fresh.accepted(fresh.launch())
    fresh.refused(fresh.launch(key=old, header={"kid": kid}), "kid_unknown")


def test_s59_known_keys_outlive_a_broken_key_set(fresh: Bench) -> None:
    fresh.accepted(fresh.launch())
    fault = fresh.campus.faults.add("jwks", status=500, times=None)
    fresh.accepted(fresh.launch())
    assert fault.hits == 0
    with later(fresh, hours=25):
        fresh.accepted(fresh.launch())
    assert fault.hits == 1


@pytest.mark.parametrize("case", ["500", "no-keys", "not-json"])
def test_s59_a_broken_key_set_does_not_replace_known_keys(fresh: Bench, case: str) -> None:
    fresh.accepted(fresh.launch())
    old, kid = fresh.campus.private_key, fresh.campus.kid
    fresh.campus.rotate_key()
    fresh.campus.faults.add("jwks", times=None, **BROKEN[case])
    fresh.refused(fresh.launch(), "kid_unknown")
    fresh.accepted(fresh.launch(key=old, header={"kid": kid}))
