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
_lock = threading.Lock()


def sync(activity_id: int) -> str:
    """Sync one activity now, once however often it is asked; returns `synced` or `running`."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with _lock:
        thread = _running.get(activity_id)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(
                target=_run, args=(app, activity_id), name=f"sync-{activity_id}", daemon=True
            )
            _running[activity_id] = thread
            thread.start()
    thread.join(PATIENCE)
    return "running" if thread.is_alive() else "synced"


def _run(app: Flask, activity_id: int) -> None:
    with app.app_context():
        try:
            engine.run(services(), app.app_context, activity=activity_id, trigger="person")
        except PassportError as error:
            logger.warning("sync of activity=%s failed: %s", activity_id, error)
        except Exception:
            # A thread has nobody to raise to; the page shows the state that was reached.
            logger.exception("sync of activity=%s broke", activity_id)
