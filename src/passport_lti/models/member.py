"""People as a platform names them, and what they are in a context."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Member(Base):
    """A person of one platform. The same `sub` on another platform is somebody else.

    `external_id` is what the platform says of the person that Coursera is to know them by.
    `known_as` is that when they first went to Coursera, or what Coursera answered: it stays,
    whatever the platform says later. `told_at` is when we told Coursera so ourselves; without it
    Coursera may know them by something else. `learner_external_id` is the
    Coursera row that somebody confirmed to be this person's, as `matching.key` spells it: one row
    is at most one member's in a platform. `introduced_at`: when the person went on from the page
    that explains the first visit to Coursera.
    """

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("platform_id", "sub"),
        UniqueConstraint("platform_id", "learner_external_id"),
        # A plan that has read an id must not find somebody else by it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id"))
    sub: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")
    given_name: Mapped[str] = mapped_column(String(255), default="", server_default="")
    family_name: Mapped[str] = mapped_column(String(255), default="", server_default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    external_id: Mapped[str] = mapped_column(String(320), default="")
    known_as: Mapped[str | None] = mapped_column(String(320))
    told_at: Mapped[datetime | None] = mapped_column(Moment)
    learner_external_id: Mapped[str | None] = mapped_column(String(320))
    seen_at: Mapped[datetime] = mapped_column(Moment)
    introduced_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def coursera_id(self) -> str:
        """The external id for everything that Coursera is told; empty where nothing is known."""
        return self.known_as or self.external_id


class Membership(Base):
    """What a member is in a context; `gone` once the roster does not list the person any more."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("context_fk", "member_fk"),
        CheckConstraint("role IN ('learner', 'instructor', 'none')", name="role"),
        CheckConstraint("state IN ('active', 'gone')", name="state"),
        Index("ix_membership_member", "member_fk"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    member_fk: Mapped[int] = mapped_column(ForeignKey("member.id"))
    role: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="active")

    member: Mapped[Member] = relationship()
