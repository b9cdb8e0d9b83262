"""Who learns in an activity's context, and whom of them a look asks for. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem, Match, Member, Membership
from passport_lti.sync.reasons import STATES
from passport_lti.web.look import MISSING, UNMATCHED, Look


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner of the context. `match`: matched, ambiguous or unmatched."""

    id: int
    name: str
    email: str
    sub: str
    match: str

    @property
    def title(self) -> str:
        return self.name or self.email or self.sub


def learners_of(activity: Activity) -> list[Learner]:
    """Who learns in an activity's context, by name."""
    match = and_(
        Match.member_fk == Member.id,
        Match.context_fk == activity.context_fk,
        Match.program_id == activity.program_id,
        Match.course_id == activity.course_id,
    )
    found = db.session.execute(
        select(Member.id, Member.name, Member.email, Member.sub,
               func.coalesce(Match.state, "unmatched"))
        .join(Membership, Membership.member_fk == Member.id)
        .outerjoin(Match, match)
        .where(
            Membership.context_fk == activity.context_fk,
            Membership.role == "learner",
            Membership.state == "active",
        )
    )  # fmt: skip
    people = [Learner(*row) for row in found]
    return sorted(people, key=lambda learner: (learner.title.casefold(), learner.id))


def chosen(
    activity: Activity, look: Look, columns: Sequence[LineItem], people: Sequence[Learner]
) -> list[Learner]:
    """The learners that a look asks for, in its order. Who has no grade always comes last."""
    found = [learner for learner in people if _is_called(learner, look.sought)]
    kept = _having(look, columns)
    if look.state == UNMATCHED:
        found = [learner for learner in found if learner.match != "matched"]
    elif look.state == MISSING:
        active = [column for column in columns if column.state == "active"]
        graded = _graded(active)
        found = [x for x in found if graded.get(x.id, (0, 0.0))[0] < len(active)]
    if kept is not None:
        found = [learner for learner in found if learner.id in kept]
    if look.sort in ("name", "-name"):
        return found[::-1] if look.falls else found
    ranks = _ranks(look, columns)
    ranked = [learner for learner in found if learner.id in ranks]
    ranked.sort(key=lambda learner: ranks[learner.id], reverse=look.falls)
    return ranked + [learner for learner in found if learner.id not in ranks]


def _is_called(learner: Learner, sought: str) -> bool:
    return sought.casefold() in f"{learner.name}\n{learner.email}".casefold()


def _having(look: Look, columns: Sequence[LineItem]) -> set[int] | None:
    """Who has a cell of the state and reason that are looked for; None where none is."""
    wanted = []
    if look.state in STATES:
        wanted.append(Cell.state == look.state)
    if look.reason:
        wanted.append(Cell.reason == look.reason)
    if not wanted:
        return None
    ids = [column.id for column in columns]
    return set(
        db.session.scalars(
            select(Cell.member_fk).where(Cell.line_item_fk.in_(ids), *wanted).distinct()
        )
    )


def _ranks(look: Look, columns: Sequence[LineItem]) -> Mapping[int, Any]:
    """What to sort learners by; who is not in it has nothing to be sorted by."""
    if look.column is None:
        return _graded([column for column in columns if column.state == "active"])
    given = func.coalesce(Cell.wanted_given, Cell.delivered_given)
    found = db.session.execute(
        select(Cell.member_fk, given).where(
            Cell.line_item_fk == look.column,
            Cell.line_item_fk.in_([column.id for column in columns]),
            given.is_not(None),
        )
    )
    return {row[0]: row[1] for row in found}


def _graded(columns: Sequence[LineItem]) -> dict[int, tuple[int, float]]:
    """For each learner with a grade: in how many of these columns, and the sum of the shares."""
    given = func.coalesce(Cell.wanted_given, Cell.delivered_given)
    found = db.session.execute(
        select(Cell.member_fk, func.count(), func.sum(given / Cell.wanted_maximum))
        .where(Cell.line_item_fk.in_([column.id for column in columns]), given.is_not(None))
        .group_by(Cell.member_fk)
    )
    return {row[0]: (row[1], row[2]) for row in found}
