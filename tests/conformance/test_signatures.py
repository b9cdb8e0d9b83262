"""S44 to S51: signatures, issuer, audiences and times."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from conformance.bench import ABSENT, Bench
from conformance.tokens import encoded, signed


def _public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", ["", "c2lnbmVk"])
def test_s44_no_algorithm(bench: Bench, alg: str, signature: str) -> None:
    def bare(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        return f"{encoded({**header, 'alg': alg})}.{encoded(claims)}.{signature}"

    bench.refused(bench.launch(token=bare), "alg")


def test_s45_the_public_key_as_a_shared_secret(bench: Bench) -> None:
    def symmetric(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        text = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
        mark = hmac.new(_public_pem(key), text.encode(), hashlib.sha256).digest()
        return f"{text}.{encoded(mark)}"

    bench.refused(bench.launch(token=symmetric), "alg")


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_s46_other_rsa_algorithms(bench: Bench, alg: str) -> None:
    def other(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        return jwt.encode(claims, key, algorithm=alg, headers={"kid": header["kid"]})

    bench.refused(bench.launch(token=other), "alg")


def test_s46_an_elliptic_curve(bench: Bench) -> None:
    def other(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        curve = ec.generate_private_key(ec.SECP256R1())
        return jwt.encode(claims, curve, algorithm="ES256", headers={"kid": header["kid"]})

    bench.refused(bench.launch(token=other), "alg")


def test_s47_a_changed_payload(bench: Bench) -> None:
    def tampered(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        head, _, mark = signed(header, claims, key).split(".")
        return f"{head}.{encoded({**claims, 'sub': '1'})}.{mark}"

    bench.refused(bench.launch(token=tampered), "signature")


def test_s47_a_key_that_is_not_the_platforms(bench: Bench) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bench.refused(bench.launch(key=foreign), "signature")


@pytest.mark.parametrize("tail", ["/", " ", "/.."])
def test_s48_an_issuer_that_is_nearly_the_right_one(bench: Bench, tail: str) -> None:
    issuer = bench.campus.url + tail
    bench.refused(bench.launch({"iss": issuer}), "issuer_unknown")
    bench.refused(bench.launch(login={"iss": issuer}), "issuer_unknown")


def test_s49_audience_as_text_or_as_a_list_of_one(bench: Bench) -> None:
    client_id = bench.world.tool.client_id
    bench.accepted(bench.launch({"aud": client_id}))
    bench.accepted(bench.launch({"aud": [client_id]}))


@pytest.mark.parametrize("case", ["other", "others", "none", "absent", "extra", "extra-with-azp"])
def test_s49_other_audiences(bench: Bench, case: str) -> None:
    client_id = bench.world.tool.client_id
    claims: dict[str, Any] = {
        "other": {"aud": "another-client"},
        "others": {"aud": ["another-client"]},
        "none": {"aud": []},
        "absent": {"aud": ABSENT},
        "extra": {"aud": [client_id, "https://untrusted.example"]},
        "extra-with-azp": {"aud": [client_id, "https://untrusted.example"], "azp": client_id},
    }[case]
    answer = bench.launch(claims)
    bench.refused(answer, "audience")
    assert answer.status_code == 401


def test_s50_several_audiences_without_azp(bench: Bench) -> None:
    client_id = bench.world.tool.client_id
    bench.refused(bench.launch({"aud": [client_id, "another"], "azp": ABSENT}), "audience")


@pytest.mark.parametrize("azp", ["another-client", "", ["x"], 7])
def test_s50_a_wrong_azp(bench: Bench, azp: Any) -> None:
    answer = bench.launch({"azp": azp})
    bench.refused(answer, "azp")
    assert answer.status_code == 401


def test_s50_the_right_azp(bench: Bench) -> None:
    bench.accepted(bench.launch({"azp": bench.world.tool.client_id}))


SKEW = 60


@pytest.mark.parametrize(
    ("issued", "expires", "code"),
    [
        (-60, -SKEW + 15, None),
        (-120, -SKEW - 15, "expired"),
        (SKEW - 15, SKEW + 60, None),
        (SKEW + 15, SKEW + 90, "not_yet_valid"),
        (-600 - SKEW + 15, 60, None),
        (-600 - SKEW - 15, 60, "expired"),
        (0, 25 * 3600, "expired"),
    ],
)
def test_s51_times_inside_and_outside_the_leeway(
    bench: Bench, issued: int, expires: int, code: str | None
) -> None:
    now = int(time.time())
    answer = bench.launch({"iat": now + issued, "exp": now + expires})
    if code is None:
        bench.accepted(answer)
    else:
        bench.refused(answer, code)


@pytest.fixture
def skewed(bench: Bench) -> Iterator[Bench]:
    yield bench
    bench.campus.clock_offset = 0.0


@pytest.mark.parametrize(
    ("offset", "code"),
    [(45, None), (-100, None), (300, "not_yet_valid"), (-300, "expired")],
)
def test_s51_a_campus_whose_clock_is_wrong(skewed: Bench, offset: int, code: str | None) -> None:
    # A message lives for 60 seconds: a clock that is 100 seconds behind is just within both.
    skewed.campus.clock_offset = offset
    answer = skewed.launch()
    if code is None:
        skewed.accepted(answer)
    else:
        page = skewed.refused(answer, code)
        assert "clock" in page


def test_s51_not_before(bench: Bench) -> None:
    now = int(time.time())
    bench.accepted(bench.launch({"nbf": now - 10}))
    bench.refused(bench.launch({"nbf": now + SKEW + 15, "exp": now + 600}), "not_yet_valid")
