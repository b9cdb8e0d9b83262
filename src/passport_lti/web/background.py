"""Work that a page starts but must not hang on."""

import logging
import threading

from flask import Flask, current_app

from passport_lti.errors import PassportError
from passport_lti.sync import engine
from passport_lti.web.pages import services

logger = logging.getLogger(__name__)

PATIENCE = 20
"""Seconds that a page waits for a sync before it says that it goes on by itself."""

_running: dict[int, threading.Thread] = {}
_again: set[int] = set()
"""Activities whose sync must run once more: something was changed while it ran."""
_lock = threading.Lock()


def sync(activity_id: int) -> str:
    """Sync one activity now, once however often it is asked; returns `synced` or `running`."""
    with _lock:
        thread = _alive(activity_id) or _start(activity_id)
    thread.join(PATIENCE)
    return "running" if thread.is_alive() else "synced"


def follow(activity_id: int) -> None:
    """Sync one activity after a change, without waiting; once more if one is running already."""
    with _lock:
        if _alive(activity_id):
            _again.add(activity_id)
        else:
            _start(activity_id)


def _alive(activity_id: int) -> threading.Thread | None:
    thread = _running.get(activity_id)
    return thread if thread is not None and thread.is_alive() else None


def _start(activity_id: int) -> threading.Thread:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(
        target=_run, args=(app, activity_id), name=f"sync-{activity_id}", daemon=True
    )
    _running[activity_id] = thread
    thread.start()
    return thread


def _run(app: Flask, activity_id: int) -> None:
    while True:
        _sync(app, activity_id)
        with _lock:
            if activity_id not in _again:
                del _running[activity_id]
                return
            _again.remove(activity_id)


def _sync(app: Flask, activity_id: int) -> None:
    with app.app_context():
        try:
            engine.run(services(), app.app_context, activity=activity_id, trigger="person")
        except PassportError as error:
            logger.warning("sync of activity=%s failed: %s", activity_id, error)
        except Exception:
            # A thread has nobody to raise to; the page shows the state that was reached.
            logger.exception("sync of activity=%s broke", activity_id)
