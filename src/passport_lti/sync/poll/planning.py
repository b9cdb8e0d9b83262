"""Planning: what a sweep of one course changes in the contexts that use it."""

import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select, update

from passport_lti.coursera.addresses import addresses
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.scale import Scale
from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db
from passport_lti.grades import Course
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, Context, UnmatchedLearner
from passport_lti.models.activity import LACKING
from passport_lti.sync import holds, leases
from passport_lti.sync.columns import differences
from passport_lti.sync.columns import upkeep as columns
from passport_lti.sync.columns.doubles import DOUBLED
from passport_lti.sync.people import erased, roster
from passport_lti.sync.people import found as people
from passport_lti.sync.people.matching import Matching
from passport_lti.sync.poll import planned
from passport_lti.sync.poll.cells import Cells, Line
from passport_lti.sync.poll.planned import Last
from passport_lti.sync.services import Services

LEASE = timedelta(seconds=20)
Activities = Sequence[Activity]
Check = Callable[[], None]


@dataclass(frozen=True)
class Planning:
    """One course as of one sweep, for all the contexts that use it.

    `began` is when the run began, so that several courses of a context read its roster once;
    `asked`: by a person, who may know of news about people that Coursera does not report.
    """

    services: Services
    client: CourseraClient
    course: Course
    found: Sweep
    scale: Scale | None
    began: datetime
    asked: bool

    def plan(self, context: Context, activities: Activities) -> int:
        """Bring columns and cells of a context in line with the sweep; returns cells changed.

        One process at a time plans a context; the next one finds what it has stored. Raises Lost
        where another one is at it and does not come to an end: the next poll plans again.
        """
        if not self._is_news(context, activities):
            return 0
        if self.services.rehearsal:
            return self._plan(context, activities, lambda: None)
        db.session.commit()
        name, holder = f"plan:{context.id}", secrets.token_hex(8)
        with leases.held(self.services, name, holder, LEASE) as hold:
            db.session.expire_all()
            if not self._is_news(context, activities):
                return 0
            if hold is None:
                raise leases.Lost("another process is at it")
            return self._plan(context, activities, hold.check)

    def _digest(self, context: Context) -> str:
        """Stands for everything that a plan depends on besides the activity and the roster."""
        rules = settings_of(context.deployment.platform).identity.match_by
        return hashlib.sha256(repr((self._seen, rules)).encode()).hexdigest()[:63]

    @cached_property
    def _seen(self) -> tuple[object, ...]:
        sync = self.services.config.sync
        seen = (self.found.digest, self.scale, self.course.items)
        return (*seen, sync.grade_policy, sync.in_progress)

    def _is_news(self, context: Context, activities: Activities) -> bool:
        """Whether anything of a context may have to change: grades, columns or people."""
        if not self._is_planned(context, activities) or self._is_stale(context):
            return True
        if self._awaits_a_teacher(activities):
            return True
        waiting = [activity for activity in activities if activity.lacks_columns]
        if not waiting:
            return False
        # What such an activity was without may have been found by another course's plan.
        lacking = differences.lacking(activities, self.course)
        return any(activity.id not in lacking for activity in waiting) or differences.differ(
            activities, self.course, self.services.clock()
        )

    def _awaits_a_teacher(self, activities: Activities) -> bool:
        """Whether a person asks who may just have deleted a double in the gradebook."""
        return self.asked and any(activity.problem == DOUBLED for activity in activities)

    def _is_planned(self, context: Context, activities: Activities) -> bool:
        digest = self._digest(context)
        known = (digest, digest + LACKING)
        return all(activity.planned_digest in known for activity in activities)

    def _is_stale(self, context: Context) -> bool:
        strangers = db.session.scalar(
            select(UnmatchedLearner.id).where(
                UnmatchedLearner.context_fk == context.id,
                UnmatchedLearner.program_id == self.found.program_id,
                UnmatchedLearner.course_id == self.course.id,
            )
        )
        now = self.services.clock()
        if roster.is_stale(context, now, unmatched=strangers is not None):
            return True
        awaited = self.asked and context.memberships_url is not None
        return awaited and not self._is_fresh(context) and holds.waits_for_people(context.id)

    def _is_fresh(self, context: Context) -> bool:
        return context.roster_read_at is not None and context.roster_read_at >= self.began

    def _is_over(self, context: Context) -> bool:
        """Whether the context was found to be deleted a short while ago."""
        return context.roster_problem == "context_gone" and not roster.is_stale(
            context, self.services.clock(), unmatched=False
        )

    def _plan(self, context: Context, activities: Activities, check: Check) -> int:
        """Read the roster once in a run, see to the columns, store who is who and the cells.

        `check` raises where another process may be planning this context by now.
        """
        if not self._is_fresh(context) and not self._is_over(context):
            roster.refresh(self.services, context)
        begun = _begin(activities)
        self._learn_addresses(context)
        look = self._awaits_a_teacher(activities) or differences.is_old(
            context, self.services.clock()
        )
        undone = columns.ensure(self.services, context, activities, self.course, check, look=look)
        check()
        self._decide(context)
        targets = columns.targets(activities, self.course)
        cells = Cells(self.services, self.found, self.scale, targets)
        count, is_whole = cells.plan(self._lines(context), check)
        if context.roster_problem in (None, "context_gone"):
            digest = self._digest(context)
            whole = [a for a in activities if is_whole and a.id not in undone]
            _end(whole, begun, digest)
            _end([a for a in activities if a not in whole], begun, digest + LACKING)
        db.session.commit()
        return count

    def _lines(self, context: Context) -> Iterator[Line]:
        """The learners of the report who are members here, or were, in the report's order."""
        base, place = self.found.scratch, (context.id, self.found.program_id, self.course.id)
        base.execute("DROP TABLE IF EXISTS unmarked")
        base.execute("CREATE TABLE unmarked (member INTEGER PRIMARY KEY, match_id INTEGER)")
        base.executemany("INSERT INTO unmarked VALUES (?, ?)", planned.unmarked(*place))
        for place, fingerprint, member, match_id, mark, is_away in base.execute(_LINES):
            last = None if match_id is None else Last(match_id, mark)
            yield Line(place, fingerprint, member, last, bool(is_away))

    def _learn_addresses(self, context: Context) -> None:
        """Ask for e-mails that the report lacks, once in a run, and only where one may help.

        Must be called without an open write: the call takes its time.
        """
        rules = settings_of(context.deployment.platform).identity.match_by
        nameless = any(not row.email and "@" not in row.external_id for row in self.found.learners)
        if "email" not in rules or not nameless:
            return
        matching = Matching(self.found.scratch, rules)
        matching.decide(
            itertools.chain(roster.identities(context), roster.identities(context, gone=True))
        )
        if matching.awaits_addresses():
            db.session.commit()
            self.found.complete(self._addresses)

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return addresses(self.client, self.found.program_id)

    def _decide(self, context: Context) -> None:
        """Decide who is who, and store it; rows of those who have left are theirs still."""
        platform = context.deployment.platform
        rules = settings_of(platform).identity.match_by
        matching = Matching(self.found.scratch, rules, roster.confirmed(context))
        matching.decide(roster.identities(context))
        people.store(
            context,
            self.course,
            self.found,
            present=roster.learners(context),
            forgotten=erased.among(self.services.tool, platform.id, matching.strangers()),
        )
        matching.decide(roster.identities(context, gone=True), state="away")


