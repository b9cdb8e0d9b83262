"""Whatever stands in the way of a command, it ends with one sentence and no traceback."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from passport_lti.cli import grades, keys  # noqa: F401 (they add their commands)
from passport_lti.cli.main import cli

CONFIG = """\
tool:
  base_url: https://passport.example.edu
  secret_key: 0123456789abcdef-0123456789abcdef
database: {{url: "{database}"}}
cache: {{{cache}}}
coursera:
  main: {{org_id: y0TO1t4fEe2bIBLACu-NKQ, api_key: key, api_secret: secret}}
"""


def run(folder: Path, database: str, cache: str = "", command: str = "db upgrade") -> Result:
    file = folder / "passport.yaml"
    file.write_text(CONFIG.format(database=database, cache=cache or f"dir: {folder}/cache"))
    return CliRunner().invoke(cli, ["--config", str(file), *command.split()])


def said(result: Result) -> str:
    """The one line on stderr, after which a command has ended with 1."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["db upgrade", "sync --json", "keys list"])
def test_a_database_that_is_none(tmp_path: Path, command: str) -> None:
    (tmp_path / "letter.db").write_text("Dear reader, this is no database at all. " * 20)
    line = said(run(tmp_path, f"sqlite:///{tmp_path}/letter.db", command=command))
    assert line == "Error: The database can't be used (file is not a database). Check database.url."


def test_a_database_whose_folder_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    line = said(run(tmp_path, f"sqlite:///{tmp_path}/var/passport.db"))
    assert line.startswith(f"Error: The folder {tmp_path}/var can't be made (File exists)")
    assert line.endswith("Check database.url.")


def test_a_python_whose_sqlite_is_too_old(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    line = said(run(tmp_path, f"sqlite:///{tmp_path}/p.db"))
    assert "comes with SQLite 3.34.1, which is too old: 3.35.0 is needed" in line
    assert not (tmp_path / "p.db").exists()


def test_a_database_with_strange_tables(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE platform (id INTEGER)")
    line = said(run(tmp_path, f"sqlite:///{tmp_path}/other.db"))
    assert line.startswith("Error: The database can't be used (table platform already exists)")


@pytest.mark.parametrize(
    "cache", ["type: nothing.Here", "dir: {folder}/passport.yaml", "type: SpreadSASLMemcachedCache"]
)
def test_a_cache_that_can_not_be_used(tmp_path: Path, cache: str) -> None:
    line = said(run(tmp_path, f"sqlite:///{tmp_path}/p.db", cache.format(folder=tmp_path)))
    assert line.startswith("Error: The cache can't be used (")
    assert "Check cache" in line and line.endswith(".")


def test_an_output_that_can_not_be_written(tmp_path: Path) -> None:
    file = tmp_path / "passport.yaml"
    file.write_text(CONFIG.format(database=f"sqlite:///{tmp_path}/p.db", cache=""))
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "passport_lti", "--config", file, "config", "check"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.stderr == "Error: No space left on device\n"
    assert answer.returncode == 1


def test_a_mistake_of_our_own(tmp_path: Path) -> None:
    @cli.command("mistaken")
    def mistaken() -> None:
        raise KeyError("amy@campus.example")

    try:
        line = said(run(tmp_path, f"sqlite:///{tmp_path}/p.db", command="mistaken"))
    finally:
        del cli.commands["mistaken"]
    assert line == (
        "Error: Passport LTI made a mistake (KeyError: '…'). "
        "Please report it; PASSPORT_LTI_TRACE=1 shows where it was made."
    )


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    result = run(tmp_path, f"sqlite:///{tmp_path}/p.db", command="status")
    assert result.exit_code == 0
    assert result.stdout == (
        "No grade has met a column yet: see `passport-lti platform list` and `passport-lti sync`.\n"
    )
