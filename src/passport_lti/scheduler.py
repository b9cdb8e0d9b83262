"""The clock: APScheduler in every process that may run it, awake in one at a time.

A lease in the database says which one; where its holder dies, another takes over in half a minute.
The clock says when something is to be done; `sync.dispatch` knows who does it.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable
from datetime import timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from passport_lti import leases, logs
from passport_lti.config import Change
from passport_lti.config.settings import Sync
from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.lti.platforms import apply_config
from passport_lti.sync import work
from passport_lti.sync.dispatch import dispatch
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)
# It would warn every few seconds that a long poll still runs, as if that were a fault.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

LEASE = timedelta(seconds=20)
NAME = "scheduler"
TICK = 2.0
"""Seconds between two looks whether a job is due, so that an edited pace holds at once."""
LONGEST_PACE = timedelta(seconds=20)
"""How often it is looked for courses to poll; each is polled by its own pace."""


class Clock:
    """Runs the regular work of an app while this process holds the scheduler's lease."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.services: Services = app.extensions["passport_lti"]
        self.holder = secrets.token_hex(8)
        self._dispatch = dispatch(self.services, app.app_context)
        self._scheduler = BackgroundScheduler(
            timezone="UTC", executors={"default": ThreadPoolExecutor(4)}
        )

    def start(self) -> None:
        """Begin; returns at once. The first poll comes within seconds."""
        now = self.services.clock()
        for job, pace, delay in (
            (self._poll, lambda: min(self._sync.poll_every, LONGEST_PACE), 3.0),
            (self._deliver, lambda: self._sync.deliver_every, 5.0),
            (self._read_catalogues, lambda: timedelta(minutes=30), 1.0),
            (self._provide, lambda: timedelta(seconds=5), 4.0),
            (self._tidy, lambda: timedelta(hours=1), 60.0),
            (self._renew, lambda: timedelta(seconds=5), 0.0),
        ):
            self._scheduler.add_job(
                self._awake(job, pace),
                "interval",
                seconds=TICK,
                next_run_time=now + timedelta(seconds=delay),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=60,
                id=job.__name__,
            )
        self._scheduler.start()

    @property
    def _sync(self) -> Sync:
        return self.services.config.sync

    def stop(self) -> None:
        """Finish the call of the moment, then let another process take over."""
        self.services.ending.set()
        self._scheduler.shutdown(wait=True)
        with self.app.app_context():
            try:
                leases.give_back(NAME, self.holder)
            except UNANSWERED as error:
                log.warning("the scheduler's lease has to run out: %s", reason(error))

    def _awake(self, job: Callable[[], None], pace: Callable[[], timedelta]) -> Callable[[], None]:
        """The job, run at its pace of the moment by the holder of the lease, failures logged."""
        last = -math.inf

        def run() -> None:
            nonlocal last
            if time.monotonic() - last < pace().total_seconds():
                return
            with self.app.app_context():
                try:
                    if leases.take(NAME, self.holder, self.services.clock(), LEASE):
                        last = time.monotonic()
                        job()
                except UNANSWERED as error:
                    log.error("%s: the database did not answer: %s", job.__name__, reason(error))
                except Exception:
                    # The clock must go on; the next run begins from what is stored.
                    log.exception("scheduled work failed: %s", job.__name__)
                finally:
                    db.session.remove()

        run.__name__ = job.__name__
        return run

    def _renew(self) -> None:
        """Nothing but keeping the lease, which `_awake` has just done."""

    def _poll(self) -> None:
        self._dispatch.poll()

    def _deliver(self) -> None:
        """Until nothing is due, looking for news of other platforms once a minute."""
        more = True
        while more and leases.take(NAME, self.holder, self.services.clock(), LEASE):
            more = self._dispatch.deliver() and not self.services.ending.is_set()

    def _provide(self) -> None:
        self._dispatch.provide()

    def _read_catalogues(self) -> None:
        self._dispatch.read_catalogues()

    def _tidy(self) -> None:
        work.tidy(self.services)


class ConfigWatch:
    """Follows the configuration file in a process: the last good one stays in force."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.services: Services = app.extensions["passport_lti"]
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._is_waiting = False
        """Whether an edit is in force whose platforms the database does not know yet."""

    def start(self) -> None:
        self._scheduler.add_job(self.look, "interval", seconds=5, max_instances=1, coalesce=True)
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)

    def look(self) -> None:
        """Apply an edit; a broken one is logged once, line by line, and changes nothing."""
        change = self.services.config_file.reload()
        if change is not None:
            self._say(change)
        if self._is_waiting:
            with self.app.app_context():
                try:
                    apply_config(self.services.config, self.services.clock())
                    self._is_waiting = False
                    log.info("configuration applied")
                except UNANSWERED as error:
                    log.error("configuration: the database did not answer: %s", reason(error))
                finally:
                    db.session.remove()

    def _say(self, change: Change) -> None:
        for problem in change.problems:
            log.error("configuration refused: %s", problem)
        if change.needs_restart:
            log.warning("configuration: restart to apply %s", ", ".join(change.needs_restart))
        if change.applied:
            logs.set_up(self.services.config.log)
            self._is_waiting = True