def _begin(activities: Activities) -> tuple[str, str]:
    """Note that these are being planned from what is stored now; commits.

    Whoever brings news before the end takes the note off, so that they are planned again.
    """
    note = secrets.token_hex(8)
    for activity in activities:
        is_waiting = not activity.planned_digest or activity.lacks_columns
        activity.planned_digest = note + LACKING if is_waiting else note
    db.session.commit()
    return note, note + LACKING


def _end(activities: Activities, begun: tuple[str, str], digest: str) -> None:
    """Note what these are planned from, but where there was news meanwhile. Flushes only."""
    theirs = Activity.id.in_([activity.id for activity in activities])
    db.session.execute(
        update(Activity)
        .where(theirs, Activity.planned_digest.in_(begun))
        .values(planned_digest=digest)
        .execution_options(synchronize_session=False)
    )


_LINES = """
SELECT l.place, l.fingerprint, v.member, coalesce(u.match_id, s.id),
    CASE WHEN u.match_id IS NULL THEN s.kept END, v.state = 'away'
FROM verdicts v JOIN learners l ON l.id = v.learner
LEFT JOIN unmarked u ON u.member = v.member AND v.state = 'matched'
LEFT JOIN stored_members s ON s.member_fk = v.member AND v.state = 'matched'
WHERE v.state IN ('matched', 'away') ORDER BY v.learner"""
"""A match without a mark is read once more, as it may be new or have lost it."""
