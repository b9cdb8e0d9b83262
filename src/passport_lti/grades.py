"""The words of a sync: what Coursera reports and what a gradebook should hold. Pure values.

Everything that travels between `coursera`, `strategies`, `sync` and `lti` is one of these.
Fractions are 0 to 1; points are on the scale of a line item's maximum; times are aware and UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MAXIMUM = 100.0
"""Points of a column, where the instructor did not choose weights."""


class Owner(StrEnum):
    """Who makes a line item: the platform with the link (coupled) or the tool (uncoupled)."""

    PLATFORM = "platform"
    TOOL = "tool"


class Points(StrEnum):
    """How many points a column is worth: always 100, or 100 x the item's weight."""

    HUNDRED = "100"
    WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class GradableItem:
    """One gradable item of a course; `weight` is its share of the course grade, 0 to 1."""

    id: str
    name: str
    order: int = 0
    weight: float | None = None
    type: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """A Coursera course as one program offers it; `items` are its gradable items in order."""

    program_id: str
    id: str
    name: str
    slug: str = ""
    items: tuple[GradableItem, ...] = ()

    def item(self, item_id: str) -> GradableItem | None:
        return next((item for item in self.items if item.id == item_id), None)


@dataclass(frozen=True, slots=True)
class Grade:
    """What Coursera says of one learner in one item or course.

    `fraction` is 0 to 1, or None where the scale of the feed is not known yet.
    """

    fraction: float | None
    completed: bool = True


@dataclass(frozen=True, slots=True)
class LearnerGrades:
    """One row of a course's gradebook report: one learner in one course of one program."""

    external_id: str
    program_id: str
    course_id: str
    email: str = ""
    full_name: str = ""
    final: Grade | None = None
    items: Mapping[str, Grade] = field(default_factory=dict)
    completed: bool = False
    last_activity_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What an instructor chose for one activity; it travels in the link's `custom` values.

    `items` are ids: the chosen ones, or empty for all items, now and later (option B).
    """

    items: tuple[str, ...] = ()
    include_final: bool = False
    points: Points = Points.HUNDRED


@dataclass(frozen=True, slots=True)
class Column:
    """A line item that a strategy wants; `item_id` is None for the course grade."""

    resource_id: str
    label: str
    maximum: float
    owner: Owner
    item_id: str | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A content item of a deep linking response; `column` is the coupled one, if it has one."""

    title: str
    text: str
    custom: Mapping[str, str]
    column: Column | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What a cell should hold: points on the column's scale, and whether the work is finished."""

    given: float
    maximum: float
    completed: bool = True

    @classmethod
    def of(cls, fraction: float, maximum: float, completed: bool = True) -> "Score":
        """Points for a fraction, with the five decimals that gradebooks keep."""
        return cls(round(fraction * maximum, 5), maximum, completed)
