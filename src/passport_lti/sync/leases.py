"""Taking and giving back leases: a conditional UPDATE that the database arbitrates."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError

from passport_lti.extensions import apart, db
from passport_lti.models import Lease
from passport_lti.sync.services import Services


def take(name: str, holder: str, now: datetime, length: timedelta) -> bool:
    """Take a lease or renew our own; False while somebody else holds it.

    Standing by, and holding a lease that is still long, only read.
    """
    with apart() as session, session.begin():
        standing = session.get(Lease, name)
        if standing is not None:
            mine = standing.holder == holder
            if standing.until >= now and (not mine or standing.until - now > length / 2):
                return mine
            session.execute(
                update(Lease)
                .where(Lease.name == name, or_(Lease.holder == holder, Lease.until < now))
                .values(holder=holder, until=now + length)
            )
            session.refresh(standing)
            return standing.holder == holder
    try:
        with apart() as session, session.begin():
            session.add(Lease(name=name, holder=holder, until=now + length))
    except IntegrityError:
        return False
    return True


def give_back(name: str, holder: str) -> None:
    with apart() as session, session.begin():
        session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


@contextmanager
def held(services: Services, name: str, holder: str, length: timedelta) -> Iterator[bool]:
    """Hold a lease during the block, however long that takes; yields False if it stays taken.

    It is waited for longer than `length`, so a holder that died is outlasted.
    """
    for _ in range(int(length.total_seconds() * 6)):
        mine = take(name, holder, services.clock(), length)
        if mine:
            break
        services.sleep(0.25)
    if not mine:
        yield False
        return
    done = threading.Event()
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def renew() -> None:
        with app.app_context():
            while not done.wait(length.total_seconds() / 4):
                take(name, holder, services.clock(), length)

    renewal = threading.Thread(target=renew, daemon=True)
    renewal.start()
    try:
        yield True
    except BaseException:
        # Half a write of the block would keep the lease from being given back.
        db.session.rollback()
        raise
    finally:
        done.set()
        renewal.join()
        give_back(name, holder)
