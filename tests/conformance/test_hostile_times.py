"""H13 to H21: hostile times."""

import time
from typing import Any

import pytest

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.forged import payload, text_of

DAY = 24 * 3600
YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("times", "code"),
    [
        pytest.param({"exp": ABSENT}, "exp_missing", id="H13-C07-exp-absent"),
        pytest.param({"exp": None}, "malformed", id="H13-C07-exp-null"),
        pytest.param({"iat": -120, "exp": -80}, "expired", id="H14-S51-exp-past-the-leeway"),
        pytest.param({"iat": -4000, "exp": -3600}, "expired", id="H14-C07-exp-an-hour-past"),
        pytest.param({"iat": 0, "exp": 0}, "expired", id="H14-exp-at-iat"),
        pytest.param({"iat": 30, "exp": 10}, "expired", id="H14-C07-exp-before-iat"),
        pytest.param({"exp": 10 * YEAR}, "expired", id="H16-S51-exp-ten-years-ahead"),
        pytest.param({"exp": DAY + 60}, "expired", id="H16-S51-exp-more-than-a-day-ahead"),
        pytest.param({"iat": ABSENT}, "iat_missing", id="H17-C07-iat-absent"),
        pytest.param({"iat": None}, "malformed", id="H17-C07-iat-null"),
        pytest.param({"iat": -DAY}, "expired", id="H18-S51-iat-a-day-old"),
        pytest.param({"iat": -700}, "expired", id="H18-S51-iat-eleven-minutes-old"),
        pytest.param({"iat": 300, "exp": 600}, "not_yet_valid", id="H19-iat-five-minutes-ahead"),
        pytest.param({"iat": 80, "exp": 600}, "not_yet_valid", id="H19-S51-iat-past-the-leeway"),
        pytest.param({"nbf": 300, "exp": 600}, "not_yet_valid", id="H21-nbf-ahead"),
    ],
)
def test_times_that_are_wrong(bench: Bench, times: dict[str, Any], code: str) -> None:
    now = int(time.time())
    claims = {
        name: now + value if isinstance(value, int) else value for name, value in times.items()
    }
    bench.refused(bench.launch(claims), code)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param({"iat": -60, "exp": -1}, id="H14-S51-exp-a-second-past"),
        pytest.param({"iat": -100, "exp": -45}, id="H14-S51-exp-within-the-leeway"),
        pytest.param({"exp": 12 * 3600}, id="H16-exp-half-a-day-ahead"),
        pytest.param({"iat": -500}, id="H18-S51-iat-eight-minutes-old"),
        pytest.param({"iat": 20, "exp": 80}, id="H20-S51-iat-20-seconds-ahead"),
        pytest.param({"nbf": 20}, id="H21-S51-nbf-20-seconds-ahead"),
        pytest.param({"nbf": -YEAR}, id="H21-nbf-long-past"),
        pytest.param({"iat": 0.25, "exp": 59.75}, id="H15-fractions-of-a-second"),
    ],
)
def test_times_of_a_good_launch(bench: Bench, times: dict[str, float]) -> None:
    now = int(time.time())
    bench.accepted(bench.launch({name: now + value for name, value in times.items()}))


WEIRD = {
    "text": '"tomorrow"',
    "number-as-text": '"1799999999"',
    "nan": "NaN",
    "infinity": "Infinity",
    "minus-infinity": "-Infinity",
    "1e308": "1e308",
    "1e400": "1e400",
    "huge-integer": "9" * 4000,
    "integer-too-long-to-read": "9" * 20_000,
    "negative-huge": "-1e30",
    "true": "true",
    "list": "[1799999999]",
    "object": '{"at": 1799999999}',
}


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", WEIRD.values(), ids=[f"H15-{key}" for key in WEIRD])
def test_h15_times_that_are_no_times(bench: Bench, name: str, value: str) -> None:
    bench.refused(
        bench.launch(token=payload(lambda claims: text_of(claims, **{name: value}))), "malformed"
    )


def test_h15_negative_exp(bench: Bench) -> None:
    bench.refused(bench.launch({"exp": -1}), "expired")
