"""Memberships kept fresh, so that grades flow for members who never launched."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from passport_lti.errors import Gone, RetryLater, ServiceError
from passport_lti.extensions import db, streamed
from passport_lti.lti import nrps
from passport_lti.models import Context, LaunchLog, Member, Membership
from passport_lti.sync.delivery import circuit
from passport_lti.sync.holds import follow_roster
from passport_lti.sync.people.matching import Identity
from passport_lti.sync.people.members import Person, enrol, remember, replan
from passport_lti.sync.services import Services

FRESH = timedelta(hours=24)
"""A roster is read again after this time even where nothing else asks for it."""
IMPATIENT = timedelta(hours=1)
"""The same, while Coursera reports somebody whom no member matches: who joined a course can be
known there before. A launch in the context is a sign of it, and doesn't wait for the hour."""
BATCH = 200
"""People stored at a time: on SQLite nobody else writes meanwhile, and leases must be renewed."""
BREATH = 0.15
"""Seconds after a batch that was written into SQLite: who waits to write there looks ten times a
second, and would find the next batch each time. A class that starts would stand still until the
last one."""


def is_stale(context: Context, now: datetime, *, unmatched: bool) -> bool:
    """Whether a context's roster should be read although Coursera reports nothing new."""
    if context.memberships_url is None:
        return False
    if context.roster_read_at is None:
        return True
    if now - context.roster_read_at > (IMPATIENT if unmatched else FRESH):
        return True
    return unmatched and _is_launched_since(context, context.roster_read_at)


def _is_launched_since(context: Context, moment: datetime) -> bool:
    found = db.session.scalar(
        select(LaunchLog.id)
        .where(LaunchLog.at > moment, LaunchLog.context_fk == context.id, LaunchLog.verdict == "ok")
        .limit(1)
    )
    return found is not None


def refresh(services: Services, context: Context) -> None:
    """Read the roster of a context and store it; problems are noted on the context.

    Must be called without an open write: the call takes its time.
    """
    platform = context.deployment.platform
    url = context.memberships_url
    if not url:
        return
    paused = circuit.reason(platform, services.clock())
    if paused is not None:
        context.roster_problem = paused
        db.session.commit()
        return
    service = services.platform(platform)
    db.session.commit()
    try:
        found = nrps.members(service, url)
    except ServiceError as error:
        if isinstance(error, RetryLater):
            circuit.trip(platform.id, error, services.clock())
        if isinstance(error, Gone):
            # It will not come back soon: ask again as seldom as for a roster that stands.
            context.roster_read_at = services.clock()
        context.roster_problem = error.reason
        db.session.commit()
        return
    now = services.clock()
    listed: set[int] = set()
    is_news, is_written = False, False
    rows = iter([row for row in found if row.active])
    while batch := list(itertools.islice(rows, BATCH)):
        if is_written and db.engine.dialect.name == "sqlite":
            services.sleep(BREATH)
        news, is_written = [], False
        for row in batch:
            member = remember(platform, _person(row), now)
            listed.add(member.id)
            is_new = enrol(context, member, row.role)
            news += [member.id] if is_new else []
            is_written = is_written or is_new or member.seen_at == now
        is_news = is_news or bool(news)
        _settle(context, news, now)
    here = db.session.execute(
        select(Membership.id, Membership.member_fk).where(
            Membership.context_fk == context.id, Membership.state == "active"
        )
    )
    gone = [number for number, member in here if member not in listed]
    for number in gone:
        db.session.get_one(Membership, number).state = "gone"
    context.roster_read_at, context.roster_problem = now, None
    _settle(context, None if is_news or gone else [], now)


def _settle(context: Context, news: list[int] | None, now: datetime) -> None:
    """Have the cells follow what was just stored, so that no news of a part gets lost; commits.

    `news` are the members that it is about; None for all.
    """
    if news is None or news:
        db.session.flush()
        follow_roster(context.id, now, news)
        replan(context.id)
    db.session.commit()


def confirmed(context: Context) -> Iterator[str]:
    """The keys of all rows that somebody confirmed, for anybody of the context's platform."""
    query = select(Member.learner_external_id).where(
        Member.platform_id == context.deployment.platform_id,
        Member.learner_external_id.is_not(None),
    )
    return (row for (row,) in streamed(query) if row)


def _person(row: nrps.RosterMember) -> Person:
    """What is needed of somebody on the roster: of those who get no grades nothing but the id."""
    if row.role != "learner":
        return Person(row.sub, row.role)
    return Person(
        row.sub, row.role, row.name, row.email, row.sourcedid, row.username,
        row.given_name, row.family_name,
    )  # fmt: skip


def learners(context: Context) -> Iterator[int]:
    """The ids of the learners of a context; never an instructor."""
    query = select(Membership.member_fk).where(*_learners(context, gone=False))
    return (member for (member,) in streamed(query))


def identities(context: Context, *, gone: bool = False) -> Iterator[Identity]:
    """The learners of a context, or those that were, as far as matching needs them."""
    query = (
        select(
            Member.id, Member.external_id, Member.email, Member.learner_external_id,
            Member.known_as, Member.told_at.is_not(None),
        )
        .join(Membership, Membership.member_fk == Member.id)
        .where(*_learners(context, gone=gone))
    )  # fmt: skip
    return map(Identity._make, streamed(query))


def _learners(context: Context, *, gone: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        Membership.context_fk == context.id,
        Membership.role == "learner",
        Membership.state == ("gone" if gone else "active"),
    )
