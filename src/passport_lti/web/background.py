"""Work that a page starts but must not hang on."""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import timedelta

from flask import Flask, current_app

from passport_lti.errors import PassportError
from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.models import Activity, Lease
from passport_lti.sync import engine, leases
from passport_lti.sync.columns import doubles
from passport_lti.web.pages import services

logger = logging.getLogger(__name__)

PATIENCE = 20
"""Seconds that a page waits for a sync before it says that it goes on by itself."""

LONGEST = timedelta(minutes=10)
"""For so long a sync is said to run whose process says nothing more."""

Work = Callable[[Flask], None]

_running: dict[str, threading.Thread] = {}
_again: set[str] = set()
"""Names of work that must run once more: something was changed while it ran."""
_lock = threading.Lock()


def sync(activity_id: int) -> str:
    """Sync one activity now, once however often it is asked; returns `synced` or `running`."""
    return "running" if run(*_syncing(activity_id)) else "synced"


def start(activity_id: int) -> None:
    """Sync one activity now, without waiting, unless this process is at it already."""
    name, work = _syncing(activity_id)
    with _lock:
        if not _alive(name):
            _start(name, work)


def is_running(activity_id: int) -> bool:
    """Whether a person's sync of an activity runs, in this or any other process."""
    if _alive(_syncing(activity_id)[0]):
        return True
    lease = db.session.get(Lease, _lease(activity_id))
    return lease is not None and lease.until > services().clock()


def follow(activity_id: int) -> None:
    """Sync one activity after a change, without waiting; once more if one is running already."""
    name, work = _syncing(activity_id)
    with _lock:
        if _alive(name):
            _again.add(name)
        else:
            _start(name, work)


def merge(activity_id: int, resource_id: str) -> str:
    """Merge a doubled column, as above, and sync again; returns `merged` or `running`."""
    name = f"merge-{activity_id}"
    is_running = run(name, lambda app: _merge(app, activity_id, resource_id))
    return "running" if is_running else "merged"


def run(name: str, work: Work) -> bool:
    """Do a named piece of work, once however often it is asked; whether it goes on after a while.

    At the end of this process it is broken off.
    """
    with _lock:
        thread = _alive(name) or _start(name, work)
    thread.join(PATIENCE)
    return thread.is_alive()


def finish() -> None:
    """Wait until what runs has given back what it held, as it does when the process is to end."""
    for thread in list(_running.values()):
        thread.join(PATIENCE)


def _alive(name: str) -> threading.Thread | None:
    thread = _running.get(name)
    return thread if thread is not None and thread.is_alive() else None


def _start(name: str, work: Work) -> threading.Thread:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_run, args=(app, name, work), name=name, daemon=True)
    _running[name] = thread
    thread.start()
    return thread


def _run(app: Flask, name: str, work: Work) -> None:
    while True:
        _once(app, name, work)
        with _lock:
            if name not in _again:
                del _running[name]
                return
            _again.remove(name)


def _once(app: Flask, name: str, work: Work) -> None:
    with app.app_context():
        try:
            work(app)
        except PassportError as error:
            logger.warning("%s failed: %s", name, error)
        except UNANSWERED as error:
            logger.error("%s: the database did not answer: %s", name, reason(error))
        except Exception:
            # A thread has nobody to raise to; the page shows the state that was reached.
            logger.exception("%s broke", name)


def _syncing(activity_id: int) -> tuple[str, Work]:
    return f"sync-{activity_id}", lambda app: _sync(app, activity_id)


def _sync(app: Flask, activity_id: int) -> None:
    # The lease only tells other processes that it runs; two syncs at once do no harm.
    name, holder = _lease(activity_id), secrets.token_hex(8)
    leases.take(name, holder, services().clock(), LONGEST)
    try:
        engine.run(services(), app.app_context, activity=activity_id, trigger="person")
    finally:
        leases.give_back(name, holder)


def _lease(activity_id: int) -> str:
    return f"page-sync-{activity_id}"


def _merge(app: Flask, activity_id: int, resource_id: str) -> None:
    activity = db.session.get_one(Activity, activity_id)
    doubles.merge(services(), app.app_context, activity, resource_id)
    _sync(app, activity_id)
