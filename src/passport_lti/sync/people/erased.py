"""Erased people stay forgotten: Coursera goes on reporting them, and nobody writes them down.

Who launches again, or is on a roster again, is a member again; a mark keeps nobody out.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, select

from passport_lti.extensions import db
from passport_lti.lti.tool import Tool
from passport_lti.models import Erased


def note(tool: Tool, platform_id: int, names: Iterable[str], now: datetime) -> None:
    """Mark the e-mail addresses and external ids of somebody erased. Flushes only."""
    marks = {_mark(tool, name) for name in names if name}
    known = set(db.session.scalars(_of(platform_id)))
    db.session.add_all(
        Erased(platform_id=platform_id, mark=mark, at=now) for mark in sorted(marks - known)
    )
    db.session.flush()


def among(tool: Tool, platform_id: int, people: Iterable[tuple[str, str]]) -> set[str]:
    """The external ids of those who were erased on this platform.

    `people`: external id and e-mail of some in a report.
    """
    known = set(db.session.scalars(_of(platform_id)))
    if not known:
        return set()
    return {
        external_id
        for external_id, email in people
        if {_mark(tool, name) for name in (external_id, email) if name} & known
    }


def _of(platform_id: int) -> Select[str]:
    return select(Erased.mark).where(Erased.platform_id == platform_id)


def _mark(tool: Tool, name: str) -> str:
    text = f"erased {name.strip().casefold()}"
    return hmac.new(tool.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
