"""What a strategy answers, and the few things that all strategies share."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from passport_lti.grades import MAXIMUM, Choice, Column, Course, GradableItem, Link, Owner, Points

_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_~.-]{1,64}")
LABEL_LENGTH = 255
"""The longest title that a Moodle before 5.1 accepts."""


class GradeSyncStrategy(ABC):
    """Decide how a Coursera course appears in a context and its gradebook. No I/O.

    `key` is the name in YAML, in deep links and in the line items' tag; `title` and `summary` are
    what an instructor reads when choosing.
    """

    key: str
    title: str
    summary: str

    @abstractmethod
    def links(self, course: Course, choice: Choice) -> list[Link]:
        """The content items that an instructor's choice adds to the context."""

    @abstractmethod
    def columns(self, course: Course, choice: Choice) -> list[Column]:
        """The line items whose cells the sync keeps up to date, in gradebook order."""

    def item_column(
        self, course: Course, item: GradableItem, choice: Choice, owner: Owner
    ) -> Column:
        """The column of one item: named after it, worth 100 points or its weight."""
        return Column(
            resource_id=f"coursera:{course.id}:{item.id}",
            label=named(item),
            maximum=points(item, choice, owner),
            owner=owner,
            item_id=item.id,
            tag=self.key,
        )

    def final_column(self, course: Course) -> Column:
        """The column of the course grade, which comes with the activity."""
        return Column(
            resource_id=f"coursera:{course.id}",
            label=named(course),
            maximum=MAXIMUM,
            owner=Owner.PLATFORM,
            tag=self.key,
        )

    def course_link(self, course: Course, choice: Choice, column: Column | None) -> Link:
        """One link to the whole course."""
        return Link(
            title=named(course),
            text=f"Opens the course on Coursera. {self.summary}",
            custom=custom(self.key, course, choice),
            column=column,
        )


def points(item: GradableItem, choice: Choice, owner: Owner) -> float:
    """100, or 100 x weight; a platform's own column takes integers from 1 to 100 only."""
    if choice.points is Points.HUNDRED or item.weight is None:
        return MAXIMUM
    exact = round(item.weight * 100, 5)
    if owner is Owner.TOOL:
        return exact if exact > 0 else 1.0
    return float(min(max(round(exact), 1), 100))


def custom(strategy: str, course: Course, choice: Choice, item: str = "") -> Mapping[str, str]:
    """The link's `custom` values: all that is needed to serve it, even in a copied context."""
    values = {
        "coursera_program": course.program_id,
        "coursera_course": course.id,
        "strategy": strategy,
        "include_final": "1" if choice.include_final else "0",
        "points": choice.points.value,
    }
    if item:
        values["coursera_item"] = item
    elif choice.items:
        values["items"] = ",".join(choice.items)
    return values


def named(thing: Course | GradableItem) -> str:
    """What people read for a course or an item; its id where Coursera gives it no name."""
    return shortened(thing.name) or thing.id


def shortened(text: str) -> str:
    """A title that every platform accepts: one line, at most 255 characters."""
    text = " ".join(text.split())
    return text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a link's `custom` values say: the course, the strategy and the choice."""

    program_id: str
    course_id: str
    strategy: str
    choice: Choice


def read_custom(values: Mapping[str, str]) -> Chosen | None:
    """The inverse of `custom`; None where no content was chosen yet.

    Raises ValueError for values that we never wrote: ids become parts of addresses.
    """
    program, course = values.get("coursera_program", ""), values.get("coursera_course", "")
    if not program and not course:
        return None
    item = values.get("coursera_item", "")
    items = [item] if item else [i for i in values.get("items", "").split(",") if i]
    for identifier in (program, course, values.get("strategy", ""), *items):
        if not _ID.fullmatch(identifier):
            raise ValueError("a Coursera id in the activity's custom parameters is not one")
    return Chosen(
        program_id=program,
        course_id=course,
        strategy=values["strategy"],
        choice=Choice(
            items=tuple(items),
            include_final=values.get("include_final") == "1",
            points=Points(values.get("points", Points.HUNDRED)),
        ),
    )
