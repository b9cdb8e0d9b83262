"""The picker's form as a value, and what of it concerns one course."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from passport_lti.grades import Choice, Course, Points

Place = tuple[str, str]
"""A course in a program: both ids."""


@dataclass(frozen=True, slots=True)
class Picked:
    """The picker's fields. `step` is the button that was pressed; empty for *Add to course*.

    `also` are further courses of the same answer, each with its program. What belongs to one of
    them stands as `course/item` in `items` and as `course/module` in `modules`.
    `all_items` says that no single ones were chosen.
    """

    program: str = ""
    course: str = ""
    strategy: str = ""
    items: tuple[str, ...] = ()
    include_final: bool = False
    points: str = ""
    search: str = ""
    step: str = ""
    all_items: bool = False
    modules: tuple[str, ...] = ()
    also: tuple[Place, ...] = ()
    within: str = ""

    @property
    def choice(self) -> Choice:
        """The choice as far as it is sound; a final grade has no items to choose."""
        items = () if self.strategy == "final_grade" else self.items
        points = Points.WEIGHT if self.points == Points.WEIGHT else Points.HUNDRED
        return Choice(items, self.include_final, points)

    @property
    def places(self) -> tuple[Place, ...]:
        """All courses of this answer, each once."""
        first = [(self.program, self.course)] if self.program or self.course else []
        return tuple(dict.fromkeys([*first, *self.also]))


def read_form(fields: MultiDict[str, str], default: str) -> Picked:
    """The picker's fields, with defaults where the page asks for the options of a course."""
    strategy, step = fields.get("strategy", ""), fields.get("step", "")
    program, course = fields.get("program", ""), fields.get("course", "")
    items: tuple[str, ...] = ()
    also = tuple(_place(value) for value in _several(fields, "also"))
    if "open" in fields:
        # The button of one course, or of items of it, which nothing else on the page outweighs.
        (program, course), items, step = _place(fields["open"]), _items(fields["open"]), "course"
        also, strategy = (), "granular_deep_linked" if items else ""
    picked = Picked(
        program=program,
        course=course,
        strategy=strategy,
        items=items or _several(fields, "item"),
        include_final=fields.get("include_final") == "1",
        points=fields.get("points", "100"),
        search=fields.get("q", "")[:2000].strip(),
        step=step,
        all_items=fields.get("all_items") == "1",
        modules=_several(fields, "module"),
        also=also,
        within=fields.get("within", ""),
    )
    if not strategy and step:
        final = default == "granular_auto_columns"
        return replace(picked, strategy=default, include_final=final, all_items=not picked.items)
    return picked


def _several(fields: MultiDict[str, str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, fields.getlist(name))))


def _place(value: str) -> Place:
    program, _slash, rest = value.partition("/")
    return program, rest.partition("/")[0]


def _items(value: str) -> tuple[str, ...]:
    return tuple(filter(None, value.partition("/")[2].partition("/")[2].split(",")))


def of_course(picked: Picked, course: Course) -> Picked:
    """The choice for this one of its courses, with modules and *all items* spelt out.

    *All items* means it only where no single ones were chosen beside it.
    """
    is_first = (picked.program, picked.course) == (course.program_id, course.id)
    names = _own(picked.modules, course, is_first or not picked.also)
    chosen = dict.fromkeys(_own(picked.items, course, is_first or not picked.also))
    chosen |= dict.fromkeys(item.id for item in course.items if item.module in names)
    every = [item.id for item in course.items]
    if picked.all_items and (not chosen or set(every) <= set(chosen)):
        # Option B without items has them all, now and later.
        chosen = dict.fromkeys(every if picked.strategy == "granular_deep_linked" else ())
    return replace(
        picked, program=course.program_id, course=course.id, items=tuple(chosen), also=()
    )


def _own(values: tuple[str, ...], course: Course, is_first: bool) -> tuple[str, ...]:
    prefix = f"{course.id}/"
    return tuple(
        value.removeprefix(prefix)
        for value in values
        if value.startswith(prefix) or (is_first and "/" not in value)
    )
