"""Leases: one holder at a time, given up by whoever finishes or dies."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Lease(Base):
    """A named right, e.g. to be the active scheduler or to make columns in a context."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(Moment)
