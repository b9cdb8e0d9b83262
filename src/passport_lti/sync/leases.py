"""Work that one process does at a time: a lease that is kept as long as the work takes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from flask import current_app

from passport_lti.errors import PassportError
from passport_lti.extensions import UNANSWERED, db, reason
from passport_lti.leases import give_back, take
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)


class Lost(PassportError):
    """A lease ran out while this process slept: somebody else may be at the same work by now."""


class Hold:
    """A lease in the hands of this process, as far as its own clock can tell."""

    def __init__(self, services: Services, name: str, holder: str, length: timedelta) -> None:
        self._services = services
        self._name, self._holder, self._length = name, holder, length
        self._until: datetime | None = None

    def take(self) -> bool:
        """Take the lease or renew it; one that ran out meanwhile is never renewed."""
        now = self._services.clock()
        if self._until is not None and now >= self._until:
            return False
        mine = take(self._name, self._holder, now, self._length)
        # `take` leaves a lease alone that is still longer than half.
        self._until = now + self._length / 2 if mine else None
        return mine

    def check(self) -> None:
        """Raises Lost unless nobody else can have had the lease since it was taken."""
        if self._until is None or self._services.clock() >= self._until:
            raise Lost(f"the lease {self._name} ran out")


@contextmanager
def held(
    services: Services, name: str, holder: str, length: timedelta, *, is_patient: bool = True
) -> Iterator[Hold | None]:
    """Hold a lease during the block, however long that takes; yields None if it stays taken.

    The patient wait for it longer than `length`, so a holder that died is outlasted. What must
    not be done twice asks `.check()` of it right before.
    """
    hold = Hold(services, name, holder, length)
    mine = hold.take()
    for _ in range(int(length.total_seconds() * 6) if is_patient else 0):
        if mine:
            break
        services.sleep(0.25)
        mine = hold.take()
    if not mine:
        yield None
        return
    done = threading.Event()
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def renew() -> None:
        with app.app_context():
            while not done.wait(length.total_seconds() / 6):
                try:
                    if not hold.take():
                        return
                except UNANSWERED as error:
                    # Whoever holds it asks by its own clock whether it ran out meanwhile.
                    log.warning("the lease %s could not be renewed: %s", name, reason(error))

    renewal = threading.Thread(target=renew, daemon=True)
    renewal.start()
    try:
        yield hold
    except BaseException:
        # Half a write of the block would keep the lease from being given back.
        db.session.rollback()
        raise
    finally:
        done.set()
        renewal.join()
        give_back(name, holder)
