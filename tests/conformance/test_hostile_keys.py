"""H1 to H9: hostile algorithms, keys and headers."""

from typing import Any

import pytest

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.forged import (
    STRANGER,
    Make,
    algorithm,
    flipped,
    pieces,
    public_jwk,
    shared_secret,
    unsigned,
)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(unsigned("none"), "alg", id="H1-S44-alg-none"),
        pytest.param(unsigned("nOnE"), "alg", id="H1-S44-alg-none-in-mixed-case"),
        pytest.param(unsigned("none", "c2ln"), "alg", id="H1-S44-alg-none-with-a-signature"),
        pytest.param(unsigned("RS256"), "signature", id="H1-S44-empty-signature"),
        pytest.param(shared_secret("pem"), "alg", id="H2-S45-HS256-with-the-public-pem"),
        pytest.param(shared_secret("pkcs1"), "alg", id="H2-S45-HS256-with-the-pkcs1-pem"),
        pytest.param(shared_secret("jwk"), "alg", id="H2-S45-HS256-with-the-jwk"),
        pytest.param(shared_secret("empty"), "alg", id="H2-S45-HS256-with-no-secret"),
        pytest.param(algorithm("PS256"), "alg", id="H3-S46-PS256"),
        pytest.param(algorithm("RS384"), "alg", id="H3-S46-RS384"),
        pytest.param(algorithm("RS512"), "alg", id="H3-S46-RS512"),
        pytest.param(algorithm("ES256"), "alg", id="H3-S46-ES256"),
        pytest.param(pieces(flipped), "signature", id="H4-S47-signature-with-one-other-bit"),
    ],
)
def test_algorithms_and_signatures(bench: Bench, make: Make, code: str) -> None:
    bench.refused(bench.launch(token=make), code)


def test_right_kid_other_key(bench: Bench) -> None:
    """H4-S47."""
    bench.refused(bench.launch(key=STRANGER), "signature")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param({"alg": ABSENT}, "alg", id="H3-S46-alg-absent"),
        pytest.param({"alg": None}, "alg", id="H3-S46-alg-null"),
        pytest.param({"alg": ["RS256"]}, "alg", id="H3-S46-alg-a-list"),
        pytest.param({"alg": "rs256"}, "alg", id="H3-S46-alg-in-lower-case"),
        pytest.param({"alg": "none", "kid": ABSENT}, "alg", id="H1-S44-alg-none-without-kid"),
        pytest.param({"alg": "HS256", "kid": ABSENT}, "alg", id="H2-S45-HS256-without-kid"),
        pytest.param({"kid": ABSENT}, "kid_missing", id="H5-C01-kid-absent"),
        pytest.param({"kid": ""}, "kid_missing", id="H5-C01-kid-empty"),
        pytest.param({"kid": None}, "kid_missing", id="H9-kid-null"),
        pytest.param({"kid": "unheard-of"}, "kid_unknown", id="H6-C02-kid-unknown"),
        pytest.param({"kid": "../../etc/passwd"}, "kid_unknown", id="H9-kid-path"),
        pytest.param({"kid": "' OR 1=1 --"}, "kid_unknown", id="H9-kid-sql"),
        pytest.param({"kid": "k" * 10_000}, "kid_unknown", id="H9-kid-10-kB"),
        pytest.param({"kid": 7}, "kid_unknown", id="H9-kid-integer"),
        pytest.param({"kid": ["k"]}, "kid_unknown", id="H9-kid-list"),
        pytest.param({"kid": {"k": 1}}, "kid_unknown", id="H9-kid-object"),
        pytest.param({"kid": True}, "kid_unknown", id="H9-kid-true"),
        pytest.param({"kid": "<script>alert(1)</script>"}, "kid_unknown", id="H9-kid-html"),
        pytest.param({"crit": ["exp"]}, "malformed", id="H8-crit-exp"),
        pytest.param({"crit": ["b64"], "b64": False}, "malformed", id="H8-crit-b64"),
        pytest.param({"crit": ["made-up"], "made-up": 1}, "malformed", id="H8-crit-made-up"),
        pytest.param({"crit": []}, "malformed", id="H8-crit-empty"),
        pytest.param({"b64": False}, "malformed", id="H8-b64-without-crit"),
    ],
)
def test_headers(bench: Bench, header: dict[str, Any], code: str) -> None:
    bench.refused(bench.launch(header=header), code)


@pytest.mark.parametrize("name", ["jku", "x5u"])
@pytest.mark.parametrize("kid", ["own", "unknown"])
def test_h7_a_header_that_names_keys_elsewhere_is_not_followed(
    bench: Bench, name: str, kid: str
) -> None:
    """H7-jku, H7-x5u: the address is one where a visit would count."""
    elsewhere = f"{bench.campus.url}/mod/lti/certs.php?stolen=1"
    header = {name: elsewhere} | ({"kid": "mine"} if kid == "unknown" else {})
    answer = bench.launch(header=header, key=STRANGER)
    bench.refused(answer, "kid_unknown" if kid == "unknown" else "signature")
    asked = [entry.query for entry in bench.campus.ledger.requests if entry.kind == "jwks"]
    assert not any("stolen" in query for query in asked)


@pytest.mark.parametrize("kid", ["own", "unknown"])
@pytest.mark.parametrize("name", ["jwk", "x5c"])
def test_h7_an_embedded_key_is_not_believed(bench: Bench, name: str, kid: str) -> None:
    """H7-jwk, H7-x5c."""
    jwk = public_jwk(STRANGER)
    header = {name: jwk if name == "jwk" else [jwk["n"]]}
    header |= {"kid": "mine"} if kid == "unknown" else {}
    answer = bench.launch(header=header, key=STRANGER)
    bench.refused(answer, "kid_unknown" if kid == "unknown" else "signature")
