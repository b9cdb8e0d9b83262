"""F44, F45, F48 and F51: processes that keep running, and the places that they store things in.

Real processes over HTTP: the database drops its connections, the disk is full, the file of the
configuration is broken in every way, and the machine shuts down in the middle of a delivery.
"""

import itertools
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import databases
import ports
from faults.processes import PACE, SLOW, brisk, filled, regrade, running, shows, wait_for
from passport_lti.cli.demo import CONFIG
from passport_lti.config import PlatformSettings
from passport_lti.extensions import db
from passport_lti.sync.services import utc_now
from worlds import World, opened

CLAIMED = "SELECT count(*) FROM cell WHERE claimed_by IS NOT NULL"
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
DROP = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def plain() -> Iterator[World]:
    with opened() as world:
        filled(world)
        yield world


def doubled(world: World) -> list[object]:
    """Values that were sent to the same cell more than once."""
    sent = Counter((s.line_item_id, s.user_id, s.given) for s in world.campus.ledger.scores)
    return [what for what, times in sent.items() if times > 1]


def asked(world: World, statement: str) -> object:
    with world.app.app_context():
        try:
            return db.session.scalar(text(statement))
        finally:
            db.session.remove()


# F44: the database drops its connections, or lets one process fail for another


@contextmanager
def dropped_connections(world: World, pause: float) -> Iterator[list[int]]:
    """All connections of everybody are cut again and again; how many each time."""
    cut: list[int] = []
    done = threading.Event()

    def drop() -> None:
        while not done.wait(pause):
            with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
                cut.append(len(connection.execute(DROP).all()))

    thread = threading.Thread(target=drop)
    thread.start()
    try:
        yield cut
    finally:
        done.set()
        thread.join()


def test_f44_a_scheduler_and_a_worker_outlive_their_connections(shared):
    shared.campus.latency = 0.2
    with ExitStack() as stack:
        both = [
            stack.enter_context(running(shared, name, config=brisk(shared)))
            for name in ("scheduler", "worker")
        ]
        assert wait_for(lambda: len(shared.campus.ledger.requests) > 20)
        with dropped_connections(shared, 0.7) as cut:
            wait_for(lambda: sum(map(bool, cut)) >= 12)
        arrived = wait_for(lambda: shows(shared, 50))
        regrade(shared, 70)
        followed = wait_for(lambda: shows(shared, 70))

    assert arrived and followed, "".join(process.said for process in both)
    assert shared.book.columns[1:] == ["Averages", "Chance", "Case study"]
    assert doubled(shared) == []
    lines = [line for process in both for line in process.lines[1:]]
    calm = ("did not answer", "not be renewed", "poll of course", "is not planned")
    assert all(any(part in line for part in calm) for line in lines), "".join(lines)


@pytest.mark.parametrize("score", [1, 9], ids=lambda number: f"after_{number}_scores")
def test_f44_a_sync_that_loses_its_database_says_so_and_the_next_one_finishes(shared, score):
    shared.campus.latency = 0.1
    answers = []
    sync = threading.Thread(target=lambda: answers.append(shared.command("sync")))
    sync.start()
    assert wait_for(lambda: len(shared.campus.ledger.scores) >= score)
    with dropped_connections(shared, 0.05) as cut:
        sync.join()
    [answer] = answers
    shared.services.clock = lambda: utc_now() + timedelta(minutes=2)
    outcome = shared.sync()

    assert sum(cut) and "Traceback" not in answer.stderr, answer.stderr
    # Connections that nobody used just then are replaced without anybody noticing.
    last = answer.stderr.splitlines()[-1:]
    assert answer.returncode == 0 or last[0].startswith("Error: The database can't be used ("), last
    assert outcome.ok and shows(shared, 50), outcome.problems
    assert doubled(shared) == []


