"""Taking and giving back leases: a conditional UPDATE that the database arbitrates."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError

from passport_lti.extensions import apart
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
    """Hold a lease during the block, waiting a little for it; yields False if it stays taken."""
    for _ in range(40):
        mine = take(name, holder, services.clock(), length)
        if mine:
            break
        services.sleep(0.25)
    try:
        yield mine
    finally:
        if mine:
            give_back(name, holder)
