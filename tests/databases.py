"""The databases that tests run on: SQLite files, or a private PostgreSQL that ends with the run.

`pytest --database postgresql` runs everything on PostgreSQL; tests that are about several
processes on one PostgreSQL ask for it themselves. The server listens on a socket in a temporary
folder and on a free port of loopback, runs as an ordinary account, and is stopped at the end.
"""

import atexit
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import Connection, NullPool, create_engine, inspect, text

import debian
import passport_lti
import ports
from passport_lti.cli.main import migrate_schema
from passport_lti.extensions import db, migrate

KINDS = ("sqlite", "postgresql")
ACCOUNT = "postgres"
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"

kind = "sqlite"
"""What `--database` says."""
_numbers = count(1)


@contextmanager
def empty(folder: Path) -> Iterator[str]:
    """The address of a database of its own without tables, of the kind of this run."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/passport.db"
        return
    with postgresql() as url:
        yield url


@contextmanager
def of_a_world(wanted: str = "") -> Iterator[str | None]:
    """The address of a database for a world; None for a SQLite file in a folder of its own."""
    if (wanted or kind) == "sqlite":
        yield None
        return
    with postgresql(_migrated()) as url:
        yield url


@contextmanager
def postgresql(template: str = "template1") -> Iterator[str]:
    """The address of a PostgreSQL database; skips with a reason where there is no server."""
    server, name = _server(), f"passport_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.url(name)
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _migrated() -> str:
    """A database with today's schema, made by the migrations once in a run."""
    name = "passport_template"
    _server().execute(f"CREATE DATABASE {name}")
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = _server().url(name)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(passport_lti.__file__).parent / "migrations"))
    with app.app_context():
        migrate_schema(app)
        db.engine.dispose()
    return name


@contextmanager
def left_by(app: Flask) -> Iterator[Flask]:
    """An application whose connections are closed at the end, once nobody asks it any more."""
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection beside the application's own; what it writes is committed at the end."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def saved(url: str, folder: Path) -> Callable[[], None]:
    """Keep a copy of a database; what is returned restores it. Nobody may be connected."""
    if url.startswith("sqlite"):
        here, there = url.removeprefix("sqlite:///"), str(folder / f"saved_{next(_numbers)}.db")
        _copy_file(here, there)
        return lambda: _copy_file(there, here)
    name = url.rpartition("/")[2]
    kept = f"{name}_saved_{next(_numbers)}"
    _server().execute(f"CREATE DATABASE {kept} TEMPLATE {name}")

    def restore() -> None:
        _server().execute(f"DROP DATABASE {name} WITH (FORCE)")
        _server().execute(f"CREATE DATABASE {name} TEMPLATE {kept}")

    return restore


def _copy_file(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def forbid(connection: Connection, table: str, column: str, key: str, value: str) -> None:
    """Refuse to fill a column, empty until now, of the rows with this key: IntegrityError."""
    if connection.dialect.name == "sqlite":
        statement = (
            f"CREATE TRIGGER forbidden BEFORE UPDATE OF {column} ON {table} "
            f"WHEN NEW.{key} = '{value}' BEGIN SELECT RAISE(ABORT, 'forbidden'); END"
        )
    else:
        statement = (
            f"ALTER TABLE {table} ADD CONSTRAINT forbidden "
            f"CHECK ({key} <> '{value}' OR {column} IS NULL)"
        )
    connection.execute(text(statement))


def content(url: str) -> dict[str, list[str]]:
    """The rows of every table as text, by table."""
    with connected(url) as connection:
        return {
            name: sorted(
                repr(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{name}"'))
            )
            for name in inspect(connection).get_table_names()
        }


class Server:
    """One private cluster."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="passport-lti-postgresql-"))
        root = os.geteuid() == 0
        self.user = ACCOUNT if root else pwd.getpwuid(os.geteuid()).pw_name
        self._as = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups"]
        if not root:
            self._as = []
        else:
            shutil.chown(self._folder, ACCOUNT)
        self.port = ports.free()
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", self.user, "--auth=trust", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} {FAST}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(data), "-l", log, "-o", options, "-w", "start")
        atexit.register(self.stop)
        self._lock = threading.Lock()
        self._connection = psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, dbname="postgres", autocommit=True
        )

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        with self._lock:
            self._connection.execute(statement.encode())

    def stop(self) -> None:
        self._connection.close()
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._programs / program), *arguments],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


@cache
def _server() -> Server:
    return Server(debian.need("postgresql", "/usr/lib/postgresql/*/bin/initdb").parent)
