"""Activities: what an instructor chose to show of Coursera in a context."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from passport_lti.extensions import Base
from passport_lti.grades import Choice, Points
from passport_lti.models.context import Context, ResourceLink
from passport_lti.models.types import Moment

LACKING = "?"
"""Ends the `planned_digest` of an activity that lacks a column or whose news was left in part."""


class Activity(Base):
    """A resource link + program + course + strategy + choice.

    It begins with the deep linking answer, when its resource link is not known yet; the first
    launch or the platform's line items bind it. `items` is a comma list, empty for all items.
    `linked_as` are the link's `custom` values as last seen: the instructor may have changed the
    option here since, but new values there mean that the content was chosen anew.
    `planned_digest` is the sweep that its cells were last planned from; empty: plan again. During a
    plan it is a note of that, which whoever brings news takes off.
    """

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("points IN ('100', 'weight')", name="points"),
        CheckConstraint("state IN ('published', 'standing', 'retired')", name="state"),
        Index("ix_activity_course", "course_id", "program_id"),
        Index("ix_activity_context", "context_fk"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    context_fk: Mapped[int] = mapped_column(ForeignKey("context.id"))
    resource_link_fk: Mapped[int | None] = mapped_column(
        ForeignKey("resource_link.id"), unique=True
    )
    connection: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[str] = mapped_column(String(64))
    course_id: Mapped[str] = mapped_column(String(64))
    strategy: Mapped[str] = mapped_column(String(64))
    items: Mapped[str] = mapped_column(Text, default="")
    include_final: Mapped[bool] = mapped_column(default=False)
    points: Mapped[str] = mapped_column(String(16), default=Points.HUNDRED.value)
    title: Mapped[str] = mapped_column(String(500), default="")
    linked_as: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="published")
    problem: Mapped[str | None] = mapped_column(String(64))
    planned_digest: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)

    context: Mapped[Context] = relationship()
    resource_link: Mapped[ResourceLink | None] = relationship()

    @property
    def lacks_columns(self) -> bool:
        return self.planned_digest.endswith(LACKING)

    @property
    def choice(self) -> Choice:
        return Choice(
            items=tuple(filter(None, self.items.split(","))),
            include_final=self.include_final,
            points=Points(self.points),
        )

    @choice.setter
    def choice(self, choice: Choice) -> None:
        self.items = ",".join(choice.items)
        self.include_final = choice.include_final
        self.points = choice.points.value
