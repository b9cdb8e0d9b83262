"""Courses whose last readings failed."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class PollFailure(Base):
    """A course that could not be read `count` times in a row, the last time `at`."""

    __tablename__ = "poll_failure"

    connection: Mapped[str] = mapped_column(String(64), primary_key=True)
    program_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    course_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