def test_f44_serialisation_failures_are_repeated_as_a_whole(shared):
    """An administrator's default that lets concurrent transactions fail rather than wait."""
    url = shared.environ["DEMO_DATABASE"]
    with databases.connected(url) as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(
            text(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        )
    with ExitStack() as stack:
        names = ("scheduler", "worker", "worker")
        all_ = [stack.enter_context(running(shared, name, config=brisk(shared))) for name in names]
        arrived = wait_for(lambda: shows(shared, 50))
        regrade(shared, 70)
        followed = wait_for(lambda: shows(shared, 70))

    said = "".join(process.said for process in all_)
    assert arrived and followed, said
    assert shared.book.columns[1:] == ["Averages", "Chance", "Case study"]
    assert doubled(shared) == []


def test_f44_a_score_whose_record_fails_is_looked_at_before_it_is_sent_again(file):
    """The other connections of the round read the column before that score was sent."""
    file.sync(send=False)
    file.campus.latency = 0.1
    refuse = """CREATE TRIGGER refuse BEFORE UPDATE OF state ON cell
        WHEN NEW.state = 'delivered' AND NEW.id = (SELECT min(id) FROM cell)
        BEGIN SELECT RAISE(ABORT, 'refused'); END"""
    with databases.connected(file.environ["DEMO_DATABASE"]) as connection:
        connection.execute(text(refuse))
    with pytest.raises(SQLAlchemyError, match="refused"):
        file.sync()
    sent = len(file.campus.ledger.scores)
    with databases.connected(file.environ["DEMO_DATABASE"]) as connection:
        connection.execute(text("DROP TRIGGER refuse"))
    outcome = file.sync()

    assert sent and outcome.ok and shows(file, 50), outcome.problems
    assert doubled(file) == []


def is_waiting(url: str) -> bool:
    """Whether somebody waits for a lock now."""
    with databases.connected(url) as connection:
        return bool(connection.scalar(WAITING))


def test_f44_a_deadlock_ends_one_transaction_and_no_process(shared):
    """Another program locks two cells in the other order; the tool is always the one to fail."""
    shared.sync()
    url = shared.environ["DEMO_DATABASE"]
    regrade(shared, 70)
    scheduler = running(shared, "scheduler", config=brisk(shared))
    with scheduler as process, databases.connected(url) as other:
        other.execute(text("SET deadlock_timeout = '60s'"))
        cells = list(other.scalars(text("SELECT id FROM cell ORDER BY id")))
        lock = text("SELECT id FROM cell WHERE id = :id FOR UPDATE")
        for cell in reversed(cells[1:]):
            other.execute(lock, {"id": cell})
        assert wait_for(lambda: is_waiting(url)), process.said
        other.execute(lock, {"id": cells[0]})
        other.commit()
        followed = wait_for(lambda: shows(shared, 70))

    assert followed, process.said
    assert doubled(shared) == []


# F45: the disk is full, the file is locked


def full(world: World, limit: int) -> subprocess.CompletedProcess[str]:
    """A sync that can write no file beyond a size, as on a full disk."""
    return subprocess.run(
        [sys.executable, "-m", "passport_lti", "--config", str(CONFIG), "sync"],
        env={**os.environ, **world.environ}, capture_output=True, text=True, timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip


@pytest.mark.parametrize("room", [0, 90_000])
def test_f45_a_sync_on_a_full_disk_says_so_and_the_next_one_finishes(file, room):
    wal = Path(file.environ["DEMO_FOLDER"]) / "passport.db-wal"
    with closing(sqlite3.connect(wal.with_suffix(".db"))) as kept:
        kept.execute("SELECT count(*) FROM cell").fetchall()
        kept.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        answer = full(file, room)
        sent = len(file.campus.ledger.scores)
        file.services.clock = lambda: utc_now() + timedelta(minutes=2)
        outcome = file.sync()

    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("Error: The database can't be used ("), (
        answer.stderr
    )
    assert sent < 20
    assert outcome.ok and shows(file, 50), outcome.problems
    assert doubled(file) == []


def limit_files(pid: int, size: int) -> None:
    """Let a process and its children write no file beyond a size; -1 lifts that."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        resource.prlimit(each, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_f45_a_server_on_a_full_disk_is_not_ready_until_there_is_room(file):
    port = ports.free()

    def ready() -> int | None:
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code
        except requests.RequestException:
            return None

    serve = ("serve", "--port", str(port), "--workers", "2")
    with running(file, *serve, config=brisk(file)) as process:
        assert wait_for(lambda: ready() == 200)
        limit_files(process.process.pid, 0)
        red = wait_for(lambda: ready() == 503, 30)
        stays = [ready() for _ in range(5)]
        limit_files(process.process.pid, resource.RLIM_INFINITY)
        green = wait_for(lambda: ready() == 200, 30)
        arrived = wait_for(lambda: shows(file, 50))

    assert red and stays == [503] * 5, process.said
    assert green and arrived, process.said
    assert doubled(file) == []


def test_f45_a_database_that_stays_locked_ends_a_sync_and_one_that_does_not_is_waited_for(file):
    path = Path(file.environ["DEMO_FOLDER"]) / "passport.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        stays = file.command("sync")
        other.execute("ROLLBACK")
        nothing = len(file.campus.ledger.scores)
        other.execute("BEGIN IMMEDIATE")
        sync = threading.Thread(target=lambda: answers.append(file.command("sync")))
        answers: list[subprocess.CompletedProcess[str]] = []
        sync.start()
        time.sleep(5)
        other.execute("ROLLBACK")
        sync.join()

    assert stays.returncode == 1 and nothing == 0
    assert stays.stderr.splitlines() == [
        "Error: The database can't be used (database is locked). Check database.url."
    ]
    assert answers[0].returncode == 0, answers[0].stderr
    assert shows(file, 50) and doubled(file) == []


# F48: the file of the configuration is broken while processes follow it

BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}]\n"
    for before, name in itertools.pairwise("abcdefghijklmnop")
)
PLATFORMS = """
platforms:
  one: &all
    issuer: https://one.example
    client_id: abc
    auth_login_url: https://one.example/auth
    auth_token_url: https://one.example/token
    key_set_url: https://one.example/keys
    coursera: practice
"""


def test_f48_grades_flow_whatever_is_in_the_file(plain, tmp_path):
    path = tmp_path / "passport.yaml"
    good = CONFIG.read_text().replace(SLOW, PACE)
    good = good.replace("level: warning", "level: info")
    path.write_text(good)
    platforms = PLATFORMS.replace(" &all", "")
    one = platforms.split("platforms:\n")[1]
    count = good.count("\n")
    broken = {
        "half written": (good[: good.index("/cache")], f"{path}:6: file: "),
        "empty": ("", f"{path}:1: file: is empty"),
        "deleted": (None, f"{path}:1: file: No such file"),
        "the same platform twice": (
            good + platforms + one.replace("one:", "two:"),
            f"{path}:{count + 12}: platforms.two.client_id: has the issuer and client_id of one",
        ),
        "aliases": (good + BOMB, f"{path}:{count + 2}: file: aliases"),
    }
    with ExitStack() as stack:
        serve = ("serve", "--port", str(ports.free()), "--workers", "1")
        both = [
            stack.enter_context(running(plain, *arguments, config=path))
            for arguments in (serve, ("scheduler",))
        ]
        points = 50
        assert wait_for(lambda: shows(plain, 50)), both[0].said
        for what, (text_, line) in broken.items():
            points += 1
            regrade(plain, points)
            if text_ is None:
                path.unlink()
            else:
                path.write_text(text_)
            for process in both:
                refused = f"configuration refused: {line}"
                assert wait_for(lambda: refused in process.said, 15), (what, process.said)  # noqa: B023
            assert wait_for(lambda: shows(plain, points)), what  # noqa: B023
        path.write_text("\ufeff" + good)
        for process in both:
            assert wait_for(lambda: "configuration applied" in process.said, 15)  # noqa: B023
        regrade(plain, 90)
        followed = wait_for(lambda: shows(plain, 90))

    assert followed
    for process in both:
        refusals = [line for line in process.lines if "configuration refused" in line]
        assert len(refusals) == len(broken), "".join(refusals)
    assert asked(plain, "SELECT count(*) FROM platform") == 1
    assert doubled(plain) == []


# F51: asked to end in the middle of a delivery


@pytest.mark.parametrize("name", ["scheduler", "worker", "serve"])
def test_f51_a_process_that_is_asked_to_end_returns_what_it_had_claimed(plain, name):
    plain.sync(send=False)
    plain.campus.latency = 1.5
    more = ("--port", str(ports.free()), "--workers", "2") if name == "serve" else ()
    with running(plain, name, *more, config=brisk(plain)) as process:
        assert wait_for(lambda: plain.campus.ledger.scores), process.said
        before = asked(plain, CLAIMED)
        calls = len(plain.campus.ledger.requests)
        code = process.end()
        calls = len(plain.campus.ledger.requests) - calls
    sent = len(plain.campus.ledger.scores)
    after = asked(plain, CLAIMED)
    plain.campus.latency = 0.0
    outcome = plain.sync()

    assert before and after == 0
    # Each connection finishes its call of the moment; it may begin one before the signal arrives.
    assert code == 0 and calls <= 2 * PlatformSettings.model_fields["connections"].default
    assert sent < 20, "it went on as if nobody had asked"
    assert outcome.ok and shows(plain, 50)
    assert doubled(plain) == []
    assert len(plain.campus.ledger.scores) == 20
