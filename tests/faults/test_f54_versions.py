"""F54: an upgrade machine by machine, with this version and the next one at work side by side.

The next version is this one with a migration more: a table, and a column that it fills.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

import databases
import passport_lti
import ports
from faults.processes import Running, brisk, of, regrade, running, shows, wait_for
from passport_lti.cli.demo import CONFIG
from passport_lti.cli.main import series
from worlds import World

HERE = Path(passport_lti.__file__).parent
LAST = max(path.stem[:4] for path in (HERE / "migrations" / "versions").glob("[0-9]*.py"))
NEXT = f"{int(LAST) + 1:04}"
MIGRATION = f'''"""adds a table and a column

Revision ID: {NEXT}
Revises: {LAST}
"""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{LAST}"


def upgrade() -> None:
    op.create_table("novelty", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("cell") as batch:
        batch.add_column(sa.Column("made_by", sa.String(8), nullable=False, server_default="old"))
'''
BEFORE = "    line_item: Mapped[LineItem] = relationship()\n    member:"
COLUMN = (
    '    made_by: Mapped[str] = mapped_column(String(8), default="new", server_default="old")\n\n'
)
MAKERS = text("SELECT made_by, count(*) FROM cell GROUP BY made_by")


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """The folder of the next version."""
    source = tmp_path / "next"
    package = source / "passport_lti"
    shutil.copytree(HERE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "migrations" / "versions" / f"{NEXT}_next.py").write_text(MIGRATION)
    model = package / "models" / "gradebook.py"
    was = model.read_text()
    assert was.count(BEFORE) == 1
    model.write_text(was.replace(BEFORE, COLUMN + BEFORE))
    return source


def command(world: World, source: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), *arguments],
        env={**os.environ, **world.environ, **of(source)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def makers(world: World) -> dict[str, int]:
    with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
        return {row[0]: row[1] for row in connection.execute(MAKERS)}


def sent_once(world: World) -> bool:
    sent = Counter((s.line_item_id, s.user_id, s.given) for s in world.campus.ledger.scores)
    return set(sent.values()) == {1}


def test_f54_machines_are_upgraded_one_by_one_while_grades_flow(shared, following):
    shared.campus.latency = 0.1
    with ExitStack() as stack:

        def start(name: str, source: Path | None = None) -> Running:
            process = running(shared, name, config=brisk(shared), source=source)
            return stack.enter_context(process)

        scheduler, worker = start("scheduler"), start("worker")
        assert wait_for(lambda: shared.campus.ledger.scores), scheduler.said
        shared.campus.latency = 6.0
        too_early = command(shared, following, "worker")
        upgrade = command(shared, following, "db", "upgrade")
        in_the_middle = len(shared.campus.ledger.scores)
        shared.campus.latency = 0.02
        assert wait_for(lambda: shows(shared, 50)), scheduler.said + worker.said
        regrade(shared, 60)
        assert wait_for(lambda: shows(shared, 60)), scheduler.said + worker.said
        old = makers(shared)
        scheduler.end()
        newer = [start(name, following) for name in ("scheduler", "worker")]
        shared.coursera.add_item(shared.school.courses["columns"], "Bonus", weight=10)
        for learner in shared.school.learners:
            shared.grade(learner, "columns", "Bonus", 33)
        regrade(shared, 70)
        people = shared.school.learners
        filled_by_both = wait_for(
            lambda: shows(shared, 70) and all(shared.book["Bonus", one] == 33 for one in people)
        )
        both = makers(shared)
        worker.end()
        again = start("worker")
        assert wait_for(lambda: "at work" in again.said), again.said
        newer[1].end()
        regrade(shared, 80)
        followed = wait_for(lambda: shows(shared, 80))

    assert too_early.returncode == 1 and too_early.stderr == (
        "Error: The database lacks this version's tables. Run: passport-lti db upgrade\n"
    )
    assert upgrade.returncode == 0, upgrade.stderr
    assert 0 < in_the_middle < 20, "the upgrade came too late to meet a delivery"
    assert filled_by_both and followed, newer[0].said + again.said
    assert old == {"old": 20} and both == {"old": 20, "new": 5}
    assert "the database is newer" in again.said
    assert shared.book.columns[1:] == ["Averages", "Chance", "Case study", "Bonus"]
    assert sent_once(shared)


def test_f54_on_one_machine_the_version_before_still_starts(file, following):
    """A server of the new version has migrated the file; the old one is put back."""
    port = ports.free()
    serve = ("serve", "--port", str(port), "--workers", "1")
    with running(file, *serve, config=brisk(file), source=following) as process:
        first = wait_for(lambda: shows(file, 50))
        said = process.said
    regrade(file, 60)
    with running(file, *serve, config=brisk(file)) as process:
        second = wait_for(lambda: shows(file, 60))
        ready = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code
        said += process.said

    assert first and second and ready == 200, said
    assert makers(file) == {"new": 20} and sent_once(file)


def test_f54_nobody_works_on_a_database_of_a_later_series(file):
    later = f"{int(series(LAST)) + 1}001"
    with databases.connected(file.environ["DEMO_DATABASE"]) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": later})
    answers = [command(file, None, *what) for what in (("sync",), ("worker",), ("status",))]

    assert {(answer.returncode, answer.stderr) for answer in answers} == {
        (
            1,
            f"Error: The database belongs to a newer version of Passport LTI ({later}). "
            "Install that version, or go back to a copy of the database.\n",
        )
    }
    assert file.campus.ledger.scores == []
