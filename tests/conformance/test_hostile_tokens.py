"""H52 to H56: hostile sizes, JSON and encodings."""

import json
import time
from typing import Any

import pytest
import requests

from conformance.bench import Bench
from conformance.hostile_cases.forged import Make, payload, pieces, text_of
from conformance.tokens import encoded, signed

FORM = "application/x-www-form-urlencoded"


def refused(answer: requests.Response, *statuses: int) -> None:
    assert answer.status_code in statuses
    assert answer.headers["X-LTI-Error"] == "malformed"
    assert "Traceback" not in answer.text and "<h1" in answer.text


def test_h52_a_token_of_1_mb(bench: Bench) -> None:
    answer = bench.launch({"name": "n" * 1_000_000})
    bench.refused(answer, "malformed")
    assert answer.status_code == 413


def test_h52_a_token_of_200_kb(bench: Bench) -> None:
    bench.refused(bench.launch({"name": "n" * 150_000}), "malformed")


@pytest.mark.parametrize("path", ["/lti/launch", "/lti/login"])
def test_h52_a_body_of_10_mb_is_not_read(bench: Bench, path: str) -> None:
    data = b"id_token=" + b"x" * 10_000_000
    began = time.monotonic()
    answer = requests.post(f"{bench.url}{path}", data, headers={"Content-Type": FORM}, timeout=30)
    refused(answer, 413)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/lti/launch", "/lti/login"])
def test_h52_five_thousand_fields(bench: Bench, path: str) -> None:
    fields = {f"field{number}": "x" for number in range(5000)}
    refused(requests.post(f"{bench.url}{path}", fields, timeout=30), 400, 413)


@pytest.mark.parametrize("repeated", ["id_token", "state"])
def test_h52_a_field_that_stands_twice(bench: Bench, repeated: str) -> None:
    form = bench.form_of(bench.campus.browser(bench.learner))
    pairs = [(name, values[0]) for name, values in form.fields.items()] + [(repeated, "x")]
    refused(requests.post(form.action, pairs, timeout=30), 400)


def nested(opening: str, closing: str, depth: int = 10_000) -> Make:
    return payload(lambda claims: text_of(claims, custom=opening * depth + closing * depth))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(nested("[", "]"), id="H53-lists"),
        pytest.param(nested("{", "}"), id="H53-braces"),
        pytest.param(nested("[", ""), id="H53-lists-left-open"),
        pytest.param(
            payload(lambda c: text_of(c, custom='{"a":' * 10_000 + "1" + "}" * 10_000)),
            id="H53-objects",
        ),
        pytest.param(
            payload(lambda c: text_of(c, huge="9" * 50_000)), id="H53-integer-of-50000-digits"
        ),
    ],
)
def test_h53_nested_and_huge(bench: Bench, make: Make) -> None:
    bench.refused(bench.launch(token=make), "malformed")


