"""A dry run: the real poll on a copy of the tables, which is then thrown away."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from passport_lti.extensions import db
from passport_lti.sync.services import Services


@contextmanager
def rehearsal(services: Services) -> Iterator[Services]:
    """Everything stored inside the block is forgotten after it, and nothing may be sent.

    On SQLite the tables are copied to memory, so nobody waits for a lock; on PostgreSQL one
    transaction is rolled back, with savepoints in the place of commits.
    """
    engine = db.engine
    db.session.remove()
    services.rehearsal = True
    try:
        if engine.dialect.name == "sqlite":
            with _copied(engine):
                yield services
        else:
            with engine.connect() as connection:
                outer = connection.begin()
                _use(connection)
                try:
                    yield services
                finally:
                    db.session.remove()
                    outer.rollback()
    finally:
        db.session.remove()
        _use(engine)
        services.rehearsal = False


@contextmanager
def _copied(engine: Engine) -> Iterator[None]:
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    source = engine.raw_connection()
    try:
        source.driver_connection.backup(memory)  # type: ignore[union-attr]
    finally:
        source.close()
    copy = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    _use(copy)
    try:
        yield
    finally:
        db.session.remove()
        copy.dispose()
        memory.close()


def _use(bind: Any) -> None:
    """Point Flask-SQLAlchemy's default bind elsewhere, for this thread's app only."""
    engines: dict[str | None, Any] = db.engines  # type: ignore[assignment]
    engines[None] = bind
