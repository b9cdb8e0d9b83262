"""H31 to H42: hostile nonces, states and cookies."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from conformance.bench import ABSENT, Bench
from passport_lti.extensions import db
from passport_lti.lti import state as flows
from passport_lti.models import LaunchLog


def message(bench: Bench, browser: Any, **changes: Any) -> tuple[str, dict[str, str]]:
    """(address, fields) of a message that was not posted yet."""
    with bench.changed(**changes):
        form = bench.form_of(browser)
    return form.action, {name: values[0] for name, values in form.fields.items()}


def sessions(bench: Bench) -> int:
    """Launches that were let in."""
    with bench.world.app.app_context():
        rows = db.session.scalars(db.select(LaunchLog).where(LaunchLog.verdict == "ok")).all()
        return len(rows)


@pytest.fixture
def browser(bench: Bench) -> Any:
    return bench.campus.browser(bench.learner)


@pytest.fixture
def at(bench: Bench) -> Iterator[Any]:
    """Set the tool's clock some seconds off."""
    services = bench.world.services
    now = services.clock

    def off(seconds: float) -> None:
        services.clock = lambda: now() + timedelta(seconds=seconds)

    yield off
    services.clock = now


def _made_by(secret: str) -> str:
    return flows.new_nonce(secret)


@pytest.mark.parametrize(
    ("nonce", "code"),
    [
        pytest.param(ABSENT, "nonce_missing", id="H31-S52-absent"),
        pytest.param(None, "nonce_missing", id="H31-null"),
        pytest.param("", "nonce_missing", id="H31-S52-empty"),
        pytest.param("never-issued", "nonce_unknown", id="H31-S52-never-issued"),
        pytest.param("a" * 64, "nonce_unknown", id="H31-S52-right-length"),
        pytest.param(_made_by("another tool's secret"), "nonce_unknown", id="H31-another-tools"),
        pytest.param("n" * 100_000, "malformed", id="H31-100-kB"),
        pytest.param("\u202e\u00e9" * 32, "nonce_unknown", id="H31-not-ascii"),
        pytest.param(7, "malformed", id="H31-integer"),
        pytest.param(["n"], "malformed", id="H31-list"),
        pytest.param({"n": 1}, "malformed", id="H31-object"),
        pytest.param(True, "malformed", id="H31-true"),
    ],
)
def test_h31_nonces(bench: Bench, nonce: Any, code: str) -> None:
    bench.refused(bench.launch({"nonce": nonce}), code)


def test_h32_s52_the_same_post_again_says_so_and_starts_nothing(bench: Bench, browser: Any) -> None:
    url, fields = message(bench, browser)
    bench.accepted(bench.post(browser, url, fields))
    before = sessions(bench)
    for _ in range(3):
        page = bench.refused(bench.post(browser, url, fields), "nonce_reused")
        assert "already used" in page
    assert sessions(bench) == before


def test_h33_s52_replay_from_another_browser(bench: Bench, browser: Any) -> None:
    url, fields = message(bench, browser)
    bench.accepted(bench.post(browser, url, fields))
    other = bench.campus.browser(bench.world.school.learners[1])
    bench.refused(bench.post(other, url, fields, cookies=False), "nonce_reused")


def test_h34_replay_from_a_browser_with_cookies_of_its_own_launch(
    bench: Bench, browser: Any
) -> None:
    url, fields = message(bench, browser)
    other = bench.campus.browser(bench.world.school.learners[1])
    message(bench, other)
    bench.refused(bench.post(other, url, fields), "state_browser")
    bench.accepted(bench.post(browser, url, fields))
    bench.refused(bench.post(other, url, fields), "nonce_reused")


def test_h35_the_nonce_of_one_launch_with_the_state_of_another(bench: Bench, browser: Any) -> None:
    url, first = message(bench, browser)
    other = bench.world.school.learners[1]
    _, second = message(bench, browser, claims={"sub": other.id})
    swapped = {**second, "state": first["state"]}
    bench.refused(bench.post(browser, url, swapped), "nonce_unknown")
    bench.refused(bench.post(browser, url, {**first, "state": second["state"]}), "nonce_unknown")


