"""The production server: workers, one scheduler, a configuration that may be edited."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import ports
from passport_lti.cli.demo import CONFIG

NEW_PLATFORM = """
platforms:
  new:
    issuer: https://new.example
    client_id: abc
    auth_login_url: https://new.example/auth
    auth_token_url: https://new.example/token
    key_set_url: https://new.example/keys
    coursera: practice
metrics: {token: a-token-of-sixteen}
"""


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


@pytest.mark.parametrize("how", [["--workers", "2"], ["--preload"]])
def test_any_wsgi_server_serves_the_app_and_follows_the_file(world, edited, how):
    port, edit = ports.free(), edited.read_text()
    tool = f"http://127.0.0.1:{port}"
    asked = {
        "iss": "https://new.example",
        "login_hint": "1",
        "target_link_uri": f"{world.environ['DEMO_TOOL']}/lti/launch",
    }

    def status(path, query=None):
        try:
            answer = requests.get(f"{tool}/{path}", query, timeout=5, allow_redirects=False)
            return answer.status_code
        except requests.RequestException:
            return None

    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", *how],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **world.environ, "PASSPORT_LTI_CONFIG": str(edited)},
    )
    try:
        known = wait_for(lambda: status("lti/login", {**asked, "iss": world.campus.url}))
        before = status("lti/login", asked)
        edited.write_text(edit + NEW_PLATFORM)
        after = wait_for(lambda: status("lti/login", asked) == 302)
        # In the process that answers, too, not only in the database.
        closed = wait_for(lambda: status("metrics") == 404)
    finally:
        process.terminate()
        process.wait(30)

    assert (known, before, after, closed) == (302, 400, True, True)


def test_a_wsgi_server_says_what_is_wrong_with_the_file(edited):
    edited.write_text("tool: {}\n")
    answer = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PASSPORT_LTI_CONFIG": str(edited)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"{edited}:1: coursera: is required",
        f"{edited}:1: tool.base_url: is required",
        f"{edited}:1: tool.secret_key: is required",
    ]


def test_every_worker_shows_the_counts_of_all(edited, world):
    """Whichever worker a monitor meets, a counter never falls."""
    with served(world.environ, edited) as (url, _):
        for _ in range(30):
            requests.get(f"{url}/healthz", timeout=5)
        shown = [requests.get(f"{url}/metrics", timeout=5).text for _ in range(12)]

    counts = [
        float(line.rsplit(" ", 1)[1])
        for text in shown
        for line in text.splitlines()
        if line.startswith("passport_lti_http_requests_total") and "healthz" in line
    ]
    assert len(counts) == 12 and min(counts) >= 30 and len(set(counts)) == 1
    assert all("passport_lti_cells" in text for text in shown)
