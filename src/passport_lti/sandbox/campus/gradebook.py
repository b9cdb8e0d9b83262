"""Reading a gradebook, and what a teacher or Moodle itself does to it."""

from passport_lti.sandbox.campus.state import Activity, Context, Grade, LineItem, Person

Key = str | LineItem | Activity
Rows = list[list[str | float | None]]


class Gradebook:
    """A live view: `book["Quiz 1", amy]` is the value that people see, or None.

    A key is a label, a resource id, a line item or an activity (its coupled column).
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def line_items(self) -> list[LineItem]:
        return list(self.context.line_items)

    @property
    def columns(self) -> list[str]:
        return [item.label for item in self.context.line_items]

    def line_item(self, key: Key) -> LineItem:
        """The one column that `key` names; LookupError if there is none or more than one."""
        if isinstance(key, LineItem):
            return key
        items = self.context.line_items
        if isinstance(key, Activity):
            found = [item for item in items if item.activity is key]
        else:
            found = [item for item in items if item.label == key]
            found = found or [item for item in items if item.resource_id == key]
        if len(found) != 1:
            raise LookupError(f"{len(found)} columns for {key!r} among {self.columns}")
        return found[0]

    def cell(self, key: Key, person: Person) -> Grade | None:
        return self.line_item(key).grades.get(person.id)

    def __getitem__(self, place: tuple[Key, Person]) -> float | None:
        grade = self.cell(*place)
        return grade.value if grade else None

    def table(self) -> tuple[list[str], Rows]:
        """Headers and one row per active learner, in the order of the family names."""
        rows: Rows = []
        for person in self.context.learners():
            cells = [item.grades.get(person.id) for item in self.context.line_items]
            rows.append([person.name, *(cell.value if cell else None for cell in cells)])
        return ["Learner", *self.columns], rows


def bounded(value: float, maximum: float) -> float:
    """As Moodle stores it: between 0 and the column's maximum, five decimals."""
    return round(min(max(value, 0.0), maximum), 5)


def override(item: LineItem, person: Person, value: float | None, now: int) -> None:
    """A teacher types a grade. Only a coupled column remembers that a person did it."""
    grade = item.grades.setdefault(person.id, Grade(maximum=item.maximum))
    grade.value = None if value is None else bounded(value, item.maximum)
    grade.time = now
    grade.overridden = item.coupled


def set_maximum(item: LineItem, maximum: float) -> None:
    """Change a column's maximum; grades keep their percentages."""
    if maximum == item.maximum:
        return
    factor = maximum / item.maximum if item.maximum > 0 else 1.0
    for grade in item.grades.values():
        if grade.value is not None:
            grade.value = bounded(grade.value * factor, maximum)
        if grade.raw is not None:
            grade.raw = round(grade.raw * factor, 5)
        if item.coupled:
            grade.maximum = maximum  # a manual column keeps the old one in its rows
    item.maximum = maximum
