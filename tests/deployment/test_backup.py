"""Backup and restore as docs/operations.md says: its own command lines, played through."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import databases
import debian
from worlds import World, opened

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
ADDRESS = "postgresql://passport@db.example.edu/passport"


def line(program: str) -> list[str]:
    """The guide's first command line of a program."""
    found = re.search(rf"^{re.escape(program)}.*$", GUIDE, re.M)
    assert found, f"the guide does not show {program}"
    return shlex.split(found[0])


def run(words: list[str], names: dict[str, str]) -> None:
    """Run a line of the guide with the test's own names in it."""
    for shown, real in names.items():
        words = [word.replace(shown, real) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def program(name: str) -> str:
    return str(debian.need("postgresql", f"/usr/lib/postgresql/*/bin/{name}"))


def lived_on(world: World) -> None:
    """Before the backup a grade; after it another one, delivered as well."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 70)
    assert world.sync().ok


def after_the_backup(world: World) -> None:
    world.grade(world.school.learners[0], "columns", "Averages", 90)
    world.grade(world.school.learners[1], "columns", "Averages", 60)
    assert world.sync().ok


def restored(world: World, address: str) -> dict[str, Any]:
    """The first sync on what was restored, which must find all of it and repeat nothing."""
    world.environ["DEMO_DATABASE"] = address
    before = len(world.campus.ledger.scores)
    checked = world.command("doctor")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    answer = world.json("sync")
    assert answer["summary"]["failed"] == answer["summary"]["rejected"] == 0
    assert len(world.campus.ledger.scores) == before
    amy, ben = world.school.learners[:2]
    assert (world.book["Averages", amy], world.book["Averages", ben]) == (90, 60)
    world.grade(ben, "columns", "Averages", 65)
    world.json("sync")
    assert world.book["Averages", ben] == 65
    return answer


def test_a_postgresql_backup_is_restored(tmp_path: Path) -> None:
    with opened("postgresql") as world, databases.postgresql() as fresh:
        lived_on(world)
        there = world.environ["DEMO_DATABASE"]
        dump = str(tmp_path / "passport.dump")
        names = {"passport.dump": dump, "+psycopg": ""}
        run([program("pg_dump"), *line("pg_dump")[1:]], {ADDRESS: there, **names})
        after_the_backup(world)
        run([program("pg_restore"), *line("pg_restore")[1:]], {ADDRESS: fresh, **names})
        restored(world, fresh)


def test_an_sqlite_backup_is_restored(tmp_path: Path) -> None:
    with opened("sqlite") as world:
        lived_on(world)
        there = world.environ["DEMO_DATABASE"].removeprefix("sqlite:///")
        copy = tmp_path / "passport-backup.db"
        names = {
            "/var/lib/passport-lti/var/passport.db": there,
            "passport-backup.db": str(copy),
        }
        words = line('python3 -c "import sqlite3')
        run([sys.executable, *words[1:]], names)
        after_the_backup(world)
        restored(world, f"sqlite:///{copy}")


def test_without_the_secret_key_a_backup_says_so() -> None:
    with opened("sqlite") as world:
        lived_on(world)
        world.environ["DEMO_SECRET"] = "another secret key of 32 letters or more"
        checked = world.command("doctor")
        assert checked.returncode == 1 and "secret_key" in checked.stdout
        # The guide's way on, where the key is really lost or has to be another one.
        assert world.command("keys", "rotate").returncode == 0
        assert world.command("doctor").returncode == 0
        world.grade(world.school.learners[0], "columns", "Averages", 75)
        assert world.command("sync").returncode == 0
        assert world.book["Averages", world.school.learners[0]] == 75
