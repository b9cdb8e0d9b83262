"""What a verified message leaves behind: the launch, the person, the place, the activity."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti.claims import Launch
from passport_lti.lti.launch import Verified
from passport_lti.lti.state import nonce_key
from passport_lti.models import (
    Activity,
    Context,
    Deployment,
    LaunchLog,
    Platform,
    ResourceLink,
)
from passport_lti.strategies import STRATEGIES
from passport_lti.strategies.base import Chosen, read_custom
from passport_lti.sync import familiar
from passport_lti.sync.activities import canonical, change_option, new_activity
from passport_lti.sync.columns import copies
from passport_lti.sync.familiar import Accepted, accepted
from passport_lti.sync.holds import follow_roster
from passport_lti.sync.people.members import Person, enrol, remember, replan
from passport_lti.sync.seats.who import seatless


def content_of(launch: Launch) -> Chosen | None:
    """What a launch shows. Raises LaunchRefused `malformed` for content that is none of ours."""
    try:
        chosen = read_custom(launch.custom)
        if chosen and chosen.strategy not in STRATEGIES:
            raise ValueError("the activity names a grade option that this tool does not have")
    except ValueError as error:
        raise LaunchRefused("malformed", str(error)) from None
    return chosen


def accept(
    connection: Connection, verified: Verified, correlation_id: str, now: datetime
) -> Accepted:
    """Store a verified message and consume its nonce, in one transaction; closes `connection`.

    Raises LaunchRefused `nonce_reused` where another process was faster with the same message,
    and `malformed` for content that is none of ours.
    """
    launch = verified.launch
    chosen = content_of(launch)
    person = Person(
        launch.sub, launch.role, launch.name, launch.email, launch.sourcedid, launch.username,
        launch.given_name, launch.family_name,
    )  # fmt: skip
    linked_as = canonical(launch.custom)
    entry = _entry(verified, correlation_id, now)
    known, shown = None, linked_as if chosen else None
    # Where a row refuses the short way, the long one finds out why. It has a connection of its own.
    with suppress(IntegrityError), connection:
        known = familiar.store(connection, verified, person, shown, entry, now)
    if known:
        return known
    for attempt in range(3):
        try:
            return _store(launch, person, chosen, linked_as, entry, now)
        except IntegrityError:
            db.session.rollback()
            used = select(LaunchLog.id).where(LaunchLog.nonce == nonce_key(launch.nonce))
            if db.session.scalar(used) is not None:
                raise LaunchRefused("nonce_reused", "this launch was already used") from None
            if attempt == 2:
                raise
        # Two first launches met in one context; the second finds what the first has stored.
    raise AssertionError("unreachable")


def _entry(verified: Verified, correlation_id: str, now: datetime) -> dict[str, Any]:
    """What the launch log says of a message, wherever it leads."""
    launch = verified.launch
    return {
        "correlation_id": correlation_id,
        "at": now,
        "verdict": "ok",
        "nonce": nonce_key(launch.nonce),
        "message_type": launch.message_type,
        "platform_id": launch.platform_id,
        "proven": True,
        "administers": launch.is_admin,
        "role": "admin" if launch.is_admin and not launch.is_instructor else launch.role,
        "locale": launch.locale[:16],
        "confirmed_at": now if verified.same_browser else None,
    }


def _store(
    launch: Launch,
    person: Person,
    chosen: Chosen | None,
    linked_as: str,
    entry: dict[str, Any],
    now: datetime,
) -> Accepted:
    platform = db.session.get_one(Platform, launch.platform_id)
    log = LaunchLog(**entry)
    db.session.add(log)
    db.session.flush()
    member = remember(platform, person, now)
    log.member_fk = member.id
    context = _context(launch, now) if launch.context else None
    log.seatless = seatless(launch, member, context)
    if context is not None:
        log.context_fk = context.id
        if enrol(context, member, person.role):
            db.session.flush()
            follow_roster(context.id, now, [member.id])
            replan(context.id)
    if context is not None and launch.resource_link_id:
        link = _link(launch, context, now)
        activity = _activity(platform, context, link, chosen, linked_as, now)
        log.activity_fk = activity.id if activity else None
    places = {"context_fk": log.context_fk, "activity_fk": log.activity_fk}
    stored = accepted({**entry, **places, "id": log.id, "member_fk": member.id})
    db.session.commit()
    return stored


def _context(launch: Launch, now: datetime) -> Context:
    """The context with the addresses and names of this launch."""
    found = launch.context
    assert found is not None
    deployment = db.session.scalars(
        select(Deployment).where(
            Deployment.platform_id == launch.platform_id,
            Deployment.deployment_id == launch.deployment_id,
        )
    ).one()
    context = db.session.scalar(
        select(Context).where(
            Context.deployment_fk == deployment.id, Context.context_id == found.id
        )
    )
    if context is None:
        context = Context(deployment_fk=deployment.id, context_id=found.id, created_at=now)
        db.session.add(context)
    context.label, context.title = found.label[:255], found.title[:500]
    context.history = ",".join(found.history)
    if launch.line_items_url:
        context.line_items_url = launch.line_items_url
        context.ags_scopes = " ".join(launch.ags_scopes)
    if launch.memberships_url and context.memberships_url != launch.memberships_url:
        context.memberships_url = launch.memberships_url
        context.roster_read_at = None
        db.session.flush()
        replan(context.id)
    db.session.flush()
    return context


def _link(launch: Launch, context: Context, now: datetime) -> ResourceLink:
    link = db.session.scalar(
        select(ResourceLink).where(
            ResourceLink.context_fk == context.id,
            ResourceLink.resource_link_id == launch.resource_link_id,
        )
    )
    if link is None:
        link = ResourceLink(context_fk=context.id, resource_link_id=launch.resource_link_id)
        db.session.add(link)
    link.title = launch.resource_link_title[:500]
    link.line_item_url = launch.line_item_url or None
    link.launched_at = now
    db.session.flush()
    return link


def _activity(
    platform: Platform,
    context: Context,
    link: ResourceLink,
    chosen: Chosen | None,
    linked_as: str,
    now: datetime,
) -> Activity | None:
    """The activity behind a resource link; found by its link, by what it shows, or made."""
    activity = db.session.scalar(select(Activity).where(Activity.resource_link_fk == link.id))
    if chosen is None:
        return activity
    if activity is None:
        activity = db.session.scalar(
            select(Activity)
            .where(
                Activity.context_fk == context.id,
                Activity.resource_link_fk.is_(None),
                Activity.linked_as == linked_as,
            )
            .order_by(Activity.id)
            .limit(1)
        )
    if activity is None:
        activity = new_activity(platform, context, chosen, link.title, now)
        db.session.flush()
        copies.follow(activity, context, linked_as)
    elif activity.linked_as != linked_as:
        # The teacher selected other content for the same activity, or only its column was known.
        activity.program_id, activity.course_id = chosen.program_id, chosen.course_id
        change_option(activity, chosen.strategy, chosen.choice)
    if activity.resource_link_fk != link.id or activity.state != "standing":
        activity.planned_digest = ""
    activity.resource_link_fk, activity.linked_as = link.id, linked_as
    activity.state, activity.title = "standing", link.title or activity.title
    db.session.flush()
    return activity
