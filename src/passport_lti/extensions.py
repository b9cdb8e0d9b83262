"""The Flask extensions, made once and connected to an app in `create_app`."""

import logging
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_caching import Cache
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, Select, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.orm import DeclarativeBase, Session

log = logging.getLogger(__name__)


class Base(DeclarativeBase):
    """All tables; constraints are named, so that migrations can change them everywhere."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SpareCache(Cache):
    """A cache that a page can do without: while its server is away, it has forgotten everything."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get(*args, **kwargs)
        except Exception as error:  # every kind of cache has errors of its own
            log.warning("the cache could not be read: %s", reason(error))
            return None

    def set(self, *args: Any, **kwargs: Any) -> bool | None:
        try:
            return super().set(*args, **kwargs)
        except Exception as error:
            log.warning("the cache could not be written: %s", reason(error))
            return False


db = SQLAlchemy(model_class=Base, session_options={"join_transaction_mode": "create_savepoint"})
migrate = Migrate()
cache = SpareCache()
bootstrap = Bootstrap5()
babel = Babel()


UNANSWERED = (OperationalError, InternalError, InterfaceError, PendingRollbackError)
"""What is raised where the database is away, full or locked, or chose us to fail: try again."""


def reason(error: Exception) -> str:
    """What a driver says in one line, without the statement."""
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]


STREAMED = 2_000
"""Rows of a long answer that are in memory at a time."""


def streamed(query: Select[*tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows of a long answer, which is asked for when the first is wanted; read to the end."""
    rows = db.session.connection().execute(query.execution_options(yield_per=STREAMED))
    yield from map(tuple, rows)


def database() -> str:
    """Which database this is, for what a process remembers of it."""
    return _address(db.engine.engine)


@lru_cache(maxsize=8)
def _address(engine: Engine) -> str:
    return str(engine.url)


def apart() -> Session:
    """A session beside the request's own, for what must be stored whatever becomes of that."""
    return Session(db.engine, join_transaction_mode="create_savepoint", expire_on_commit=False)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Readers beside a writer, patience with locks, foreign keys that hold, deleted means gone."""
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()
