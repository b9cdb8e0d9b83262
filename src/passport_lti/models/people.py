"""Coursera learners that belong to nobody in a context, so that a person can settle it."""

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base


class UnmatchedLearner(Base):
    """A row of a course's reports that fits no member (or several) of a context."""

    __tablename__ = "unmatched_learner"
    __table_args__ = (
        UniqueConstraint("context_fk", "program_id", "course_id", "external_id"),
        CheckConstraint("state IN ('unmatched', 'ambiguous')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    program_id: Mapped[str] = mapped_column(String(64))
    course_id: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16), default="unmatched")


class Match(Base):
    """Whose Coursera row is whose, as last found in a context; `by` says how.

    `name` is what Coursera calls the person. `mark` and `planned` stand for what was last planned
    from the row (`sync.poll.planned`); without them all of its cells are looked at.
    """

    __tablename__ = "match"
    __table_args__ = (
        UniqueConstraint("context_fk", "member_fk", "program_id", "course_id"),
        CheckConstraint("state IN ('matched', 'ambiguous')", name="state"),
        # What was planned from one match must not be noted of another.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    member_fk: Mapped[int] = mapped_column(ForeignKey("member.id"))
    program_id: Mapped[str] = mapped_column(String(64))
    course_id: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16))
    by: Mapped[str | None] = mapped_column(String(16))
    mark: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    planned: Mapped[bytes | None] = mapped_column(LargeBinary)
