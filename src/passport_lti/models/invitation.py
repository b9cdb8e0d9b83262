"""One-time invitations for platforms that register themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Invitation(Base):
    """The right to register one platform under a name; `secret_hash` is a SHA-256 in hex.

    `platform_fk` is the platform that used it, at `used_at`.
    """

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    coursera: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    platform_fk: Mapped[int | None] = mapped_column(ForeignKey("platform.id"))
