"""The files in deploy/: what they run, the command understands; what they say, the servers take."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import debian
from passport_lti import cli as commands
from passport_lti.cli.main import cli

for module in pkgutil.iter_modules(commands.__path__, "passport_lti.cli."):
    importlib.import_module(module.name)

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def understood(words: list[str]) -> click.Context:
    """Parse a command line to its end, as if it were run; raises what click says against it."""
    context = cli.make_context("passport-lti", list(words))
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert name and found
        command, context = found, found.make_context(name, rest, parent=context)
    return context


def commands_in(text: str) -> list[list[str]]:
    """Every `passport-lti ...` at the beginning of a line, or after a prompt, `&&` or a path."""
    found = re.findall(
        r"(?:^|&& |/bin/)passport-lti ((?:[a-z-][\w.:=/@%-]*|[\w.:/@-]+)(?: [\w.:=/@%,-]+)*)",
        text,
        re.M,
    )
    return [line.split() for line in found]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_command_understands_what_a_unit_runs(unit: Path) -> None:
    [words] = commands_in(unit.read_text().replace("%i", "8001"))
    assert understood(words).command.name in ("serve", "worker", "scheduler")


def test_the_command_understands_what_the_container_runs() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    entry, words = (re.findall(rf"^{w} \[(.*)\]", text, re.M)[0] for w in ("ENTRYPOINT", "CMD"))
    assert entry == '"passport-lti"'
    assert understood([word.strip(' "') for word in words.split(",")]).params["host"] == "0.0.0.0"
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M):
        assert all((ROOT / name).exists() for name in line.split())


def test_the_operators_guide_shows_commands_that_are_there() -> None:
    shown = commands_in((ROOT / "docs" / "operations.md").read_text())
    assert len(shown) >= 6
    for words in shown:
        understood(words)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = debian.need("systemd", "systemd-analyze")
    program = Path(sys.executable).with_name("passport-lti")
    for unit in UNITS:
        name = unit.name.replace("@", "@8001")
        text = unit.read_text().replace("/opt/passport-lti/bin/passport-lti", str(program))
        (tmp_path / name).write_text(text)
        checked = subprocess.run(
            [analyze, "verify", "--man=no", tmp_path / name],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        ours = [line for line in checked.stderr.splitlines() if "passport-lti" in line]
        assert checked.returncode == 0 and ours == [], checked.stderr
