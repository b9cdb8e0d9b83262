"""No transaction is open while a thread of the product waits for a network.

On SQLite an open write keeps all others from writing; on PostgreSQL every transaction that idles
holds its snapshot and its locks, and is ended by the server after 20 seconds.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from passport_lti.http import Session


class _Begun(threading.local):
    """The connections on which this thread has begun a transaction."""

    def __init__(self) -> None:
        self.connections: WeakSet[Connection] = WeakSet()


@contextmanager
def watched() -> Iterator[list[str]]:
    """What was asked of the network inside the block while a transaction was open."""
    begun, offences = _Begun(), []
    send, call = Session.send, Session.call

    def note_begin(connection: Connection) -> None:
        begun.connections.add(connection)
        connection.info.pop("statements", None)

    def note_statement(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        connection.info.setdefault("statements", []).append(" ".join(statement.split())[:70])

    def note_request(method: str, url: str) -> None:
        for connection in list(begun.connections):
            if not connection.closed and connection.in_transaction():
                *_, last = connection.info.get("statements") or ["nothing"]
                offences.append(f"{method} {urlsplit(url).path} in a transaction after: {last}")

    def sent(session: Session, request: Any, **options: Any) -> Any:
        note_request(request.method, request.url)
        return send(session, request, **options)

    def called(session: Session, method: str, url: str, *rest: Any) -> Any:
        note_request(method, url)
        return call(session, method, url, *rest)

    event.listen(Engine, "begin", note_begin)
    event.listen(Engine, "before_cursor_execute", note_statement)
    Session.send, Session.call = sent, called  # type: ignore[method-assign]
    try:
        yield offences
    finally:
        Session.send, Session.call = send, call  # type: ignore[method-assign]
        event.remove(Engine, "begin", note_begin)
        event.remove(Engine, "before_cursor_execute", note_statement)


@pytest.fixture(autouse=True)
def no_transaction_waits() -> Iterator[None]:
    """For the `conftest.py` of tests in which only the product uses the database."""
    with watched() as offences:
        yield
    assert not offences, "\n".join(dict.fromkeys(offences))
