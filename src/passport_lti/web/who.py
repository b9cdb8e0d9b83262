"""Who is who in an activity, for the people page: what is matched, what is left over. Reads only.

The people of other contexts do not appear: of Coursera's rows, those that belong to somebody of
another context of the platform are only counted.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import func, or_, select

from passport_lti.coursera.rows import key
from passport_lti.extensions import db
from passport_lti.models import (
    Activity,
    Context,
    Deployment,
    Match,
    Member,
    Membership,
    UnmatchedLearner,
)
from passport_lti.sync.people.suggestions import Named, Suggestion, suggestions

FEW = 200
"""So many rows are named in a statement; older SQLite takes 999 values."""


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the course's report. `id` stands for its external id in addresses and forms."""

    id: str
    external_id: str
    name: str
    state: str
    member: int | None = None
    by: str | None = None

    @property
    def title(self) -> str:
        return self.name or self.external_id


@dataclass(frozen=True, slots=True)
class Hint:
    """Somebody whom a row or a participant may belong to, and why."""

    account: Account
    member: Member
    why: str
    likeness: int


class Who:
    """Both sides of one activity's course in its context."""

    def __init__(self, activity: Activity) -> None:
        self.members: dict[int, Member] = {m.id: m for m in _learners(activity.context_fk)}
        self.accounts: dict[str, Account] = {}
        self.torn: set[int] = set()
        """Learners whom a rule finds, but not alone, or by several rows."""
        for match in _matches(activity):
            if match.state == "matched" and match.member_fk in self.members:
                account = Account(account_id(match.external_id), match.external_id, match.name,
                                  "matched", match.member_fk, match.by)  # fmt: skip
                self.accounts[account.id] = account
            elif match.state == "ambiguous":
                self.torn.add(match.member_fk)
        strangers = _strangers(activity)
        found = _accounts(activity, strangers)
        for account in found:
            self.accounts.setdefault(account.id, account)
        self.hidden = len(strangers) - len(found)

    @cached_property
    def account_of(self) -> Mapping[int, Account]:
        return {a.member: a for a in self.accounts.values() if a.member is not None}

    @cached_property
    def left_over(self) -> list[Account]:
        """Rows that are nobody's, by name; those that fit several come first."""
        return _sorted(a for a in self.accounts.values() if a.state != "matched")

    @cached_property
    def participants(self) -> list[Member]:
        """Learners without a row."""
        return [m for m in self.members.values() if m.id not in self.account_of]

    @cached_property
    def confirmed(self) -> list[Member]:
        """Learners whom a person matched, in this context or another one of the platform."""
        return [m for m in self.members.values() if m.learner_external_id]

    @property
    def found(self) -> list[Member]:
        """Learners whom the rules matched."""
        return [m for m in self.members.values()
                if m.id in self.account_of and not m.learner_external_id]  # fmt: skip

    @property
    def ambiguous(self) -> int:
        return sum(account.state == "ambiguous" for account in self.left_over)

    def for_accounts(self, accounts: Sequence[Account]) -> dict[str, list[Hint]]:
        """Whose each of these rows may be, by the row's id."""
        free = [m for m in self.participants if not m.learner_external_id]
        found = suggestions([_row(a) for a in accounts], [_person(m) for m in free])
        return {str(row): [self._hint(str(row), hit.key, hit) for hit in hits]
                for row, hits in found.items()}  # fmt: skip

    def for_members(self, members: Sequence[Member]) -> dict[int, list[Hint]]:
        """Which of the rows that are left over may be each of these learners'."""
        free = [_person(m) for m in members if not m.learner_external_id]
        found = suggestions(free, [_row(a) for a in self.left_over])
        return {int(member): [self._hint(str(hit.key), member, hit) for hit in hits]
                for member, hits in found.items()}  # fmt: skip

    def _hint(self, row: str, member: int | str, hit: Suggestion) -> Hint:
        return Hint(self.accounts[row], self.members[int(member)], hit.why, hit.likeness)


def left_over_of(activity: Activity) -> list[Account]:
    """Rows that are nobody's, without all the rest that `Who` knows."""
    return _sorted(_accounts(activity, _strangers(activity)))


def account_id(external_id: str) -> str:
    """Stands for an external id where addresses and logs must not name people."""
    return hashlib.sha256(key(external_id).encode()).hexdigest()[:20]


def _sorted(accounts: Iterable[Account]) -> list[Account]:
    return sorted(accounts, key=lambda a: (a.state != "ambiguous", a.title.casefold(), a.id))


def _accounts(activity: Activity, strangers: Sequence[UnmatchedLearner]) -> list[Account]:
    """These rows but for those of people of other contexts."""
    elsewhere = _elsewhere(activity, strangers)
    return [
        Account(account_id(row.external_id), row.external_id, row.name, row.state)
        for row in strangers
        if row.state != "unmatched" or key(row.external_id) not in elsewhere
    ]


def _row(account: Account) -> Named:
    return Named(account.id, account.name, (account.external_id,))


def _person(member: Member) -> Named:
    return Named(member.id, member.name, (member.email, member.external_id))


def _learners(context: int) -> Sequence[Member]:
    return db.session.scalars(
        select(Member)
        .join(Membership, Membership.member_fk == Member.id)
        .where(
            Membership.context_fk == context,
            Membership.role == "learner",
            Membership.state == "active",
        )
        .order_by(Member.name, Member.id)
    ).all()


def _matches(activity: Activity) -> Sequence[Match]:
    place = {"context_fk": activity.context_fk, "program_id": activity.program_id}
    return db.session.scalars(select(Match).filter_by(**place, course_id=activity.course_id)).all()


def _strangers(activity: Activity) -> Sequence[UnmatchedLearner]:
    place = {"context_fk": activity.context_fk, "program_id": activity.program_id}
    return db.session.scalars(
        select(UnmatchedLearner).filter_by(**place, course_id=activity.course_id)
    ).all()


def _elsewhere(activity: Activity, strangers: Sequence[UnmatchedLearner]) -> set[str]:
    """The keys of these rows that belong to people of other contexts of the platform."""
    keys = {key(row.external_id) for row in strangers}
    if not keys:
        return set()
    query = (
        select(Match.external_id)
        .join(Context, Context.id == Match.context_fk)
        .join(Deployment, Deployment.id == Context.deployment_fk)
        .where(
            Deployment.platform_id == activity.context.deployment.platform_id,
            Match.context_fk != activity.context_fk,
            Match.state == "matched",
        )
    )
    if len(keys) <= FEW:
        spelt = [row.external_id for row in strangers]
        query = query.where(
            or_(func.lower(Match.external_id).in_(keys), Match.external_id.in_(spelt))
        )
    return {key(row) for row in db.session.scalars(query)} & keys
