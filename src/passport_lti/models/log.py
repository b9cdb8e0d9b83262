"""What happened: launches (each nonce once) and sync runs."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class LaunchLog(Base):
    """One LTI message and its verdict. An accepted one consumes its nonce: `nonce` is unique.

    `seatless`: why the person may take no seat at Coursera, where the role alone does not say it.
    `verdict` is `ok` or the code of the refusal. `pending` until a browser without our cookie
    confirmed who it is; `answered_at` once its picker was used, which works one time.
    """

    __tablename__ = "launch_log"
    __table_args__ = (Index("ix_launch_log_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    correlation_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(Moment)
    verdict: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str | None] = mapped_column(String(64), unique=True)
    message_type: Mapped[str] = mapped_column(String(64), default="")
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id"))
    context_fk: Mapped[int | None] = mapped_column(ForeignKey("context.id"))
    activity_fk: Mapped[int | None] = mapped_column(ForeignKey("activity.id"))
    member_fk: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    role: Mapped[str] = mapped_column(String(16), default="")
    seatless: Mapped[str | None] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(16), default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)


class SyncRun(Base):
    """One poll of Coursera followed by deliveries, with its counts."""

    __tablename__ = "sync_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    correlation_id: Mapped[str] = mapped_column(String(32))
    trigger: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(Moment, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    courses: Mapped[int] = mapped_column(default=0)
    polled: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(255))
