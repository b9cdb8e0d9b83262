"""S52 and S53: each message once, in the browser that asked for it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests

import ports
from conformance.bench import ABSENT, Bench
from passport_lti.cli.demo import CONFIG
from passport_lti.lti.state import LIFETIME
from worlds import World


def message(bench: Bench, browser: Any) -> tuple[str, dict[str, str]]:
    """(address, fields) of a message that was not posted yet."""
    form = bench.form_of(browser)
    return form.action, {name: values[0] for name, values in form.fields.items()}


def a_browser(bench: Bench) -> Any:
    return bench.campus.browser(bench.learner)


def test_s52_no_nonce(bench: Bench) -> None:
    bench.refused(bench.launch({"nonce": ABSENT}), "nonce_missing")
    bench.refused(bench.launch({"nonce": ""}), "nonce_missing")


@pytest.mark.parametrize("nonce", ["a" * 64, "é", "x" * 5000])
def test_s52_a_nonce_that_the_tool_never_made(bench: Bench, nonce: str) -> None:
    bench.refused(bench.launch({"nonce": nonce}), "nonce_unknown")


def test_s52_the_same_message_again(bench: Bench) -> None:
    browser = a_browser(bench)
    url, fields = message(bench, browser)
    bench.accepted(bench.post(browser, url, fields))
    page = bench.refused(bench.post(browser, url, fields), "nonce_reused")
    assert "Start again from Moodle" in page and "open the activity again" in page


def test_s52_an_old_nonce_in_a_new_flow(bench: Bench) -> None:
    browser = a_browser(bench)
    url, fields = message(bench, browser)
    bench.accepted(bench.post(browser, url, fields))
    _, fresh = message(bench, browser)
    again = {**fields, "state": fresh["state"]}
    bench.refused(bench.post(browser, url, again), "nonce_reused")


def test_s52_an_unused_nonce_of_another_flow(bench: Bench) -> None:
    browser = a_browser(bench)
    url, first = message(bench, browser)
    _, second = message(bench, browser)
    mixed = {"id_token": first["id_token"], "state": second["state"]}
    bench.refused(bench.post(browser, url, mixed), "nonce_unknown")


def test_s52_the_same_message_from_another_browser(bench: Bench) -> None:
    browser = a_browser(bench)
    url, fields = message(bench, browser)
    bench.accepted(bench.post(browser, url, fields))
    bench.refused(bench.post(a_browser(bench), url, fields, cookies=False), "nonce_reused")


def posted(url: str, fields: dict[str, str], cookies: dict[str, str]) -> str:
    """`ok` or the code of the refusal."""
    answer = requests.post(url, fields, cookies=cookies, allow_redirects=False, timeout=30)
    assert answer.status_code < 500, answer.text
    return answer.headers.get("X-LTI-Error", "ok")


def race(urls: list[str], fields: dict[str, str], cookies: dict[str, str]) -> list[str]:
    with ThreadPoolExecutor(len(urls)) as pool:
        return sorted(pool.map(lambda url: posted(url, fields, cookies), urls))


def test_s52_of_parallel_posts_exactly_one_wins(bench: Bench) -> None:
    for _ in range(5):
        browser = a_browser(bench)
        url, fields = message(bench, browser)
        cookies = browser.cookies(bench.url).get_dict()
        assert race([url] * 6, fields, cookies) == ["nonce_reused"] * 5 + ["ok"]


@contextmanager
def two_processes(world: World) -> Iterator[str]:
    """The same tool once more, served by two processes on the same database."""
    port = ports.free()
    command = [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "2"],
        env={**os.environ, **world.environ},
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/lti/launch"
    finally:
        process.terminate()
        process.wait(30)


def test_s52_across_processes_exactly_one_wins(world: World) -> None:
    [activity] = world.publish("final", "final_grade")
    bench = Bench(world, activity)
    # This process's tool takes part, too: three processes on one SQLite file.
    with two_processes(world) as elsewhere:
        for _ in range(8):
            browser = a_browser(bench)
            url, fields = message(bench, browser)
            cookies = browser.cookies(bench.url).get_dict()
            verdicts = race([elsewhere, url, elsewhere, elsewhere], fields, cookies)
            assert verdicts == ["nonce_reused"] * 3 + ["ok"]


def test_s53_no_state(bench: Bench) -> None:
    bench.refused(bench.launch(form={"state": ABSENT}), "state_missing")
    bench.refused(bench.launch(form={"state": ""}), "state_missing")


@pytest.mark.parametrize("state", ["guessed", "a.b.c", "é", "x" * 4000])
def test_s53_an_unknown_state(bench: Bench, state: str) -> None:
    bench.refused(bench.launch(form={"state": state}), "state_unknown")


def test_s53_an_old_state(bench: Bench) -> None:
    services, browser = bench.world.services, a_browser(bench)
    now = services.clock
    services.clock = lambda: now() - timedelta(seconds=LIFETIME + 5)
    try:
        old = bench.form_of(browser).fields
    finally:
        services.clock = now
    url, fresh = message(bench, browser)
    page = bench.refused(
        bench.post(browser, url, {**fresh, "state": old["state"][0]}), "state_unknown"
    )
    assert re.search("open the activity again", page)


def test_s53_a_state_from_another_browser(bench: Bench) -> None:
    other = a_browser(bench)
    message(bench, other)
    theirs = other.cookies(bench.url).get_dict()
    bench.refused(bench.launch(cookies=theirs), "state_browser")


def test_s53_a_cookie_of_the_right_name_with_a_wrong_value(bench: Bench) -> None:
    browser = a_browser(bench)
    url, fields = message(bench, browser)
    forged = dict.fromkeys(browser.cookies(bench.url).get_dict(), "forged")
    bench.refused(bench.post(browser, url, fields, cookies=forged), "state_browser")


def test_s53_flows_side_by_side_do_not_disturb_each_other(bench: Bench) -> None:
    browser = a_browser(bench)
    messages = [message(bench, browser) for _ in range(3)]
    for url, fields in reversed(messages):
        bench.accepted(bench.post(browser, url, fields))
