"""A process that dies inside this one: from then on it writes nothing, and gives nothing back."""

import functools
import importlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from sqlalchemy import event

from faults.weather import Weather
from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db


class Point(NamedTuple):
    """Right before or right after the so-many-th call of a function of the product."""

    module: str
    name: str
    calls: int
    moment: str


class Died(BaseException):
    """Nothing that the product catches."""


@contextmanager
def dying_at(world: Weather, point: Point) -> Iterator[threading.Event]:
    """The block ends at the point, if it gets there; a new process goes on after it.

    The database refuses the dead process every statement and every commit: what it had begun is
    rolled back, its leases and claims stay. Yields what is set once it is dead.
    """
    place, dead, numbers = (
        importlib.import_module(point.module),
        threading.Event(),
        itertools.count(1),
    )
    original = getattr(place, point.name)

    def die() -> None:
        dead.set()
        raise Died

    @functools.wraps(original)
    def mortal(*args: Any, **kwargs: Any) -> Any:
        last = next(numbers) == point.calls
        if last and point.moment == "before":
            die()
        answer = original(*args, **kwargs)
        if last:
            with answer if isinstance(answer, Sweep) else nullcontext():
                die()
        return answer

    def refuse(*_: Any) -> None:
        if dead.is_set():
            raise Died

    def bury(news: threading.ExceptHookArgs) -> None:
        if not dead.is_set():
            before(news)

    with world.app.app_context():
        engine = db.engine

    def note_out(connection: Any, *_: Any) -> None:
        out[id(connection)] = connection

    def note_in(connection: Any, *_: Any) -> None:
        # A pool takes back what a refused commit has left open; SQLite locks while a cursor lives.
        if out.pop(id(connection), None) is not None and dead.is_set():
            connection.rollback()

    out: dict[int, Any] = {}
    """What the process has begun in the database and not ended."""
    before, threading.excepthook = threading.excepthook, bury
    setattr(place, point.name, mortal)
    listeners = {
        "before_cursor_execute": refuse, "commit": refuse,
        "checkout": note_out, "checkin": note_in, "invalidate": note_in, "close": note_in,
    }  # fmt: skip
    for what, listener in listeners.items():
        event.listen(engine, what, listener)
    try:
        yield dead
    except BaseException:
        # What its remains stumble over is nobody's concern.
        if not dead.is_set():
            raise
    finally:
        if dead.is_set():
            for connection in list(out.values()):
                connection.rollback()
            world.restart()
        threading.excepthook = before
        setattr(place, point.name, original)
        for what, listener in listeners.items():
            event.remove(engine, what, listener)
