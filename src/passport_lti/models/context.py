"""Contexts (Moodle courses) and the resource links in them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.models.platform import Deployment
from passport_lti.models.types import Moment


class Context(Base):
    """A Moodle course that launched us; its service addresses come from the latest launch.

    `history` are the ids of the contexts it was copied from, nearest first.
    """

    __tablename__ = "context"
    __table_args__ = (UniqueConstraint("deployment_fk", "context_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_fk: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    context_id: Mapped[str] = mapped_column(String(255))
    label: Mapped[str] = mapped_column(String(255), default="")
    title: Mapped[str] = mapped_column(String(500), default="")
    history: Mapped[str] = mapped_column(Text, default="")
    line_items_url: Mapped[str | None] = mapped_column(String(1000))
    ags_scopes: Mapped[str] = mapped_column(Text, default="")
    memberships_url: Mapped[str | None] = mapped_column(String(1000))
    roster_read_at: Mapped[datetime | None] = mapped_column(Moment)
    roster_problem: Mapped[str | None] = mapped_column(String(255))
    line_items_read_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    deployment: Mapped[Deployment] = relationship()


class ResourceLink(Base):
    """One Moodle activity that launches us, or that the platform's line items name."""

    __tablename__ = "resource_link"
    __table_args__ = (UniqueConstraint("context_fk", "resource_link_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    resource_link_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(500), default="")
    line_item_url: Mapped[str | None] = mapped_column(String(1000))
    launched_at: Mapped[datetime | None] = mapped_column(Moment)

    context: Mapped[Context] = relationship()
