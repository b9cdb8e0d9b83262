"""Leases: one holder at a time, found out by whoever asks, given up by whoever dies."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Lease(Base):
    """A named right, e.g. to be the one active scheduler, until a time."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(Moment)