def test_h53_a_header_nested_ten_thousand_levels(bench: Bench) -> None:
    def make(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        return signed(text_of(header, deep="[" * 10_000 + "]" * 10_000), claims, key)

    bench.refused(bench.launch(token=make), "malformed")


def test_h54_a_header_name_that_stands_twice(bench: Bench) -> None:
    def make(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
        return signed(text_of(header)[:-1] + b',"alg":"none"}', claims, key)

    bench.refused(bench.launch(token=make), "malformed")


def test_h54_a_name_that_stands_twice_further_in(bench: Bench) -> None:
    twice = payload(lambda claims: text_of(claims, custom='{"a": "1", "a": "2"}'))
    bench.refused(bench.launch(token=twice), "malformed")


PAYLOADS = {
    "list": b'[{"sub": "1"}]',
    "text": b'"claims"',
    "number": b"7",
    "null": b"null",
    "true": b"true",
    "empty": b"",
    "space": b" ",
    "two-objects": b"{}{}",
    "not-json": b"sub=1",
    "utf-16": '{"sub": "1"}'.encode("utf-16"),
    "latin-1": '{"sub": "\u00e9"}'.encode("latin-1"),
    "utf-8-with-a-mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("body", PAYLOADS.values(), ids=[f"H55-{name}" for name in PAYLOADS])
def test_h55_payloads_that_are_no_object(bench: Bench, body: bytes) -> None:
    bench.refused(bench.launch(token=payload(lambda claims: body)), "malformed")


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"1", b"{"], ids=lambda b: f"H55-{b!r}")
def test_h55_headers_that_are_no_object(bench: Bench, body: bytes) -> None:
    bench.refused(bench.launch(token=lambda h, c, key: signed(body, c, key)), "malformed")


def _part(token: str, at: int, change: str) -> str:
    parts = token.split(".")
    parts[at] = change.format(parts[at])
    return ".".join(parts)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(pieces(lambda t: "garbage"), id="H56-garbage"),
        pytest.param(pieces(lambda t: ""), id="H56-empty"),
        pytest.param(pieces(lambda t: ".."), id="H56-dots"),
        pytest.param(pieces(lambda t: t.rpartition(".")[0]), id="H56-two-parts"),
        pytest.param(pieces(lambda t: f"{t}.{t}"), id="H56-six-parts"),
        pytest.param(pieces(lambda t: f"{t}.YWFhYWFh.YmJiYmJi"), id="H56-five-parts"),
        pytest.param(pieces(lambda t: f" {t}"), id="H56-space-before"),
        pytest.param(pieces(lambda t: f"{t}\n"), id="H56-line-break-after"),
        pytest.param(pieces(lambda t: _part(t, 1, "{}\n")), id="H56-line-break-within"),
        pytest.param(pieces(lambda t: _part(t, 1, "{}=")), id="H56-padding"),
        pytest.param(pieces(lambda t: _part(t, 0, "***")), id="H56-header-not-base64"),
        pytest.param(pieces(lambda t: _part(t, 1, "***")), id="H56-payload-not-base64"),
        pytest.param(pieces(lambda t: _part(t, 2, "***")), id="H56-signature-not-base64"),
        pytest.param(pieces(lambda t: _part(t, 1, "+/{}")), id="H56-base64-not-url"),
        pytest.param(pieces(lambda t: _part(t, 1, "{}\x00")), id="H56-nul"),
        pytest.param(pieces(lambda t: _part(t, 1, "{}\u00e9")), id="H56-not-ascii"),
        pytest.param(
            payload(lambda c: text_of(c, name='"\\ud800"')), id="H56-lone-surrogate-escaped"
        ),
        pytest.param(payload(lambda c: text_of(c, name='"a\\u0000b"')), id="H56-nul-escaped"),
        pytest.param(
            payload(lambda c: json.dumps(c).encode()[:-1] + b', "name": "\xed\xa0\x80"}'),
            id="H56-lone-surrogate-in-bytes",
        ),
        pytest.param(
            pieces(lambda t: encoded({"payload": t, "signatures": []})), id="H56-jws-as-json"
        ),
        pytest.param(
            pieces(lambda t: f"{t.split('.')[0]}..YWFhYWFh.YmJiYmJi.Y2NjY2Nj"),
            id="H56-encrypted-shape",
        ),
    ],
)
def test_h56_what_is_no_token(bench: Bench, make: Make) -> None:
    bench.refused(bench.launch(token=make), "malformed")


@pytest.mark.parametrize("field", ["id_token", "state"])
def test_h56_lone_bytes_in_a_field(bench: Bench, field: str) -> None:
    data = b"%s=%%ff%%fe%%00&x=1" % field.encode()
    answer = requests.post(
        f"{bench.url}/lti/launch", data, headers={"Content-Type": FORM}, timeout=30
    )
    refused(answer, 400)


def test_h52_5000_fields_are_too_many_to_read(bench: Bench) -> None:
    bench.look()
    bench.token = ""
    body = "&".join(f"f{number}=x" for number in range(5000))
    answer = requests.post(
        f"{bench.url}/lti/launch", body, headers={"Content-Type": FORM}, timeout=30
    )
    bench.refused(answer, "malformed")
    assert answer.status_code == 413
