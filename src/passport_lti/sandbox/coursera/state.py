"""What the practice Coursera knows. Grades are fractions, moments are epoch milliseconds."""

from dataclasses import dataclass, field
from typing import NamedTuple

PASS_MARK = 0.8
UNGRADED = frozenset(("VIDEO", "SUPPLEMENT", "DISCUSSION_PROMPT", "UNGRADED_ASSIGNMENT"))
"""The types of items here that never have a grade."""


@dataclass(eq=False)
class Item:
    id: str
    name: str
    type: str
    weight: float = 0
    order: int = 0
    module: "Module | None" = None
    lesson: "Lesson | None" = None

    @property
    def gradable(self) -> bool:
        return self.type not in UNGRADED


@dataclass(eq=False)
class Lesson:
    id: str
    name: str
    items: list[Item] = field(default_factory=list)


@dataclass(eq=False)
class Module:
    id: str
    name: str
    lessons: list[Lesson] = field(default_factory=list)


@dataclass(eq=False)
class Course:
    id: str
    name: str
    slug: str
    partner: str
    description: str
    modules: list[Module] = field(default_factory=list)
    changed_at: int = 0
    all_items: tuple[Item, ...] = ()
    """In course order, ungraded ones too; kept by whoever changes the modules."""
    items: tuple[Item, ...] = ()
    """The gradable ones."""

    def item(self, name_or_id: "str | Item") -> Item:
        """Raises KeyError for an item that the course does not have."""
        for item in self.all_items:
            if item is name_or_id or name_or_id in (item.id, item.name):
                return item
        raise KeyError(f"{self.name} has no item {name_or_id}")

    def overall(self, grades: dict[str, float]) -> float | None:
        """The course grade: weighted, what is missing counts 0; None before the first grade."""
        total = earned = 0.0
        graded = False
        for item in self.items:
            total += item.weight
            grade = grades.get(item.id)
            if grade is not None:
                graded = True
                earned += item.weight * grade
        if not graded:
            return None
        return round(earned / total, 4) if total else 0.0


@dataclass(eq=False)
class Program:
    id: str
    name: str
    slug: str
    tagline: str
    root: "Root"
    courses: list[Course] = field(default_factory=list)
    seats: int | None = None
    """How many members the organisation has paid for; None: as many as come."""

    @property
    def url(self) -> str:
        return f"{self.root.url}/programs/{self.slug}"


@dataclass(eq=False)
class Root:
    """Where the server answers, known once it listens."""

    url: str = ""


@dataclass(eq=False)
class Person:
    """`key` is ours; `linked`: the organisation's sign-in is tied to a Coursera account."""

    key: str
    external_id: str
    email: str
    name: str
    linked: bool = False


@dataclass(eq=False)
class Membership:
    joined_at: int
    deleted_at: int | None = None


class Event(NamedTuple):
    """Something a learner did; `value` None takes a grade or a completion away."""

    at: int
    kind: str  # "grade", "view", "complete"
    item_id: str
    value: float | None


@dataclass
class Standing:
    """Where a learner stands in a course after some events."""

    grades: dict[str, float] = field(default_factory=dict)
    viewed: set[str] = field(default_factory=set)
    completed_at: int | None = None
    last_activity: int = 0

    def apply(self, event: Event) -> None:
        self.last_activity = max(self.last_activity, event.at)
        if event.kind == "complete":
            self.completed_at = None if event.value is None else event.at
        elif event.kind == "view":
            self.viewed.add(event.item_id)
        elif event.value is None:
            self.grades.pop(event.item_id, None)
        else:
            self.grades[event.item_id] = event.value


@dataclass(eq=False)
class Enrollment:
    """A person in a course through a program."""

    program: Program
    course: Course
    person: Person
    enrolled_at: int
    standing: Standing = field(default_factory=Standing)
    events: list[Event] = field(default_factory=list)

    def record(self, event: Event) -> None:
        self.events.append(event)
        self.standing.apply(event)

    def as_of(self, moment: float) -> Standing:
        """The standing at an earlier moment: what late reports show."""
        if self.standing.last_activity <= moment:
            return self.standing
        earlier = Standing(last_activity=self.enrolled_at)
        for event in self.events:
            if event.at <= moment:
                earlier.apply(event)
        return earlier

    def progress(self, standing: Standing) -> int:
        """Per cent of all items that were finished."""
        if standing.completed_at is not None:
            return 100
        items = self.course.all_items
        done = sum(1 for i in items if i.id in standing.grades or i.id in standing.viewed)
        return int(100 * done / len(items)) if items else 0
