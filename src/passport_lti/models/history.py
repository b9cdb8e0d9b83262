"""What cells were before they changed: the audit trail behind the gradebook."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class CellChange(Base):
    """What a cell was until `at`, when `cause` changed it.

    What it became stands in its next row, or in the cell itself: a cell that was read and
    delivered once has no row here, so a first sync costs nothing. Deliveries show as a new
    `accepted_at`. `because` is the reason that the cell got by the change, if it got one. No
    person is named: whose cell it is, is known through the cell alone.
    """

    __tablename__ = "cell_change"
    __table_args__ = (
        Index("ix_cell_change_cell", "cell_fk"),
        Index("ix_cell_change_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cell_fk: Mapped[int] = mapped_column(ForeignKey("cell.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    cause: Mapped[str] = mapped_column(String(16))
    because: Mapped[str | None] = mapped_column(String(64))
    wanted_given: Mapped[float | None]
    wanted_maximum: Mapped[float]
    delivered_given: Mapped[float | None]
    delivered_maximum: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    coursera_at: Mapped[datetime | None] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
