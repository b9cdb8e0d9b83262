"""Platforms and their deployments: who may talk to us, and how we talk back."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class Platform(Base):
    """A Moodle site as registered: one issuer and client id.

    `settings` is a `PlatformSettings` as JSON, whether it came from YAML or from a registration.
    `failures` in a row have led to the pause until `paused_until`; `pause_wished`: the platform
    itself asked for it.
    `state`: active, absent (its YAML entry is gone) or removed (by command; stays so).
    """

    __tablename__ = "platform"
    __table_args__ = (
        UniqueConstraint("issuer", "client_id"),
        CheckConstraint("source IN ('yaml', 'registration')", name="source"),
        CheckConstraint("state IN ('active', 'absent', 'removed')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    auth_login_url: Mapped[str] = mapped_column(String(1000))
    auth_token_url: Mapped[str] = mapped_column(String(1000))
    key_set_url: Mapped[str] = mapped_column(String(1000))
    auth_audience: Mapped[str | None] = mapped_column(String(1000))
    source: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="active")
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    key_set: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    key_set_read_at: Mapped[datetime | None] = mapped_column(Moment)
    paused_until: Mapped[datetime | None] = mapped_column(Moment)
    paused_reason: Mapped[str | None] = mapped_column(String(64))
    pause_wished: Mapped[bool] = mapped_column(default=False, server_default=false())
    failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)

    deployments: Mapped[list["Deployment"]] = relationship(back_populates="platform")


class Deployment(Base):
    """One installation of the tool in a platform; an unknown one waits for approval."""

    __tablename__ = "deployment"
    __table_args__ = (
        UniqueConstraint("platform_id", "deployment_id"),
        CheckConstraint("state IN ('approved', 'waiting')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id"))
    deployment_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    first_seen_at: Mapped[datetime] = mapped_column(Moment)

    platform: Mapped[Platform] = relationship(back_populates="deployments")
