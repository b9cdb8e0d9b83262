"""Line items (columns) and cells: the gradebook that we keep up to date, and the outbox.

The outbox *is* the score table: one row per cell. Wanted differs from delivered: work to do.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.context import Context
from passport_lti.models.member import Member
from passport_lti.models.types import Moment


class LineItem(Base):
    """A column that stands in a platform's gradebook.

    `resource_link_id` is set for a coupled one. `label` and `wanted_maximum` are what we last
    wanted of a column of ours (no label: adopted as it was); where the platform shows another
    name, a teacher renamed it. `maximum` is what the platform counts by.
    `state`: active, idle (no activity wants it any more), gone (the platform lost it) or double
    (another one of ours stands for the same thing). `made`: the platform answered to our own
    request with this address, so it is ours to delete.
    """

    __tablename__ = "line_item"
    __table_args__ = (
        UniqueConstraint("context_fk", "url"),
        CheckConstraint("owner IN ('platform', 'tool')", name="owner"),
        CheckConstraint("state IN ('active', 'idle', 'gone', 'double')", name="state"),
        CheckConstraint("maximum > 0", name="maximum"),
        Index(
            "uq_line_item_standing_tool",
            "context_fk",
            "resource_id",
            unique=True,
            sqlite_where=text("owner = 'tool' AND state IN ('active', 'idle')"),
            postgresql_where=text("owner = 'tool' AND state IN ('active', 'idle')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    url: Mapped[str] = mapped_column(String(1000))
    resource_id: Mapped[str] = mapped_column(String(255))
    resource_link_id: Mapped[str | None] = mapped_column(String(255))
    owner: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(255), default="")
    maximum: Mapped[float]
    wanted_maximum: Mapped[float]
    tag: Mapped[str] = mapped_column(String(255), default="")
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16), default="active")
    made: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Moment)

    context: Mapped[Context] = relationship()


class Cell(Base):
    """One member in one line item: what it should hold, what it holds, and why not.

    `state`: due (to be sent at `due_at`), delivered, held (deliberately not sent), rejected (the
    platform refused it; tried again at `due_at`, if any) or superseded (nothing wants it now).
    A claim sets `claimed_by` and `claimed_until`; `version` rises with every new wanted value, so
    an outcome is recorded only for the value that was sent. `attempted_given` is noted before a
    call, so that a value whose answer was lost is recognised as ours. `sent_stamp` is the timestamp
    of the last score sent, in whole epoch seconds, strictly rising.
    """

    __tablename__ = "cell"
    __table_args__ = (
        UniqueConstraint("line_item_fk", "member_fk"),
        CheckConstraint(
            "state IN ('delivered', 'due', 'held', 'rejected', 'superseded')", name="state"
        ),
        CheckConstraint(
            "state <> 'delivered' OR delivered_given IS NOT NULL", name="delivered_value"
        ),
        Index("ix_cell_due", "due_at", sqlite_where=text("due_at IS NOT NULL"),
              postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_cell_member", "member_fk"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    line_item_fk: Mapped[int] = mapped_column(ForeignKey("line_item.id"))
    member_fk: Mapped[int] = mapped_column(ForeignKey("member.id"))
    wanted_given: Mapped[float | None]
    wanted_maximum: Mapped[float]
    completed: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    attempted_given: Mapped[float | None]
    delivered_given: Mapped[float | None]
    delivered_maximum: Mapped[float | None]
    delivered_completed: Mapped[bool | None]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    forced: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    sent_stamp: Mapped[int] = mapped_column(default=0)
    coursera_at: Mapped[datetime | None] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)

    line_item: Mapped[LineItem] = relationship()
    member: Mapped[Member] = relationship()
