"""The production server: workers, one scheduler, a configuration that may be edited."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests

import ports
from passport_lti.cli.demo import CONFIG


def wait_for(condition, seconds=20.0):
    """The first truthy answer, or the last one."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def answers(url):
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def served(environ, path, workers=3):
    port = ports.free()
    process = subprocess.Popen(
        [sys.executable, "-m", "passport_lti", "--config", str(path), "serve",
         "--port", str(port), "--workers", str(workers)],
        env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_for(lambda: answers(f"{url}/healthz"))
        yield url, process
    finally:
        process.terminate()
        process.stderr.close()
        assert process.wait(30) == 0


@pytest.fixture
def edited(world, tmp_path):
    """The demo's configuration in a file that may be edited."""
    path = tmp_path / "passport.yaml"
    path.write_text(CONFIG.read_text())
    return path


def test_three_workers_poll_each_course_once(world, edited):
    [activity] = world.publish("final", "final_grade")
    amy = world.school.learners[0]
    world.campus.browser(amy).launch(activity)
    world.grade(amy, "final", "Loops quiz", 50)
    edited.write_text(edited.read_text().replace("poll_every: 15s", "poll_every: 1h"))
    world.coursera.ledger.clear()

    with served(world.environ, edited):
        arrived = wait_for(lambda: world.book["Python Basics", amy], 40)
        time.sleep(3)

    assert arrived == 15
    assert world.coursera.count("gradebook") == 1


def test_an_edited_file_is_applied_and_a_broken_edit_changes_nothing(world, edited):
    good = edited.read_text()
    other = "https://other.example"
    more = f"""
platforms:
  other:
    issuer: {other}
    client_id: second
    auth_login_url: {other}/auth
    auth_token_url: {other}/token
    key_set_url: {other}/keys
    coursera: practice
"""

    def login(url):
        form = {"iss": other, "login_hint": "1", "target_link_uri": world.tool.launch_url}
        answer = requests.post(f"{url}/lti/login", form, allow_redirects=False, timeout=5)
        return answer.headers.get("X-LTI-Error") or answer.status_code

    with served(world.environ, edited) as (url, process):
        assert login(url) == "issuer_unknown"
        edited.write_text(good.replace("\nsync:", more + "sync:"))
        assert wait_for(lambda: login(url) == 302, 15)
        edited.write_text("tool: [")
        time.sleep(6)
        assert login(url) == 302
        assert process.poll() is None