def test_h36_s52_of_fifty_parallel_posts_exactly_one_wins(bench: Bench, browser: Any) -> None:
    url, fields = message(bench, browser)
    cookies = browser.cookies(bench.url).get_dict()
    before, gate, verdicts = sessions(bench), threading.Barrier(50), []

    def post() -> None:
        gate.wait(30)
        answer = requests.post(url, fields, cookies=cookies, allow_redirects=False, timeout=60)
        verdicts.append((answer.headers.get("X-LTI-Error", "ok"), answer.status_code < 500))

    threads = [threading.Thread(target=post) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(verdicts) == [("nonce_reused", True)] * 49 + [("ok", True)]
    assert sessions(bench) == before + 1


def test_h37_s53_a_nonce_of_more_than_ten_minutes(bench: Bench, browser: Any, at: Any) -> None:
    at(-flows.LIFETIME - 10)
    url, fields = message(bench, browser)
    at(0)
    bench.refused(bench.post(browser, url, fields), "state_unknown")


def test_h37_a_nonce_of_nine_minutes(bench: Bench, browser: Any, at: Any) -> None:
    """Whoever has to sign in to the platform first needs some minutes."""
    at(-flows.LIFETIME + 60)
    url, fields = message(bench, browser)
    at(0)
    bench.accepted(bench.post(browser, url, fields))


def test_h37_an_old_nonce_is_refused_with_a_fresh_state(
    bench: Bench, browser: Any, at: Any
) -> None:
    at(-flows.LIFETIME - 10)
    url, old = message(bench, browser)
    at(0)
    _, fresh = message(bench, browser)
    bench.refused(bench.post(browser, url, {**old, "state": fresh["state"]}), "nonce_unknown")


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        pytest.param(ABSENT, "state_missing", 400, id="H38-S53-absent"),
        pytest.param("", "state_missing", 400, id="H38-S53-empty"),
        pytest.param("forged", "state_unknown", 400, id="H38-S53-forged"),
        pytest.param("eyJub25jZSI6IngifQ.c2ln", "state_unknown", 400, id="H38-S53-forged-shape"),
        pytest.param(".", "state_unknown", 400, id="H38-dot"),
        pytest.param("\x00", "state_unknown", 400, id="H38-nul"),
        pytest.param("\u00e9\u202e", "state_unknown", 400, id="H38-not-ascii"),
        pytest.param("s" * 100_000, "state_unknown", 400, id="H38-100-kB"),
    ],
)
def test_h38_states(bench: Bench, state: Any, code: str, status: int) -> None:
    answer = bench.launch(form={"state": state})
    bench.refused(answer, code)
    assert answer.status_code == status


@pytest.mark.parametrize("place", [0, 5, -1], ids=lambda at: f"H38-one-letter-at-{at}")
def test_h38_a_state_with_one_other_letter(bench: Bench, place: int) -> None:
    def changed(fields: dict[str, str]) -> dict[str, str]:
        letters = list(fields["state"])
        # The last letter of base64 has idle bits: jump far.
        letters[place] = "A" if letters[place] not in "ABCD" else "z"
        return {**fields, "state": "".join(letters)}

    bench.refused(bench.launch(form=changed), "state_unknown")


def test_h39_s53_login_csrf(bench: Bench) -> None:
    """The attacker's own message, posted from the victim's browser that has launched, too."""
    attacker = bench.campus.browser(bench.world.school.learners[1])
    url, fields = message(bench, attacker)
    victim = bench.campus.browser(bench.learner)
    message(bench, victim)
    before = sessions(bench)
    bench.refused(bench.post(victim, url, fields), "state_browser")
    assert sessions(bench) == before


def test_h39_h41_login_csrf_in_a_browser_without_cookies(bench: Bench) -> None:
    """Nobody is signed in unseen: the page names whose launch it is, and waits."""
    attacker = bench.world.school.learners[1]
    url, fields = message(bench, bench.campus.browser(attacker))
    answer = bench.post(bench.campus.browser(bench.learner), url, fields, cookies=False)
    assert answer.status_code == 200 and attacker.name in answer.text
    assert "/lti/confirm" in answer.text and "Location" not in answer.headers


@pytest.mark.parametrize(
    "value",
    ["", "x", "0" * 64, "é".encode().decode("latin-1")],
    ids=["H40-empty", "H40-x", "H40-zeros", "H40-not-ascii"],
)
def test_h40_s53_a_planted_cookie_of_the_right_name(bench: Bench, browser: Any, value: str) -> None:
    url, fields = message(bench, browser)
    planted = {flows.cookie_name(bench.url, fields["state"]): value}
    bench.refused(bench.post(browser, url, fields, cookies=planted), "state_browser")


def test_h40_the_cookie_of_another_state_under_the_right_name(bench: Bench, browser: Any) -> None:
    """An attacker has a true cookie of a launch of his own, and plants its value."""
    other = bench.campus.browser(bench.world.school.learners[1])
    _, theirs = message(bench, other)
    [stolen] = other.cookies(bench.url).get_dict().values()
    assert theirs["state"]
    url, fields = message(bench, browser)
    planted = {flows.cookie_name(bench.url, fields["state"]): stolen}
    bench.refused(bench.post(browser, url, fields, cookies=planted), "state_browser")


def test_h40_the_cookie_is_bound_to_this_host_and_path(bench: Bench, browser: Any) -> None:
    message(bench, browser)
    [cookie] = list(browser.cookies(bench.url))
    assert not cookie.domain_specified and cookie.path == "/lti"
    assert cookie.has_nonstandard_attr("HttpOnly")
