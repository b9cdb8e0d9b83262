"""The command line as an administrator meets it."""

import os
import socket
import subprocess
import sys

import pytest

import ports


def run(*arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "passport_lti", *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_demo_prints_the_gradebook_and_ends():
    port = ports.free()
    with socket.create_server(("127.0.0.1", port + 1)):
        answer = run("demo", "--once", "--port", str(port))

    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "Traceback" not in answer.stderr
    amy = next(line for line in answer.stdout.splitlines() if line.strip().startswith("Amy"))
    assert "95" in amy and "92" in amy
    assert "once more: 3 courses read, 0 grades new, 0 scores sent" in answer.stdout


def test_the_demo_needs_no_proxy():
    nobody = "http://127.0.0.1:9"

    answer = run(
        "demo", "--once", "--port", str(ports.free()), http_proxy=nobody, https_proxy=nobody
    )

    assert answer.returncode == 0, answer.stderr[-3000:]


def test_the_demo_says_which_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        answer = run("demo", "--once", "--port", str(taken.getsockname()[1]))

    assert answer.returncode == 1
    assert "is in use" in answer.stderr and "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "command",
    ["serve", "sync", "status", "config check", "platform list", "keys list", "db upgrade",
     "scheduler", "worker", "doctor", "platform invite x", "learner show x"],
)  # fmt: skip
def test_a_broken_configuration_ends_every_command_with_2(tmp_path, command):
    broken = tmp_path / "broken.yaml"
    broken.write_text("tool: {base_url: http://moodle.example}\nsynk: {}\n")

    answer = run("--config", str(broken), *command.split())

    assert answer.returncode == 2
    assert answer.stderr.splitlines() == [
        f"{broken}:1: coursera: is required",
        f"{broken}:1: tool.base_url: expected https:// (plain http is only for 127.0.0.1 and "
        "localhost)",
        f"{broken}:1: tool.secret_key: is required",
        f"{broken}:2: synk: unknown key, did you mean sync?",
    ]


def test_a_missing_configuration_says_where_to_start(tmp_path):
    answer = run("sync", PASSPORT_LTI_CONFIG=str(tmp_path / "none.yaml"))

    assert answer.returncode == 2
    assert "config/passport.example.yaml" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [("sync", "--platform", "nobody"), ("status", "--activity", "99"), ("sync", "--activity", "x"),
     ("platform", "approve", "nobody"), ("nonsense",), ("worker", "--every", "-1"),
     ("demo", "--port", "80")],
)  # fmt: skip
def test_wrong_usage_ends_with_2(world, arguments):
    answer = world.command(*arguments)

    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "command",
    ["", "demo", "serve", "scheduler", "worker", "sync", "status", "config check", "platform list",
     "platform approve", "platform remove", "keys list", "keys rotate", "db upgrade",
     "doctor", "platform invite", "learner show", "learner erase"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(command):
    answer = run(*command.split(), "--help")

    assert answer.returncode == 0
    assert "passport-lti " in answer.stdout


def test_a_removed_platform_neither_launches_nor_receives(world):
    [activity] = world.publish("final", "final_grade")
    amy = world.school.learners[0]
    world.campus.browser(amy).launch(activity)
    world.grade(amy, "final", "Loops quiz", 50)

    assert world.command("platform", "remove", "campus").returncode == 0
    world.command("sync")
    page = world.campus.browser(amy).launch(activity)

    assert world.book["Python Basics", amy] is None
    assert page.status == 400

    assert world.command("platform", "approve", "campus").returncode == 0
    world.command("sync")
    assert world.book["Python Basics", amy] == 15


def test_keys_rotate_without_a_failed_launch_or_score(world):
    [activity] = world.publish("final", "final_grade")
    amy = world.school.learners[0]

    assert world.command("keys", "rotate").returncode == 0
    world.campus.browser(amy).launch(activity)
    world.grade(amy, "final", "Loops quiz", 50)

    assert world.sync().ok
    assert world.book["Python Basics", amy] == 15
