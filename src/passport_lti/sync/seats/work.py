"""Doing what is due at Coursera: claim, call, record. Every step may happen twice, and harmlessly.

A row is claimed with a lease by a conditional UPDATE and recorded only by who holds it; a process
that dies between the call and the record is found by its lease, and the second call is answered
with "exists already", which is a success.
"""

import logging
import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, true, update

from passport_lti.coursera import provisioning
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.provisioning import Done, Person
from passport_lti.errors import RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Member, Membership, Platform, Provision
from passport_lti.sync.people import members
from passport_lti.sync.seats.wishes import STEPS, external_id_of
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

PAUSES = (5, 30, 120, 600, 1800, 3600)
"""Seconds before the next try, the last for ever; the whole organisation is left alone."""
UNTRUSTED = ("coursera_refused", "coursera_forbidden", "coursera_unknown")
"""Refusals of the tool as a whole, which a person has to settle: they are tried again too."""
MOST = 500
"""Members that one round sees to."""
SOON = timedelta(seconds=5)
ORDER = ("invite", "join", "enroll")


def provide(services: Services, member_id: int) -> bool:
    """Do what is due for one member; False where the organisation should be left alone now.

    Whatever happens is recorded and nothing is raised but for the database.
    """
    holder = secrets.token_hex(8)
    db.session.commit()
    ids = _claim(services, member_id, holder)
    for place, row_id in enumerate(ids):
        if services.ending.is_set():
            _put_back(ids[place:], services.clock())
            return False
        row = db.session.get(Provision, row_id, populate_existing=True)
        if row is None:
            # The learner was erased meanwhile.
            continue
        connection, attempts = row.connection, row.attempts
        error = _carry_out(services, row, holder)
        if isinstance(error, RetryLater) or (error is not None and error.reason in UNTRUSTED):
            _pause(connection, ids[place:], attempts, error, services.clock())
            return False
    return True


def connections_due(services: Services) -> list[str]:
    """The organisations at which something is to be done now."""
    query = select(Provision.connection).where(_ready(services.clock())).distinct()
    return sorted(db.session.scalars(query))


def drain(services: Services, only: str | None = None) -> None:
    """Do what is due everywhere, or at one organisation, until that does not answer."""
    silent: set[str] = set()
    for member_id, connection in _waiting(services.clock(), only):
        if services.ending.is_set():
            return
        if connection not in silent and not provide(services, member_id):
            silent.add(connection)


def _waiting(now: datetime, only: str | None) -> Sequence[tuple[int, str]]:
    found = db.session.execute(
        select(Provision.member_fk, Provision.connection)
        .where(_ready(now), true() if only is None else Provision.connection == only)
        .group_by(Provision.member_fk, Provision.connection)
        .order_by(Provision.member_fk)
        .limit(MOST)
    ).all()
    db.session.commit()
    return [(row[0], row[1]) for row in found]


def _ready(now: datetime) -> ColumnElement[bool]:
    free = or_(Provision.claimed_until.is_(None), Provision.claimed_until <= now)
    return (Provision.state == "due") & (Provision.due_at <= now) & free


