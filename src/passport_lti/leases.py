"""Leases: rights that one process has at a time, given by a row that the database arbitrates."""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, update
from sqlalchemy.exc import IntegrityError

from passport_lti.extensions import apart
from passport_lti.models import Lease


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
            taken = session.execute(
                update(Lease)
                .where(Lease.name == name, or_(Lease.holder == holder, Lease.until < now))
                .values(holder=holder, until=now + length)
            )
            if cast(CursorResult[Any], taken).rowcount:
                return True
    # It is free, or was taken or given back by somebody else at this moment.
    try:
        with apart() as session, session.begin():
            session.add(Lease(name=name, holder=holder, until=now + length))
    except IntegrityError:
        return False
    return True


def give_back(name: str, holder: str) -> None:
    with apart() as session, session.begin():
        session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
