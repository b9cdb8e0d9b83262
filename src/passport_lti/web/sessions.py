"""`session` values: what a page may do after a launch, signed, in its URL or form.

No page needs a cookie. A value names its kind, its launch and its activity; it is refused for any
other page, after its time, when its platform is gone and, for picker and confirm, when used twice.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

from flask import g, request
from itsdangerous import BadData
from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute

from passport_lti import signed
from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.models import LaunchLog, Platform
from passport_lti.sync.familiar import Accepted
from passport_lti.web import language
from passport_lti.web.pages import services


class Kind(StrEnum):
    PICKER = "picker"
    INSTRUCTOR = "instructor"
    LEARNER = "learner"
    CONFIRM = "confirm"
    ADMIN = "admin"
    SIGN_ON = "sign_on"


@dataclass(frozen=True, slots=True)
class Linking:
    """What a deep linking answer needs of its request."""

    deployment_id: str
    return_url: str
    accept_multiple: bool
    data: str | None = None


@dataclass(frozen=True, slots=True)
class PageSession:
    """A loaded `session` value; `value` is its text, for the next link or form."""

    kind: Kind
    launch: LaunchLog
    platform: Platform
    activity_id: int | None
    linking: Linking | None
    framed: bool
    value: str


CONFIRM_WITHIN = timedelta(minutes=10)
SIGN_ON_WITHIN = timedelta(minutes=10)
"""How long after a launch Coursera may ask who is there: other people use this browser, too."""


def issue(
    kind: Kind,
    launch: Accepted | LaunchLog,
    linking: Linking | None = None,
    framed: bool = False,
    *,
    activity_id: int | None = None,
) -> str:
    """A new value of one kind for an activity: that of this launch, unless another is named."""
    content = {
        "l": launch.id,
        "a": launch.activity_fk if activity_id is None else activity_id,
        "t": int(services().clock().timestamp()),
        "f": framed,
        "d": asdict(linking) if linking else None,
    }
    return signed.dumps(_secret(), _purpose(kind), content)


def load(kind: Kind, value: str | None = None) -> PageSession:
    """The request's `session` of this kind, or `value`. Raises LaunchRefused `session` (403)."""
    value = request.values.get("session", "") if value is None else value
    try:
        content = signed.loads(_secret(), _purpose(kind), value)
    except BadData:
        raise LaunchRefused("session", "this page's session is not valid here", 403) from None
    return _checked(kind, content, value)


def use_once(session: PageSession, mark: InstrumentedAttribute[object]) -> None:
    """Note that a value was used; raises LaunchRefused `session` the second time. Flushes only."""
    done = db.session.execute(
        update(LaunchLog)
        .where(LaunchLog.id == session.launch.id, mark.is_(None))
        .values({mark.key: services().clock()})
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        db.session.rollback()
        raise LaunchRefused("session", "this page was already used", 403)


def _checked(kind: Kind, content: dict[str, object], value: str) -> PageSession:
    shorter = {Kind.CONFIRM: CONFIRM_WITHIN, Kind.SIGN_ON: SIGN_ON_WITHIN}
    longest = shorter.get(kind, services().config.lti.sessions)
    age = services().clock().timestamp() - int(str(content["t"]))
    launch = db.session.get(LaunchLog, content["l"])
    platform = db.session.get(Platform, launch.platform_id) if launch else None
    if age > longest.total_seconds():
        raise LaunchRefused("session", "this page was open for too long", 403)
    if launch is None or platform is None or platform.state != "active":
        raise LaunchRefused("session", "the platform is not connected any more", 403)
    if launch.confirmed_at is None and kind is not Kind.CONFIRM:
        raise LaunchRefused("session", "the launch was not confirmed", 403)
    language.speak(launch.locale)
    g.launch, g.page_kind = launch, kind
    linking = content["d"]
    return PageSession(
        kind,
        launch,
        platform,
        content["a"],  # type: ignore[arg-type]
        Linking(**linking) if isinstance(linking, dict) else None,
        bool(content["f"]),
        value,
    )


def _purpose(kind: Kind) -> str:
    return f"session {kind.value}"


def _secret() -> str:
    return services().tool.secret
