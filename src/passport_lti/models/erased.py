"""Who was erased, known only by a keyed mark: nobody can read a person from it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Erased(Base):
    """A name in Coursera's reports that is not to be stored again as one that fits nobody.

    `mark` is an HMAC-SHA256 of the name under the tool's secret key, in hex.
    """

    __tablename__ = "erased"

    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
