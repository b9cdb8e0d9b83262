"""The organisation's side: programs, courses and what is in them."""

import threading
from collections.abc import Sequence

from passport_lti.sandbox.coursera.ids import Ids, slug
from passport_lti.sandbox.coursera.state import Course, Item, Lesson, Module, Program, Root

DEFAULT_ITEMS: Sequence[tuple[str, str, float]] = (
    ("Module 1 quiz", "EXAM", 20),
    ("Programming assignment", "PROGRAMMING", 40),
    ("Final project", "PEER_REVIEW", 40),
)


class Teaching:
    """Makes and changes courses; every change shows in the API at once."""

    lock: threading.RLock
    ids: Ids
    root: Root
    programs: list[Program]
    courses: dict[str, Course]

    def now(self) -> int:
        raise NotImplementedError

    def add_program(self, name: str, tagline: str = "") -> Program:
        with self.lock:
            address = f"{slug(name)}-{self.ids.short().lower()}"
            program = Program(self.ids.long(), name, address, tagline, self.root)
            self.programs.append(program)
            return program

    def add_course(
        self,
        program: Program,
        name: str,
        items: Sequence[Sequence[object]] | None = None,
        partner: str = "Practice University",
        description: str = "",
        slug: str | None = None,
        id: str | None = None,
    ) -> Course:
        """A course with a module for each of `items`: (name, type, weight) or with an id too."""
        with self.lock:
            course = Course(
                id=self.ids.keep(id) if id else self.ids.long(),
                name=name,
                slug=slug or self._free_slug(name),
                partner=partner,
                description=description or f"{name}: an invented course to practise with.",
            )
            self.courses[course.id] = course
            program.courses.append(course)
            for number, (title, kind, weight, *given) in enumerate(
                DEFAULT_ITEMS if items is None else items, 1
            ):
                module = self._add_module(course, number, str(title))
                item_id = self.ids.keep(str(given[0])) if given else self.ids.short()
                module.lessons[-1].items.append(
                    Item(item_id, str(title), str(kind), float(str(weight)))
                )
            self._arrange(course)
            return course

    def share_course(self, course: Course, program: Program) -> None:
        """Offer a course in one more program."""
        with self.lock:
            if course not in program.courses:
                program.courses.append(course)

    def add_item(
        self,
        course: Course,
        name: str,
        type: str = "EXAM",
        weight: float = 0,
        id: str | None = None,
        module: Module | None = None,
    ) -> Item:
        """A new item at the end of a module, by default the last."""
        with self.lock:
            if module is None:
                module = course.modules[-1] if course.modules else self._add_module(course, 1, name)
            item = Item(self.ids.keep(id) if id else self.ids.short(), name, type, weight)
            module.lessons[-1].items.append(item)
            self._arrange(course)
            return item

    def rename_item(self, course: Course, item: str | Item, name: str) -> None:
        """Another name for the same item: its id stays."""
        with self.lock:
            course.item(item).name = name
            self._arrange(course)

    def remove_item(self, course: Course, item: str | Item) -> None:
        """The course has this item no more; grades for it disappear from the reports."""
        with self.lock:
            lost = course.item(item)
            for module in course.modules:
                for lesson in module.lessons:
                    lesson.items = [kept for kept in lesson.items if kept is not lost]
            self._arrange(course)

    def set_weight(self, course: Course, item: str | Item, weight: float) -> None:
        """A weight in per cent of the course grade; the others stay as they are."""
        with self.lock:
            course.item(item).weight = weight
            self._arrange(course)

    def new_version(self, course: Course) -> None:
        """The same course with new item ids, as after a new version: old grades are not shown."""
        with self.lock:
            for item in course.all_items:
                item.id = self.ids.short()
            self._arrange(course)

    def program_of(self, course: Course) -> Program:
        """The first program that offers the course. Raises KeyError if none does."""
        for program in self.programs:
            if course in program.courses:
                return program
        raise KeyError(f"no program offers {course.name}")

    def _add_module(self, course: Course, number: int, about: str) -> Module:
        welcome = [
            Item(self.ids.short(), f"Watch: {about}", "VIDEO"),
            Item(self.ids.short(), f"Read: {about}", "SUPPLEMENT"),
        ]
        lessons = [
            Lesson(self.ids.short(), "Learn", welcome),
            Lesson(self.ids.short(), "Check"),
        ]
        module = Module(self.ids.short(), f"Module {number}", lessons)
        course.modules.append(module)
        return module

    def _arrange(self, course: Course) -> None:
        found: list[Item] = []
        for module in course.modules:
            for lesson in module.lessons:
                for item in lesson.items:
                    found.append(item)
                    item.order, item.module, item.lesson = len(found), module, lesson
        course.all_items = tuple(found)
        course.items = tuple(item for item in found if item.gradable)
        course.changed_at = self.now()

    def _free_slug(self, name: str) -> str:
        taken = {course.slug for course in self.courses.values()}
        wanted, number = slug(name), 2
        while wanted in taken:
            wanted, number = f"{slug(name)}-{number}", number + 1
        return wanted
