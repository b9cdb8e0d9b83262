"""Requests are answered once."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from passport_lti.errors import SignOnRefused
from passport_lti.extensions import apart, db
from passport_lti.models import SamlRequest
from passport_lti.sso.requests import AuthnRequest

KEPT = timedelta(days=1)
"""Longer than a request's time of issue can pass, whatever `lti.clock_skew` allows."""


def answer_once(request: AuthnRequest, now: datetime) -> None:
    """Note that a request is being answered. Raises SignOnRefused `replayed` the second time."""
    named = f"{request.provider.organisation}\n{request.provider.entity_id}\n{request.id}"
    digest = hashlib.sha256(named.encode()).hexdigest()
    try:
        with apart() as session, session.begin():
            session.add(SamlRequest(digest=digest, answered_at=now))
    except IntegrityError:
        raise SignOnRefused("replayed", "this request was answered already") from None


def forget_old(now: datetime) -> None:
    """Flushes only."""
    db.session.execute(delete(SamlRequest).where(SamlRequest.answered_at < now - KEPT))