def _claim(services: Services, member_id: int, holder: str) -> list[int]:
    """The ids of a member's rows that nobody else has, in the order in which they are to be done.

    The lease outlasts the two calls and the look-up that each may take.
    """
    now = services.clock()
    longest = max((c.timeout for c in services.config.coursera.values()), default=60)
    until = now + timedelta(seconds=120 + 8 * float(longest))
    db.session.execute(
        update(Provision)
        .where(Provision.member_fk == member_id, _ready(now))
        .values(claimed_by=holder, claimed_until=until)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    rows = db.session.scalars(select(Provision).where(Provision.claimed_by == holder)).all()
    rows = sorted(rows, key=lambda row: (row.program_id, ORDER.index(row.step), row.id))
    db.session.commit()
    return [row.id for row in rows]


def _carry_out(services: Services, row: Provision, holder: str) -> ServiceError | None:
    """One step; None where it is done, or settled otherwise. No transaction spans the call."""
    member = row.member
    why = _unwanted(row, member)
    if why is not None:
        _record(row, holder, services.clock(), state="rejected", reason=why)
        return None
    joined = _joined(row) if row.step == "enroll" else "done"
    if joined == "due":
        # Another launch of the same learner is at it.
        _put_back([row.id], services.clock() + SOON)
        return None
    if joined != "done":
        _record(row, holder, services.clock(), state="rejected", reason="not_joined")
        return None
    # Kept before the call: should its answer be lost, Coursera may know the person by this.
    row.external_id = row.external_id or external_id_of(member, row.connection, row.program_id)
    person = Person(row.external_id, member.email, member.name)
    try:
        done = _call(services.coursera(row.connection), row, person)
    except ServiceError as error:
        if not isinstance(error, RetryLater) and error.reason not in UNTRUSTED:
            _record(
                row, holder, services.clock(), state="rejected", reason=error.reason,
                detail=error.detail[:255],
            )  # fmt: skip
        return error
    _record(
        row, holder, services.clock(), state="done", outcome=done.outcome,
        external_id=done.external_id,
    )  # fmt: skip
    return None


def _call(client: CourseraClient, row: Provision, person: Person) -> Done:
    program_id, course_id, step = row.program_id, row.course_id, row.step
    db.session.commit()  # also what `_carry_out` wrote; the connection is free during the call
    if step == "enroll":
        return provisioning.enroll(client, program_id, course_id, person)
    return (provisioning.invite if step == "invite" else provisioning.join)(
        client, program_id, person
    )


def _unwanted(row: Provision, member: Member) -> str | None:
    """Why a row is not to be carried out any more: days may lie between launch and call."""
    platform = db.session.get_one(Platform, member.platform_id)
    settings = settings_of(platform)
    if platform.state != "active" or row.connection != settings.coursera:
        return "switched_off"
    if row.step not in STEPS[settings.provisioning]:
        return "switched_off"
    learns = db.session.scalar(
        select(Membership.id)
        .where(
            Membership.member_fk == member.id,
            Membership.role == "learner",
            Membership.state == "active",
        )
        .limit(1)
    )
    return None if learns is not None else "not_enrolled"


def _joined(row: Provision) -> str | None:
    """The state of the step before an enrollment; None where there is no such step."""
    joined = select(Provision.state).where(
        Provision.member_fk == row.member_fk,
        Provision.connection == row.connection,
        Provision.program_id == row.program_id,
        Provision.step == "join",
    )
    return db.session.scalar(joined)


def _record(
    row: Provision, holder: str, now: datetime, *, state: str, reason: str | None = None,
    detail: str = "", outcome: str | None = None, external_id: str | None = None,
) -> None:  # fmt: skip
    """What became of a row, if it is still ours; commits. The learner may be erased meanwhile."""
    values = {
        "state": state, "reason": reason, "detail": detail, "outcome": outcome, "due_at": None,
        "claimed_by": None, "claimed_until": None, "changed_at": now,
        "attempts": Provision.attempts + 1,
    }  # fmt: skip
    if external_id is not None:
        values["external_id"] = external_id
    ours = db.session.execute(
        update(Provision)
        .where(Provision.id == row.id, Provision.claimed_by == holder)
        .values(**values)
        .execution_options(synchronize_session=False)
    ).rowcount  # type: ignore[attr-defined]
    member = db.session.get(Member, row.member_fk) if external_id and ours else None
    if member is not None and external_id:
        members.tell(member, external_id, now)
    step, program_id, member_fk = row.step, row.program_id, row.member_fk
    db.session.commit()
    log.log(
        logging.INFO if state == "done" else logging.WARNING,
        "provision=%s member=%s program=%s: %s %s",
        step, member_fk, program_id, outcome or state, f"{reason or ''} {detail}".strip(),
    )  # fmt: skip


def _pause(
    connection: str, mine: Sequence[int], attempts: int, error: ServiceError, now: datetime
) -> None:
    """Leave the organisation alone, with all that waits for it: the first to come back is asked."""
    wished = error.after if isinstance(error, RetryLater) else None
    step = min(attempts, len(PAUSES) - 1)
    if error.reason in UNTRUSTED:
        step = max(step, 3)
    seconds = (wished if wished is not None else PAUSES[step]) * random.uniform(1.0, 1.2)
    due = now + timedelta(seconds=seconds)
    log.warning("provision of %s waits %.0f s: %s", connection, seconds, error)
    db.session.execute(
        update(Provision)
        .where(Provision.id.in_(mine))
        .values(
            due_at=due, reason=error.reason, detail=error.detail[:255], changed_at=now,
            claimed_by=None, claimed_until=None, attempts=Provision.attempts + 1,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    others = (Provision.connection == connection) & (Provision.state == "due")
    db.session.execute(
        update(Provision)
        .where(others, Provision.due_at < due, Provision.claimed_by.is_(None))
        .values(due_at=due)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def _put_back(ids: Sequence[int], due: datetime) -> None:
    """Give back what was not begun, to be done at this time; commits."""
    db.session.execute(
        update(Provision)
        .where(Provision.id.in_(ids))
        .values(claimed_by=None, claimed_until=None, due_at=due)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
