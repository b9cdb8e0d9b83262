"""Who is who in a course, as last found: kept for the pages and the status."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select

from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.models import Context, Match, UnmatchedLearner
from passport_lti.sync import outbox
from passport_lti.sync.matching import Matching, key


def store(
    context: Context, course: Course, found: Sweep, matching: Matching, present: Collection[int]
) -> None:
    """Remember who is who, and who is left over, for the pages and the status.

    Of those who are `present`, and of those whose row is now another's, the cells that a lost row
    fed are withdrawn. A row that Coursera reports no more is not lost: its grades stand.
    """
    place = {
        "context_fk": context.id, "program_id": found.program_id, "course_id": course.id,
    }  # fmt: skip
    before = {
        row.member_fk: key(row.external_id)
        for row in db.session.execute(
            select(Match.member_fk, Match.external_id).filter_by(**place, state="matched")
        )
    }
    names = {learner.external_id: learner.full_name[:255] for learner in found.learners}
    lost = _lost(before, matching, {key(row) for row in names}, present)
    outbox.withdraw(context.id, course.id, lost)
    for table in (Match, UnmatchedLearner):
        db.session.execute(delete(table).filter_by(**place))
    rows = {
        member: Match(**place, member_fk=member, external_id=row, state="ambiguous")
        for row, candidates in matching.ambiguous.items()
        for member in candidates
    }
    for row, (member, rule) in matching.members.items():
        rows[member] = Match(**place, member_fk=member, external_id=row, state="matched", by=rule)
    for match in rows.values():
        match.name = names.get(match.external_id, "")
    db.session.add_all(rows.values())
    left_over = [(row, "unmatched") for row in matching.unmatched]
    left_over += [(row, "ambiguous") for row in matching.ambiguous]
    db.session.add_all(
        UnmatchedLearner(**place, external_id=row, name=names.get(row, ""), state=state)
        for row, state in left_over
    )
    db.session.flush()


def _lost(
    before: Mapping[int, str],
    matching: Matching,
    reported: Collection[str],
    present: Collection[int],
) -> list[int]:
    """The members whose row of the last time is another's now, nobody's, or not their only one."""
    owners = {key(row): member for row, (member, _) in matching.members.items()}
    now = {member: row for row, member in owners.items()}
    return [
        member
        for member, row in before.items()
        if now.get(member) != row
        and (member in now or row in owners or (member in present and row in reported))
    ]
