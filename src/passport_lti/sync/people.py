"""Who is who in a course, as last found: kept for the pages and the status."""

from sqlalchemy import delete, select

from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.models import Context, Match, UnmatchedLearner
from passport_lti.sync import outbox
from passport_lti.sync.matching import Matching


def store(context: Context, course: Course, found: Sweep, matching: Matching) -> None:
    """Remember who is who, and who is left over, for the pages and the status.

    A member whose row is another one now starts afresh: its times say nothing about the old one.
    """
    stored = db.session.execute(
        select(Match.member_fk, Match.external_id).where(
            Match.context_fk == context.id, Match.course_id == course.id
        )
    )
    before = {row.member_fk: row.external_id for row in stored}
    for table in (Match, UnmatchedLearner):
        db.session.execute(
            delete(table).where(table.context_fk == context.id, table.course_id == course.id)
        )
    place = {"context_fk": context.id, "course_id": course.id}
    people: dict[int, Match] = {}
    for row, (member, rule) in matching.members.items():
        people[member] = Match(**place, member_fk=member, external_id=row, state="matched", by=rule)
    for row, candidates in matching.ambiguous.items():
        for member in candidates:
            if member not in people:
                people[member] = Match(
                    **place, member_fk=member, external_id=row, state="ambiguous"
                )
    db.session.add_all(people.values())
    moved = [
        member
        for member, match_ in people.items()
        if before.get(member, match_.external_id) != match_.external_id
    ]
    outbox.forget_times(context.id, course.id, moved)
    names = {learner.external_id: learner.full_name for learner in found.learners}
    left_over = [(row, "unmatched") for row in matching.unmatched]
    left_over += [(row, "ambiguous") for row in matching.ambiguous]
    db.session.add_all(
        UnmatchedLearner(**place, external_id=row, name=names.get(row, "")[:255], state=state)
        for row, state in left_over
    )
    db.session.flush()
