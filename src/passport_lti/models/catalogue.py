"""What Coursera offers, as last read: programs, courses, gradable items, and the grade scale."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class CourseraScale(Base):
    """The scale that a connection's grades were found to have; it never differs per value."""

    __tablename__ = "coursera_scale"
    __table_args__ = (CheckConstraint("scale IN ('unit', 'percent')", name="scale"),)

    connection: Mapped[str] = mapped_column(String(64), primary_key=True)
    scale: Mapped[str] = mapped_column(String(16))
    evidence: Mapped[str] = mapped_column(String(255), default="")
    decided_at: Mapped[datetime] = mapped_column(Moment)


class Program(Base):
    """A Coursera program of one connection; `url` is its public address."""

    __tablename__ = "program"
    __table_args__ = (UniqueConstraint("connection", "program_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(500))
    url: Mapped[str] = mapped_column(String(1000), default="")
    read_at: Mapped[datetime] = mapped_column(Moment)


class ProgramCourse(Base):
    """A course as one program offers it. `digest` stands for the last sweep of its reports.

    `polled_at`, `asked_at`, `changed_at`: the last sweep, the last that a person asked for, and
    the last that brought news.
    """

    __tablename__ = "program_course"
    __table_args__ = (UniqueConstraint("program_fk", "course_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_fk: Mapped[int] = mapped_column(ForeignKey("program.id"))
    course_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(500))
    slug: Mapped[str] = mapped_column(String(255), default="")
    url: Mapped[str] = mapped_column(String(1000), default="")
    description: Mapped[str] = mapped_column(String(2000), default="")
    partner: Mapped[str] = mapped_column(String(255), default="")
    photo: Mapped[str] = mapped_column(String(1000), default="")
    read_at: Mapped[datetime] = mapped_column(Moment)
    items_read_at: Mapped[datetime | None] = mapped_column(Moment)
    polled_at: Mapped[datetime | None] = mapped_column(Moment)
    asked_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    poll_problem: Mapped[str | None] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64), default="")

    program: Mapped[Program] = relationship()


class CourseItem(Base):
    """A gradable item of a course in a program; `gone_at` once Coursera stopped listing it."""

    __tablename__ = "course_item"
    __table_args__ = (UniqueConstraint("program_course_fk", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    program_course_fk: Mapped[int] = mapped_column(ForeignKey("program_course.id"))
    item_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(500))
    type: Mapped[str] = mapped_column(String(64), default="")
    module: Mapped[str] = mapped_column(String(500), default="")
    position: Mapped[int] = mapped_column(default=0)
    weight: Mapped[float | None]
    gone_at: Mapped[datetime | None] = mapped_column(Moment)
