"""The learners' side: people, memberships, enrollments and grades."""

import threading
from collections.abc import Mapping

from passport_lti.sandbox.coursera.ids import Ids
from passport_lti.sandbox.coursera.state import (
    PASS_MARK,
    Course,
    Enrollment,
    Event,
    Item,
    Membership,
    Person,
    Program,
)


class Learning:
    """Who learns what, and how well; every change shows in the API at once."""

    lock: threading.RLock
    ids: Ids
    programs: list[Program]

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.memberships: dict[tuple[Program, Person], Membership] = {}
        self.invitations: dict[tuple[Program, Person], int] = {}
        """When somebody was invited to a program."""
        self._enrollments: dict[tuple[Program, Course], dict[Person, Enrollment]] = {}
        self._known: dict[str, Person] = {}
        self._any_deleted = False

    def now(self) -> int:
        raise NotImplementedError

    def program_of(self, course: Course) -> Program:
        raise NotImplementedError

    def add_person(self, external_id: str, email: str, name: str) -> Person:
        """Somebody of the organisation; `external_id` is empty where none was given."""
        with self.lock:
            person = Person(self.ids.secret(12), external_id, email, name)
            self.people[person.key] = person
            for word in filter(None, (email, external_id)):
                self._known[word.casefold()] = person
            return person

    def find(self, external_id_or_email: str) -> Person | None:
        """Capital letters do not matter."""
        return self._known.get(external_id_or_email.casefold())

    def person(self, external_id_or_email: str) -> Person:
        """Raises KeyError for somebody unknown."""
        return self._known[external_id_or_email.casefold()]

    def name_person(self, person: Person, external_id: str) -> None:
        """The organisation's own word for somebody whom it had none for."""
        with self.lock:
            person.external_id = external_id
            self._known[external_id.casefold()] = person

    def change_email(self, person: Person, email: str) -> None:
        """Another primary address, from now on in every report."""
        with self.lock:
            person.email = email
            self._known[email.casefold()] = person

    def join(self, person: Person, program: Program) -> Membership:
        """Make somebody a member, which takes a seat; members stay as they are."""
        with self.lock:
            found = self.memberships.get((program, person))
            if found is None or found.deleted_at is not None:
                found = self.memberships[program, person] = Membership(self.now())
            return found

    def remove_person(self, person: Person, program: Program | None = None) -> None:
        """End the membership in a program, or in all: rows come with includeDeletedMembers only."""
        with self.lock:
            self._any_deleted = True
            for (place, member), membership in self.memberships.items():
                if member is person and program in (None, place) and not membership.deleted_at:
                    membership.deleted_at = self.now()

    def anybody_deleted(self) -> bool:
        """Whether any membership was ever ended: else nobody need be looked up."""
        return self._any_deleted

    def deleted_at(self, enrollment: Enrollment) -> int | None:
        """When the membership of this enrollment ended; None while it lasts."""
        found = self.memberships.get((enrollment.program, enrollment.person))
        return None if found is None else found.deleted_at

    def seats_taken(self, program: Program) -> int:
        """Members now; who is only invited has none yet."""
        with self.lock:
            return sum(
                1 for (place, _), m in self.memberships.items()
                if place is program and m.deleted_at is None
            )  # fmt: skip

    def is_full(self, program: Program) -> bool:
        return program.seats is not None and self.seats_taken(program) >= program.seats

    def is_member(self, person: Person, program: Program) -> bool:
        found = self.memberships.get((program, person))
        return found is not None and found.deleted_at is None

    def enrol(self, person: Person, course: Course, program: Program | None = None) -> Enrollment:
        """Enrol somebody through a program, by default the first with the course; joins it too."""
        with self.lock:
            program = program or self.program_of(course)
            if course not in program.courses:
                raise KeyError(f"{program.name} does not offer {course.name}")
            self.join(person, program)
            enrolled = self._enrollments.setdefault((program, course), {})
            if person not in enrolled:
                enrolled[person] = Enrollment(program, course, person, self.now())
                enrolled[person].standing.last_activity = enrolled[person].enrolled_at
            return enrolled[person]

    def unenrol(self, person: Person, course: Course, program: Program | None = None) -> None:
        with self.lock:
            for (place, found), enrolled in self._enrollments.items():
                if found is course and program in (None, place):
                    enrolled.pop(person, None)

    def enrollments(
        self,
        program: Program | None = None,
        course: Course | None = None,
        person: Person | None = None,
    ) -> list[Enrollment]:
        """Enrollments in the order in which they were made, program by program."""
        with self.lock:
            found: list[Enrollment] = []
            for (place, subject), enrolled in self._enrollments.items():
                if program in (None, place) and course in (None, subject):
                    if person is None:
                        found += enrolled.values()
                    elif person in enrolled:
                        found.append(enrolled[person])
            return found

    def grade(
        self,
        person: Person,
        course: Course,
        item: str | Item,
        percent: float | None,
        program: Program | None = None,
    ) -> None:
        """Set a grade of 0 to 100, or take it away; enrols whoever is not.

        Somebody in the course through several programs gets it in all of them, unless `program`
        says which. Raises ValueError for a grade out of range or an item that has none.
        """
        if percent is not None and not 0 <= percent <= 100:
            raise ValueError("a grade is between 0 and 100")
        value = None if percent is None else round(percent / 100, 6)
        self.set_grades(person, course, {course.item(item): value}, program, clear=True)

    def set_grades(
        self,
        person: Person,
        course: Course,
        grades: Mapping[Item, float | None],
        program: Program | None = None,
        clear: bool = False,
    ) -> None:
        """Several grades at once, as fractions; None leaves alone, with `clear` it takes away."""
        if not all(item.gradable for item in grades):
            raise ValueError("this item is not graded")
        with self.lock:
            for enrollment in self._through(person, course, program):
                at = self._moment(enrollment)
                for item, value in grades.items():
                    if value is not None or clear:
                        enrollment.record(Event(at, "grade", item.id, value))
                standing, items = enrollment.standing, course.items
                passed = all(standing.grades.get(i.id, 0) >= PASS_MARK for i in items)
                if items and passed and standing.completed_at is None:
                    enrollment.record(Event(at, "complete", "", 1))

    def complete(self, person: Person, course: Course, completed: bool = True) -> None:
        """Say that somebody has completed the course, or has not; enrols whoever is not."""
        with self.lock:
            for enrollment in self._through(person, course, None):
                event = Event(self._moment(enrollment), "complete", "", 1 if completed else None)
                enrollment.record(event)

    def view(self, person: Person, course: Course, item: str | Item) -> None:
        """Somebody watched or read an item: progress, no grade."""
        with self.lock:
            for enrollment in self._through(person, course, None):
                event = Event(self._moment(enrollment), "view", course.item(item).id, None)
                enrollment.record(event)

    def overall(self, person: Person, course: Course) -> float | None:
        """The course grade in per cent; None before the first grade or without enrollment."""
        found = self.enrollments(course=course, person=person)
        grade = course.overall(found[0].standing.grades) if found else None
        return None if grade is None else round(grade * 100, 2)

    def _through(self, person: Person, course: Course, program: Program | None) -> list[Enrollment]:
        found = self.enrollments(program, course, person)
        return found or [self.enrol(person, course, program)]

    def _moment(self, enrollment: Enrollment) -> int:
        """Now, but always later than what this learner did before: activity moves on."""
        return max(self.now(), enrollment.standing.last_activity + 1)
