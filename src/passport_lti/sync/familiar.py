"""Launches that bring no news: who and what they name is stored as they say it.

They are nearly all there are. One statement reads what is known of all that such a launch names,
one more stores the launch and so consumes its nonce. Everything else is for `sync.arrivals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, insert, select, update

from passport_lti.lti.claims import Launch
from passport_lti.lti.launch import Verified
from passport_lti.models import (
    TAUGHT_LAUNCHES,
    Activity,
    Context,
    Deployment,
    LaunchLog,
    Member,
    Membership,
    ResourceLink,
)
from passport_lti.sync.people.members import SEEN_AGAIN, Person, said
from passport_lti.sync.seats.who import posing

LAUNCHED_AGAIN = timedelta(minutes=1)
"""How exactly it is known when a link was last launched: a class does not queue for its row."""

# Tables, not mapped classes: to look such a statement up among the compiled ones costs less.
_member, _deployment, _context, _membership, _link, _activity, _log = (
    model.__table__
    for model in (Member, Deployment, Context, Membership, ResourceLink, Activity, LaunchLog)
)
_KNOWN = (
    select(
        _member.c.id.label("member_fk"), _member.c.name, _member.c.given_name,
        _member.c.family_name, _member.c.email, _member.c.external_id, _member.c.seen_at,
        _context.c.id.label("context_fk"), _context.c.label,
        _context.c.title.label("context_title"), _context.c.history, _context.c.line_items_url,
        _context.c.ags_scopes, _context.c.memberships_url, _context.c.line_items_read_at,
        _membership.c.role, _membership.c.state,
        _link.c.id.label("link_fk"), _link.c.title.label("link_title"),
        _link.c.line_item_url, _link.c.launched_at,
        _activity.c.id.label("activity_fk"), _activity.c.linked_as,
        _activity.c.title.label("shown_as"), _activity.c.state.label("activity_state"),
        exists(_log.c.id)
        .where(
            _log.c.member_fk == _member.c.id, _log.c.context_fk == _context.c.id, TAUGHT_LAUNCHES
        )
        .label("taught"),
    )
    .select_from(_member)
    .join(_deployment, _deployment.c.platform_id == _member.c.platform_id)
    .join(_context, _context.c.deployment_fk == _deployment.c.id)
    .join(
        _membership,
        (_membership.c.context_fk == _context.c.id) & (_membership.c.member_fk == _member.c.id),
    )
    .join(_link, _link.c.context_fk == _context.c.id)
    .join(_activity, _activity.c.resource_link_fk == _link.c.id)
    .where(
        _member.c.platform_id == bindparam("platform_id"),
        _member.c.sub == bindparam("sub"),
        _deployment.c.deployment_id == bindparam("deployment_id"),
        _context.c.context_id == bindparam("context_id"),
        _link.c.resource_link_id == bindparam("resource_link_id"),
    )
)  # fmt: skip
_LOG = insert(_log)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored launch, for the page that answers it: so much of its `LaunchLog`."""

    id: int
    platform_id: int
    message_type: str
    role: str
    administers: bool
    locale: str
    context_fk: int | None
    activity_fk: int | None
    member_fk: int | None


def accepted(entry: Mapping[str, Any]) -> Accepted:
    """The launch of these columns of the launch log."""
    return Accepted(*(entry[name] for name in Accepted.__slots__))


def store(
    connection: Connection,
    verified: Verified,
    person: Person,
    linked_as: str | None,
    entry: dict[str, Any],
    now: datetime,
) -> Accepted | None:
    """Store a launch without news, commit, and return it; None where there is any news.

    `linked_as` is what the launch shows, as `canonical` spells it; None where it does not say.
    Raises IntegrityError where the nonce was used, or somebody has just gone; nothing is stored
    then.
    """
    launch = verified.launch
    if launch.context is None or not launch.resource_link_id:
        return None
    named = {
        "platform_id": launch.platform_id, "sub": launch.sub,
        "deployment_id": launch.deployment_id, "context_id": launch.context.id,
        "resource_link_id": launch.resource_link_id,
    }  # fmt: skip
    row: Any = connection.execute(_KNOWN, named).one_or_none()
    if row is None or not (
        _is_known(row, person, verified, now)
        and _is_same_place(row, launch)
        and _is_same_link(row, launch, linked_as)
    ):
        return None
    places = {name: getattr(row, name) for name in ("member_fk", "context_fk", "activity_fk")}
    values = {**entry, **places, "seatless": posing(launch)}
    key = connection.execute(_LOG, values).inserted_primary_key
    assert key is not None
    if not _was_just_launched(row, now):
        connection.execute(
            update(ResourceLink).where(ResourceLink.id == row.link_fk).values(launched_at=now)
        )
    connection.commit()
    return accepted({**values, "id": key[0]})


def _is_known(row: Row[Any], person: Person, verified: Verified, now: datetime) -> bool:
    """Whether the person is stored as named, is this here, and never taught here."""
    kind = verified.platform.settings.identity.external_id
    stored = (row.name, row.given_name, row.family_name, row.email, row.external_id)
    return (
        stored == said(person, kind, *stored)
        and now - row.seen_at <= SEEN_AGAIN
        and (row.role, row.state) == (person.role, "active")
        and not (person.role == "learner" and row.taught)
    )


def _is_same_place(row: Row[Any], launch: Launch) -> bool:
    context = launch.context
    assert context is not None
    return (
        (row.label, row.context_title) == (context.label[:255], context.title[:500])
        and row.history == ",".join(context.history)
        and launch.memberships_url in ("", row.memberships_url)
        and (
            not launch.line_items_url
            or (row.line_items_url, row.ags_scopes)
            == (launch.line_items_url, " ".join(launch.ags_scopes))
        )
    )


def _is_same_link(row: Row[Any], launch: Launch, linked_as: str | None) -> bool:
    title = launch.resource_link_title[:500]
    if (row.link_title, row.line_item_url) != (title, launch.line_item_url or None):
        return False
    if linked_as is None:
        return True
    shown = (row.linked_as, row.activity_state, row.shown_as)
    return shown == (linked_as, "standing", title or row.shown_as)


def _was_just_launched(row: Row[Any], now: datetime) -> bool:
    """Whether the stored time does: after the columns were last read, and not long ago."""
    at, read_at = row.launched_at, row.line_items_read_at
    if at is None or (read_at is not None and at <= read_at):
        return False
    return bool(at <= now < at + LAUNCHED_AGAIN)
