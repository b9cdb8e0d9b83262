"""What Coursera was asked to do for people: an outbox and a record in one."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.member import Member
from passport_lti.models.types import Moment


class Provision(Base):
    """One thing done, or to be done, for a member in one program of one organisation.

    `step`: invite, join (a membership) or enroll; `course_id` is empty but for enroll, which
    waits for its join. `external_id` is what Coursera calls the person by our word or its own.
    `state`: due, done, rejected (Coursera refuses; the next launch tries again) or held
    (something is missing that `reason` names). `outcome`: created, or existed before.
    """

    __tablename__ = "provision"
    __table_args__ = (
        UniqueConstraint("member_fk", "connection", "program_id", "step", "course_id"),
        CheckConstraint("step IN ('invite', 'join', 'enroll')", name="step"),
        CheckConstraint("state IN ('due', 'done', 'rejected', 'held')", name="state"),
        CheckConstraint("outcome IN ('created', 'existed')", name="outcome"),
        Index("ix_provision_program", "connection", "program_id"),
        Index(
            "ix_provision_due",
            "due_at",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_fk: Mapped[int] = mapped_column(ForeignKey("member.id"))
    connection: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[str] = mapped_column(String(64))
    course_id: Mapped[str] = mapped_column(String(64), default="")
    step: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str] = mapped_column(String(320), default="")
    state: Mapped[str] = mapped_column(String(16), default="due")
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(255), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)

    member: Mapped[Member] = relationship()
