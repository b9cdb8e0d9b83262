"""A fleet of Celery workers on any number of machines, and the messages that they get.

A message names a kind of work and an id, nothing else: what is to be done stands in the database.
One that is lost costs a tick of the clock, and one that comes twice finds nothing left.
"""

import logging
import secrets
import socket
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, signals
from celery.platforms import SecurityWarning
from kombu import Connection, Queue
from kombu.exceptions import KombuError

from passport_lti.errors import PassportError
from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.sync import work
from passport_lti.sync.seats import work as seats
from passport_lti.sync.services import Services
from passport_lti.sync.work import AppContext

log = logging.getLogger(__name__)

TURN = 10.0
"""Seconds that a worker delivers to one platform while others may wait for it."""
QUEUES = {what: f"passport-lti.{what}" for what in ("poll", "deliver", "provide", "catalogue")}
"""A queue for each kind of work, so that long polls don't keep scores waiting."""


class Away(PassportError):
    """The broker did not take a message."""


class Fleet:
    """Sends the work to the workers; does it itself while the broker is away."""

    def __init__(self, services: Services, app_context: AppContext) -> None:
        self._services, self._app_context = services, app_context
        self._celery = celery_app(services, app_context)
        self._is_away = False

    def poll(self) -> None:
        names = work.connections_due(self._services)
        if not self._is_sent("poll", names):
            for name in names:
                work.poll_connection(self._services, self._app_context, name)

    def deliver(self) -> bool:
        if self._is_sent("deliver", work.platforms_due(self._services)):
            return False
        return work.deliver_all(self._services, self._app_context, patience=TURN)

    def provide(self) -> None:
        names = seats.connections_due(self._services)
        if not self._is_sent("provide", names):
            seats.drain(self._services)

    def read_catalogues(self) -> None:
        names = list(self._services.config.coursera)
        if not self._is_sent("catalogue", names):
            for name in names:
                work.read_catalogue(self._services, name)

    def work(self, threads: int) -> None:
        """Be one of the workers until the process is to end."""
        run_worker(self._celery, self._services, threads=threads)

    def _is_sent(self, what: str, ids: Sequence[str | int]) -> bool:
        try:
            send(self._celery, what, ids)
        except Away as error:
            if not self._is_away:
                log.error("%s Until it is back, this process does the work itself.", error)
            self._is_away = True
            return False
        if self._is_away:
            log.warning("The broker is back: the workers go on.")
        self._is_away = False
        return True


def send(celery: Celery, what: str, ids: Sequence[str | int]) -> None:
    """One message for each id, unless the queue still holds some: it would only grow.

    Raises Away where the broker does not take them.
    """
    if not ids:
        return
    try:
        with celery.connection_for_write() as connection:
            if _waiting(connection, what):
                return
            for one in ids:
                celery.send_task(QUEUES[what], (one,), queue=QUEUES[what], connection=connection)
    except _broker_errors(celery) as error:
        where = celery.connection_for_write().as_uri()
        raise Away(f"The broker {where} does not answer ({reason(error)}).") from None


def celery_app(services: Services, app_context: AppContext) -> Celery:
    """The Celery application with our kinds of work. Raises PassportError for a useless address."""
    celery = Celery("passport_lti", set_as_current=False)
    celery.conf.update(
        broker_url=services.config.sync.broker_url,
        broker_connection_timeout=4,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_connect_timeout": 4,
            "socket_timeout": 10,
            "visibility_timeout": 600,
        },
        task_queues=[Queue(name) for name in QUEUES.values()],
        task_default_queue=QUEUES["deliver"],
        task_publish_retry=False,
        task_ignore_result=True,
        # What a worker has not begun stays with the broker, for whoever is free first.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        accept_content=["json"],
        task_serializer="json",
    )
    _check(celery)

    def poll(connection: str) -> None:
        work.poll_connection(services, app_context, connection)
        deliver_on(work.platforms_due(services))

    def deliver(platform_id: int) -> None:
        is_left = work.deliver_to(services, app_context, platform_id, patience=TURN)
        if is_left and not services.ending.is_set():
            deliver_on([platform_id])

    def provide(connection: str) -> None:
        seats.drain(services, connection)

    def catalogue(connection: str) -> None:
        work.read_catalogue(services, connection)

    def deliver_on(ids: Sequence[int]) -> None:
        try:
            send(celery, "deliver", ids)
        except Away as error:
            log.warning("%s The clock will send it again.", error)

    pieces: dict[str, Callable[[Any], None]] = {
        "poll": poll, "deliver": deliver, "provide": provide, "catalogue": catalogue,
    }  # fmt: skip
    for what, piece in pieces.items():
        celery.task(_guarded(app_context, piece), name=QUEUES[what], shared=False)
    return celery


def run_worker(celery: Celery, services: Services, *, threads: int) -> None:
    """Do what the messages say, so many pieces at the same time, until the process is to end."""

    def end(**_: Any) -> None:
        services.ending.set()

    def keep_our_logging(**_: Any) -> None:
        """Having a receiver keeps Celery from setting up its own."""

    # Its reason is messages that carry code; ours are JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    signals.worker_shutting_down.connect(end)
    signals.setup_logging.connect(keep_our_logging)
    for name in ("celery.worker.consumer", "celery.worker.consumer.consumer"):
        logging.getLogger(name).addFilter(_without_traceback)
    worker = celery.Worker(
        hostname=f"passport-lti-{secrets.token_hex(4)}@{socket.gethostname()}",
        pool="threads",
        concurrency=threads,
        loglevel=logging.WARNING,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()


def _guarded(app_context: AppContext, piece: Callable[[Any], None]) -> Callable[[Any], None]:
    """The piece in an application context; what it can't do now, the clock asks for again."""

    def run(one: str | int) -> None:
        with app_context():
            try:
                piece(one)
            except UNANSWERED as error:
                log.error("%s: the database did not answer: %s", piece.__name__, reason(error))
            except Exception:
                log.exception("work failed: %s %s", piece.__name__, one)
            finally:
                db.session.remove()

    return run


def _waiting(connection: Connection, what: str) -> int:
    """How many messages of a kind nobody has begun."""
    channel = connection.default_channel
    return int(Queue(QUEUES[what])(channel).queue_declare().message_count)


def _broker_errors(celery: Celery) -> tuple[type[Exception], ...]:
    connection = celery.connection_for_write()
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)


def _check(celery: Celery) -> None:
    try:
        assert celery.connection_for_write().transport is not None
    except (ImportError, KeyError, ValueError) as error:
        raise PassportError(
            f"sync.broker_url can't be used ({error}). Expected redis://host:6379/1 or "
            "amqp://user:password@host/, and: pip install 'passport-lti[cluster]'"
        ) from None


def _without_traceback(record: logging.LogRecord) -> bool:
    """A broker that is away is one line, as for everything else that may be away."""
    record.exc_info = None
    return True
