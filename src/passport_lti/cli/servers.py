"""`serve`, `scheduler` and `worker`: the processes that keep running."""

import gc
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from passport_lti import create_app
from passport_lti.cli.main import cli, opened, prepare
from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.scheduler import Clock, ConfigWatch
from passport_lti.sync.dispatch import Here, dispatch
from passport_lti.web import background, metrics

log = logging.getLogger(__name__)


class _Server(BaseApplication):
    """Gunicorn with our app in each worker, and the clock awake in one of them."""

    def __init__(self, path: str | None, options: dict[str, Any]) -> None:
        self.path, self.options = path, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self.path)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.pass_obj
def serve(path: str | None, host: str, port: int, workers: int) -> None:
    """The production server on one machine, with exactly one scheduler in it.

    Example: passport-lti serve --host 0.0.0.0 --port 8000 --workers 4
    """
    clear_up = _count_together()
    with opened(path) as services:
        embedded = services.config.sync.engine == "embedded"
    running: list[Clock | ConfigWatch] = []

    def begin(worker: Any) -> None:
        app = worker.wsgi
        _end_with(app.extensions["passport_lti"].ending)
        running.append(ConfigWatch(app))
        if embedded:
            running.append(Clock(app))
        for each in running:
            each.start()
        _keep_what_is_loaded()

    def end(_arbiter: Any, _worker: Any) -> None:
        for each in running:
            each.stop()
        background.finish()

    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": 8,
        "timeout": 120,
        "graceful_timeout": 20,
        "keepalive": 15,
        "post_worker_init": begin,
        "worker_exit": end,
        "limit_request_line": 8190,  # hints of some platforms are tokens, and may come by GET
        "on_exit": clear_up,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    click.echo(f"Passport LTI listens on http://{host}:{port} (workers: {workers})", err=True)
    _Server(path, options).run()


def _keep_what_is_loaded() -> None:
    """Never search it for garbage again: that halts everybody for 0.1 s at times."""
    gc.collect()
    gc.freeze()


def _end_with(ending: threading.Event) -> None:
    """Have this set when gunicorn asks its worker to end, while requests are still answered."""
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: Any) -> None:
        ending.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, end)


def _count_together() -> Callable[[Any], None]:
    """Give the workers one folder for their counts; returns what removes it at the very end."""
    if metrics.SHARED in os.environ:
        return lambda _arbiter: None
    folder = tempfile.mkdtemp(prefix="passport-lti-metrics-")
    os.environ[metrics.SHARED] = folder
    return lambda _arbiter: shutil.rmtree(folder, ignore_errors=True)


@cli.command()
@click.pass_obj
def scheduler(path: str | None) -> None:
    """The clock of a deployment with several machines; any number may stand by.

    Example: passport-lti scheduler
    """
    app = create_app(path)
    with app.app_context():
        prepare(app)
    ending = app.extensions["passport_lti"].ending
    parts: list[Clock | ConfigWatch] = [ConfigWatch(app), Clock(app)]
    for part in parts:
        part.start()
    _keep_what_is_loaded()
    _end_on_signal(ending)
    click.echo("The scheduler runs; Ctrl-C ends it.", err=True)
    ending.wait()
    for part in parts:
        part.stop()


@cli.command()
@click.option(
    "--every",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Seconds between two looks (without Celery, which says when).",
)
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Organisations and platforms at the same time (with Celery).",
)
@click.pass_obj
def worker(path: str | None, every: float, threads: int) -> None:
    """Does the work of a deployment, beside others of its kind on any number of machines.

    With sync.engine: celery it does what the scheduler asks for through the broker, polls and
    deliveries; else it looks by itself for scores that wait.

    Example: passport-lti worker
    """
    app = create_app(path)
    with app.app_context():
        prepare(app)
    services = app.extensions["passport_lti"]
    workers = dispatch(services, app.app_context)
    watch = ConfigWatch(app)
    watch.start()
    _keep_what_is_loaded()
    click.echo("The worker is at work; Ctrl-C ends it.", err=True)
    if isinstance(workers, Here):
        _look_for_scores(app, workers, every)
    else:
        workers.work(threads)
    watch.stop()


def _look_for_scores(app: Flask, workers: Here, every: float) -> None:
    ending = app.extensions["passport_lti"].ending
    _end_on_signal(ending)
    while not ending.wait(every):
        with app.app_context():
            try:
                workers.deliver()
            except UNANSWERED as error:
                log.error("deliver: the database did not answer: %s", reason(error))
            finally:
                db.session.remove()


def _end_on_signal(ending: threading.Event) -> None:
    """Have this set when the process is asked to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
