"""C01 to C12: the bad payloads of the certification suite."""

import time
from typing import Any

import pytest

from conformance.bench import ABSENT, Bench

NOW = time.time


def test_c01_no_kid_in_the_header(bench: Bench) -> None:
    bench.refused(bench.launch(header={"kid": ABSENT}), "kid_missing")


def test_c02_unknown_kid_asks_for_the_keys_at_most_once(bench: Bench) -> None:
    bench.accepted(bench.launch())
    before = bench.campus.ledger.count("jwks")
    for kid in ("another-key", "one-more-key"):
        bench.refused(bench.launch(header={"kid": kid}), "kid_unknown")
    assert bench.campus.ledger.count("jwks") - before <= 1


@pytest.mark.parametrize("version", ["1.2.0", "2.3", "1.3.1"])
def test_c03_wrong_version(bench: Bench, version: str) -> None:
    bench.refused(bench.launch({"version": version}), "version")


def test_c04_no_version(bench: Bench) -> None:
    bench.refused(bench.launch({"version": ABSENT}), "version")


def test_c05_json_that_is_no_launch(bench: Bench) -> None:
    def bare(claims: dict[str, Any]) -> dict[str, Any]:
        return {"name": "badltilaunch"}

    answer = bench.launch(bare)
    bench.refused(answer, answer.headers["X-LTI-Error"])
    assert answer.headers["X-LTI-Error"] == "issuer_unknown"


def test_c05_signed_message_without_any_lti_claim(bench: Bench) -> None:
    kept = {"iss", "aud", "sub", "iat", "exp", "nonce"}
    answer = bench.launch(lambda claims: {k: v for k, v in claims.items() if k in kept})
    bench.refused(answer, "claims_missing")


def test_c06_several_claims_missing_are_all_named(bench: Bench) -> None:
    names = ("roles", "resource_link", "deployment_id")
    page = bench.refused(bench.launch(dict.fromkeys(names, ABSENT)), "claims_missing")
    assert all(name in page for name in names)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        (lambda now: {"iat": now - 7200, "exp": now - 3600}, "expired"),
        (lambda now: {"iat": now + 3600, "exp": now + 7200}, "not_yet_valid"),
        (lambda now: {"iat": now, "exp": now - 10}, "expired"),
        (lambda now: {"exp": "tomorrow"}, "malformed"),
        (lambda now: {"iat": "today"}, "malformed"),
        (lambda now: {"exp": ABSENT}, "exp_missing"),
        (lambda now: {"iat": ABSENT}, "iat_missing"),
    ],
    ids=["past", "future", "exp-before-iat", "exp-text", "iat-text", "no-exp", "no-iat"],
)
def test_c07_wrong_times(bench: Bench, times: Any, code: str) -> None:
    bench.refused(bench.launch(times(int(NOW()))), code)


@pytest.mark.parametrize("linking", [False, True])
def test_c08_no_message_type(bench: Bench, linking: bool) -> None:
    answer = bench.launch({"message_type": ABSENT}, linking=linking)
    bench.refused(answer, "message_type")


def test_c09_no_roles_claim(bench: Bench) -> None:
    bench.refused(bench.launch({"roles": ABSENT}), "roles_missing")


@pytest.mark.parametrize("linking", [False, True])
def test_c10_no_deployment_id(bench: Bench, linking: bool) -> None:
    answer = bench.launch({"deployment_id": ABSENT}, linking=linking)
    bench.refused(answer, "deployment_missing")


@pytest.mark.parametrize("link", [ABSENT, {}, {"title": "No id"}, {"id": ""}])
def test_c11_no_resource_link_id(bench: Bench, link: Any) -> None:
    bench.refused(bench.launch({"resource_link": link}), "resource_link_missing")


@pytest.mark.parametrize("sub", [ABSENT, None, ""])
def test_c12_no_sub(bench: Bench, sub: Any) -> None:
    bench.refused(bench.launch({"sub": sub}), "sub_missing")
