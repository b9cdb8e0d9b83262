"""H22 to H30: hostile subjects, audiences and issuers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.forged import STRANGER, payload, text_of
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import neighbour
from passport_lti.extensions import db
from passport_lti.models import Member, Platform
from passport_lti.sandbox.campus import Campus


@pytest.mark.parametrize(
    ("sub", "code"),
    [
        pytest.param(ABSENT, "sub_missing", id="H22-C12-absent"),
        pytest.param(None, "sub_missing", id="H22-C12-null"),
        pytest.param("", "sub_missing", id="H22-C12-empty"),
        pytest.param(7, "malformed", id="H22-integer"),
        pytest.param(True, "malformed", id="H22-true"),
        pytest.param(["7"], "malformed", id="H22-list"),
        pytest.param({"id": "7"}, "malformed", id="H22-object"),
        pytest.param("s" * 256, "malformed", id="H23-256-characters"),
        pytest.param("s" * 300, "malformed", id="H23-300-characters"),
        pytest.param("a\nb", "malformed", id="H23-line-break"),
        pytest.param("a\x00b", "malformed", id="H23-nul"),
        pytest.param("a\x1b[31m", "malformed", id="H23-escape"),
        pytest.param("a\x7f", "malformed", id="H23-delete"),
        pytest.param("a\u202eb", "malformed", id="H23-right-to-left-override"),
        pytest.param("a\ud800", "malformed", id="H23-lone-surrogate"),
    ],
)
def test_subjects(bench: Bench, sub: Any, code: str) -> None:
    bench.refused(bench.launch({"sub": sub}), code)


def test_h23_a_sub_of_255_characters_is_one(bench: Bench) -> None:
    bench.accepted(bench.launch({"sub": "s" * 255}))


Audience = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param(lambda own: {"aud": "other"}, "audience", id="H24-S49-other"),
        pytest.param(lambda own: {"aud": ["other"]}, "audience", id="H24-S49-list-of-other"),
        pytest.param(lambda own: {"aud": ABSENT}, "audience", id="H24-S49-absent"),
        pytest.param(lambda own: {"aud": None}, "audience", id="H24-null"),
        pytest.param(lambda own: {"aud": [own, "other"]}, "audience", id="H25-S50-two-no-azp"),
        pytest.param(
            lambda own: {"aud": [own, "other"], "azp": "other"}, "audience", id="H26-azp-other"
        ),
        pytest.param(lambda own: {"aud": own, "azp": "other"}, "azp", id="H26-S50-one-azp-other"),
        pytest.param(lambda own: {"aud": own, "azp": ""}, "azp", id="H26-S50-azp-empty"),
        pytest.param(lambda own: {"aud": own, "azp": [own]}, "azp", id="H26-S50-azp-a-list"),
        pytest.param(
            lambda own: {"aud": ["other", own], "azp": own}, "audience", id="H27-S49-untrusted"
        ),
        pytest.param(lambda own: {"aud": [own, own], "azp": own}, "audience", id="H27-twice"),
        pytest.param(lambda own: {"aud": []}, "audience", id="H28-S49-empty-list"),
        pytest.param(lambda own: {"aud": ""}, "audience", id="H28-empty"),
        pytest.param(lambda own: {"aud": {own: own}}, "audience", id="H28-object"),
        pytest.param(lambda own: {"aud": f"x{own}x"}, "audience", id="H28-around"),
        pytest.param(lambda own: {"aud": own[1:]}, "audience", id="H28-part"),
        pytest.param(lambda own: {"aud": own.swapcase()}, "audience", id="H28-other-case"),
        pytest.param(lambda own: {"aud": f"{own} "}, "audience", id="H28-space"),
        pytest.param(lambda own: {"aud": [[own]]}, "audience", id="H28-nested"),
        pytest.param(lambda own: {"aud": [own, 7]}, "audience", id="H28-mixed-types"),
        pytest.param(lambda own: {"aud": 7}, "audience", id="H28-number"),
    ],
)
def test_audiences(bench: Bench, claims: Audience, code: str) -> None:
    answer = bench.launch(claims(bench.world.tool.client_id))
    bench.refused(answer, code)
    assert answer.status_code == 401


ISSUERS: dict[str, Callable[[str], Any]] = {
    "H29-unknown": lambda own: "https://moodle.elsewhere.example",
    "H29-S48-trailing-slash": lambda own: f"{own}/",
    "H29-https-for-http": lambda own: own.replace("http:", "https:"),
    "H29-upper-case": lambda own: own.upper(),
    "H29-space": lambda own: f" {own}",
    "H29-other-name-of-the-host": lambda own: own.replace("127.0.0.1", "localhost"),
    "H29-prefix": lambda own: own[:-1],
    "H29-query": lambda own: f"{own}?a=b",
    "H29-absent": lambda own: ABSENT,
    "H29-null": lambda own: None,
    "H29-list": lambda own: [own],
    "H29-object": lambda own: {"iss": own},
    "H29-number": lambda own: 7,
    "H29-nul": lambda own: f"{own}\x00",
}


@pytest.mark.parametrize("change", ISSUERS.values(), ids=ISSUERS)
def test_issuers(bench: Bench, change: Callable[[str], Any]) -> None:
    issuer = change(bench.campus.url)
    # JSON that spells NUL is refused before anything in it is believed.
    nul = isinstance(issuer, str) and "\x00" in issuer
    wrong_type = issuer is not ABSENT and not isinstance(issuer, str | None)
    code = "malformed" if nul or wrong_type else "issuer_unknown"
    bench.refused(bench.launch({"iss": issuer}), code)


@pytest.fixture
def neighbours() -> Iterator[tuple[Bench, Campus]]:
    """Two tenants of one tool."""
    with fresh_bench() as bench, neighbour(bench) as other:
        yield bench, other.campus


@pytest.mark.parametrize("kid", ["own", "theirs"])
def test_h30_the_issuer_of_one_tenant_and_the_key_of_another(
    neighbours: tuple[Bench, Campus], kid: str
) -> None:
    bench, other = neighbours
    header = {"kid": other.kid} if kid == "theirs" else None
    answer = bench.launch(header=header, key=other.private_key)
    bench.refused(answer, "kid_unknown" if kid == "theirs" else "signature")


def test_h30_a_login_of_one_tenant_and_a_message_of_another(
    neighbours: tuple[Bench, Campus],
) -> None:
    """The mix-up attack: a sound message of the neighbour in a flow that the campus began."""
    bench, other = neighbours
    [tool] = other.tools.values()
    claims = {"iss": other.url, "aud": tool.client_id}
    answer = bench.launch(claims, header={"kid": other.kid}, key=other.private_key)
    bench.refused(answer, "state_unknown")
    with bench.world.app.app_context():
        platforms = {row.name: row.id for row in db.session.scalars(db.select(Platform))}
        known = db.session.scalars(
            db.select(Member.name).where(Member.platform_id == platforms["neighbour"])
        ).all()
        assert known == ["Nora Neighbour"]


@pytest.mark.parametrize("name", ["sub", "iss", "aud", "nonce"])
def test_h54_a_claim_that_stands_twice(bench: Bench, name: str) -> None:
    """H54: the last one must not win, nor the first."""

    def twice(claims: dict[str, Any]) -> bytes:
        return text_of(claims)[:-1] + f',"{name}":"another"}}'.encode()

    bench.refused(bench.launch(token=payload(twice)), "malformed")


def test_h30_a_key_of_nobody_under_another_tenants_issuer(
    neighbours: tuple[Bench, Campus],
) -> None:
    bench, other = neighbours
    answer = bench.launch({"iss": other.url}, header={"kid": other.kid}, key=STRANGER)
    bench.refused(answer, "signature")
