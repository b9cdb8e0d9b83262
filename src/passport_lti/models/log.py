"""What happened: launches (each nonce once) and sync runs."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.types import Moment

TAUGHT_LAUNCHES = text("(role IN ('instructor', 'admin') OR seatless = 'teaches')")
"""Launches of somebody who teaches there; a condition in the words of its index."""


class LaunchLog(Base):
    """One LTI message and its verdict. An accepted one consumes its nonce: `nonce` is unique.

    `seatless`: why the person may take no seat at Coursera, where the role alone does not say it.
    `verdict` is `ok` or the code of the refusal. `proven`: it bore the signature of its platform;
    a refused one without only claims to come from there. `administers`: the platform calls the
    person an administrator of its site. `pending` until a browser without our cookie
    confirmed who it is; `answered_at` once its picker was used, which works one time.
    """

    __tablename__ = "launch_log"
    __table_args__ = (
        Index("ix_launch_log_at", "at"),
        Index("ix_launch_log_platform", "platform_id", "id"),
        Index(
            "ix_launch_log_taught", "member_fk", "context_fk",
            sqlite_where=TAUGHT_LAUNCHES, postgresql_where=TAUGHT_LAUNCHES,
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    correlation_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(Moment)
    verdict: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str | None] = mapped_column(String(64), unique=True)
    message_type: Mapped[str] = mapped_column(String(64), default="")
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id"))
    proven: Mapped[bool] = mapped_column(default=False)
    context_fk: Mapped[int | None] = mapped_column(ForeignKey("context.id"))
    activity_fk: Mapped[int | None] = mapped_column(ForeignKey("activity.id"))
    member_fk: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    role: Mapped[str] = mapped_column(String(16), default="")
    administers: Mapped[bool] = mapped_column(default=False)
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


class SyncShare(Base):
    """What one sync run did for one platform: what its own administrators may see of the run.

    `problem` names nothing of another platform. A scheduled run only reads; what it finds is
    sent by deliveries between the runs.
    """

    __tablename__ = "sync_share"
    __table_args__ = (Index("ix_sync_share_platform", "platform_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_fk: Mapped[int] = mapped_column(ForeignKey("sync_run.id", ondelete="CASCADE"), index=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id"))
    courses: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(255))

    run: Mapped[SyncRun] = relationship()
