"""One person's data: finding it, showing it, erasing it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, text, update

from passport_lti.coursera.rows import key
from passport_lti.extensions import db
from passport_lti.lti.tool import Tool
from passport_lti.models import (
    Cell,
    CellChange,
    Context,
    Deployment,
    LaunchLog,
    LineItem,
    Match,
    Member,
    Membership,
    Platform,
    Program,
    Provision,
    UnmatchedLearner,
)
from passport_lti.sync.people import choices, erased


@dataclass(frozen=True, slots=True)
class Found:
    """The members that a name fits, and the Coursera rows that fit no member but the name."""

    members: Sequence[Member]
    unmatched: Sequence[UnmatchedLearner]
    platforms: frozenset[str]


def find(person: str, platform_id: int | None = None) -> Found:
    """Who has this e-mail address (in any case) or this `sub`; on one platform, if given."""
    wanted = person.strip()
    members = select(Member).where(
        or_(Member.sub == wanted, func.lower(Member.email) == wanted.lower())
    )
    if platform_id is not None:
        members = members.where(Member.platform_id == platform_id)
    rows = db.session.scalars(members.order_by(Member.id)).all()
    if not rows and "@" in wanted:
        # Nobody's address on a platform, but what somebody's Coursera account was confirmed to be.
        rows = _confirmed_as(wanted, platform_id)
    names = {wanted.lower()} if "@" in wanted else set[str]()
    for row in rows:
        names |= {row.email.lower(), row.external_id.lower(), row.coursera_id.lower()}
        names.add((row.learner_external_id or "").lower())
    strangers = (
        select(UnmatchedLearner, Platform.name)
        .join(Context, UnmatchedLearner.context_fk == Context.id)
        .join(Deployment, Context.deployment_fk == Deployment.id)
        .join(Platform, Deployment.platform_id == Platform.id)
        .where(func.lower(UnmatchedLearner.external_id).in_(names - {""}))
    )
    # A sub means nobody outside its platform, and neither does what was found by it.
    within = {row.platform_id for row in rows} if platform_id is None else {platform_id}
    if platform_id is not None or "@" not in wanted:
        strangers = strangers.where(Platform.id.in_(within))
    unmatched = db.session.execute(strangers).all()
    own = db.session.scalars(select(Platform.name).where(Platform.id.in_(within))) if rows else ()
    return Found(
        rows, [row for row, _ in unmatched], frozenset([*own, *(name for _, name in unmatched)])
    )


def _confirmed_as(address: str, platform_id: int | None) -> Sequence[Member]:
    query = select(Member).where(Member.learner_external_id == key(address))
    if platform_id is not None:
        query = query.where(Member.platform_id == platform_id)
    return db.session.scalars(query.order_by(Member.id)).all()


def records(found: Found) -> dict[str, list[dict[str, Any]]]:
    """Every stored row of these people, by kind, with names in the place of our own ids."""
    ids = [member.id for member in found.members]
    platforms = {row.id: row.name for row in db.session.execute(select(Platform.id, Platform.name))}
    members = [
        {
            "platform": platforms[row.platform_id], "sub": row.sub, "name": row.name,
            "given_name": row.given_name, "family_name": row.family_name,
            "email": row.email, "external_id": row.external_id,
            "known_as": row.known_as, "told": _iso(row.told_at),
            "confirmed_as": row.learner_external_id, "seen": _iso(row.seen_at),
            "introduced": _iso(row.introduced_at),
        }
        for row in found.members
    ]  # fmt: skip
    memberships = db.session.execute(
        select(Context.title, Membership.role, Membership.state)
        .join(Context, Membership.context_fk == Context.id)
        .where(Membership.member_fk.in_(ids))
    )
    matches = db.session.execute(
        select(Context.title, Match.course_id, Match.external_id, Match.name, Match.state, Match.by)
        .join(Context, Match.context_fk == Context.id)
        .where(Match.member_fk.in_(ids))
    )
    cells = db.session.execute(
        select(
            LineItem.label, LineItem.resource_id, Cell.state, Cell.reason, Cell.wanted_given,
            Cell.delivered_given, Cell.wanted_maximum, Cell.coursera_at, Cell.read_at,
            Cell.accepted_at,
        )
        .join(LineItem, Cell.line_item_fk == LineItem.id)
        .where(Cell.member_fk.in_(ids))
    )  # fmt: skip
    changes = db.session.execute(
        select(
            LineItem.label, CellChange.at, CellChange.cause, CellChange.because,
            CellChange.wanted_given, CellChange.delivered_given, CellChange.wanted_maximum,
            CellChange.state, CellChange.coursera_at, CellChange.read_at, CellChange.accepted_at,
        )
        .join(Cell, CellChange.cell_fk == Cell.id)
        .join(LineItem, Cell.line_item_fk == LineItem.id)
        .where(Cell.member_fk.in_(ids))
        .order_by(CellChange.id)
    )  # fmt: skip
    provisions = db.session.execute(
        select(
            Program.name.label("program"), Provision.program_id, Provision.course_id,
            Provision.step, Provision.state, Provision.outcome, Provision.reason,
            Provision.external_id, Provision.created_at, Provision.changed_at,
        )
        .outerjoin(
            Program,
            (Program.connection == Provision.connection)
            & (Program.program_id == Provision.program_id),
        )
        .where(Provision.member_fk.in_(ids))
        .order_by(Provision.id)
    )  # fmt: skip
    launches = db.session.execute(
        select(LaunchLog.at, LaunchLog.message_type, LaunchLog.role)
        .where(LaunchLog.member_fk.in_(ids))
        .order_by(LaunchLog.id)
    )
    return {
        "members": members,
        "memberships": _rows(memberships),
        "matches": _rows(matches),
        "cells": _rows(cells),
        "changes": _rows(changes),
        "provisions": _rows(provisions),
        "launches": _rows(launches),
        "unmatched": [
            {"course_id": row.course_id, "external_id": row.external_id, "name": row.name}
            for row in found.unmatched
        ],
    }


def erase(found: Found, tool: Tool, now: datetime) -> dict[str, int]:
    """Delete these people; what Coursera was told of them stays there.

    Their launches stay as nobody's, so that no nonce works twice. Coursera's further reports of
    them are not written down. Returns how many rows of each kind were erased. Commits.
    """
    ids = [member.id for member in found.members]
    for member in _wrongly_confirmed(found):
        choices.release(member, now, listed=False)
    _note_erased(found, tool, now)
    cells = select(Cell.id).where(Cell.member_fk.in_(ids))
    counts = {
        name: db.session.execute(delete(table).where(condition)).rowcount  # type: ignore[attr-defined]
        for name, table, condition in (
            ("changes", CellChange, CellChange.cell_fk.in_(cells)),
            ("cells", Cell, Cell.member_fk.in_(ids)),
            ("matches", Match, Match.member_fk.in_(ids)),
            ("memberships", Membership, Membership.member_fk.in_(ids)),
            ("provisions", Provision, Provision.member_fk.in_(ids)),
        )
    }
    gone = update(LaunchLog).where(LaunchLog.member_fk.in_(ids)).values(member_fk=None)
    counts["launches"] = db.session.execute(gone).rowcount  # type: ignore[attr-defined]
    strangers = [row.id for row in found.unmatched]
    db.session.execute(delete(UnmatchedLearner).where(UnmatchedLearner.id.in_(strangers)))
    db.session.execute(delete(Member).where(Member.id.in_(ids)))
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        # Deleted rows are overwritten at once; this does it in the file, too.
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.session.commit()
    return {**counts, "unmatched": len(strangers), "members": len(ids)}


def _wrongly_confirmed(found: Found) -> Sequence[Member]:
    """Others of these platforms who were confirmed to be a row with these people's addresses."""
    wrong = {
        (m.platform_id, key(own))
        for m in found.members
        for own in (m.email, m.external_id, m.coursera_id)
    }
    ids = {member.id for member in found.members}
    holders = db.session.scalars(
        select(Member).where(
            Member.platform_id.in_({member.platform_id for member in found.members}),
            Member.learner_external_id.in_({row for _, row in wrong if row}),
        )
    )
    return [
        m for m in holders if m.id not in ids and (m.platform_id, m.learner_external_id) in wrong
    ]


def _note_erased(found: Found, tool: Tool, now: datetime) -> None:
    names: dict[int, set[str]] = defaultdict(set)
    for member in found.members:
        known = (
            member.email, member.external_id, member.coursera_id, member.learner_external_id or "",
        )  # fmt: skip
        names[member.platform_id].update(known)
    ids = {member.id: member.platform_id for member in found.members}
    for match in db.session.scalars(select(Match).where(Match.member_fk.in_(ids))):
        names[ids[match.member_fk]].add(match.external_id)
    for provision in db.session.scalars(select(Provision).where(Provision.member_fk.in_(ids))):
        names[ids[provision.member_fk]].add(provision.external_id)
    for row in found.unmatched:
        context = db.session.get_one(Context, row.context_fk)
        names[context.deployment.platform_id].add(row.external_id)
    for platform_id, theirs in names.items():
        erased.note(tool, platform_id, theirs, now)


def _rows(result: Any) -> list[dict[str, Any]]:
    return [
        {key: _iso(value) if isinstance(value, datetime) else value for key, value in row.items()}
        for row in result.mappings()
    ]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
