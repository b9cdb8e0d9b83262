"""A small school and three Coursera courses: what `demo` plays with, and tests start from."""

from collections.abc import Mapping
from dataclasses import dataclass

from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.state import Activity, Context, Person, Tool
from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.coursera.state import Course, Program
from passport_lti.sandbox.coursera.state import Person as Account

PYTHON = (
    ("Variables quiz", "EXAM", 30),
    ("Loops quiz", "EXAM", 30),
    ("Final project", "PEER_REVIEW", 40),
)
CHARTS = (
    ("Reading charts", "EXAM", 40),
    ("Colour and form", "EXAM", 20),
    ("Portfolio", "PEER_REVIEW", 40),
)
STATISTICS = (
    ("Averages", "EXAM", 25),
    ("Chance", "EXAM", 25),
    ("Case study", "PEER_REVIEW", 50),
)

LEARNERS = (
    ("Amy", "Adams"), ("Ben", "Brown"), ("Chloe", "Clark"), ("Dan", "Diaz"), ("Eve", "Evans"),
)  # fmt: skip


@dataclass
class School:
    """The people and courses of the story, on both sides."""

    campus: Campus
    coursera: PracticeCoursera
    program: Program
    courses: Mapping[str, Course]
    context: Context
    admin: Person
    teacher: Person
    learners: tuple[Person, ...]
    accounts: Mapping[str, Account]

    def register(self, address: str) -> Tool:
        """The administrator pastes a registration address and does the three things left.

        Raises RuntimeError where the tool does not register.
        """
        known, manage = set(self.campus.tools), f"{self.campus.url}/mod/lti"
        browser = self.campus.browser(self.admin)
        page = browser.post(f"{manage}/startltiadvregistration.php", {"url": address})
        answer = browser.get(page.frames[0])
        made = set(self.campus.tools) - known
        if answer.status != 200 or len(made) != 1:
            raise RuntimeError(f"the tool did not register: {answer.text[:300]}")
        tool = self.campus.tools[made.pop()]
        for action in ("activate", "chooser"):
            browser.post(f"{manage}/toolstate.php", {"id": tool.deployment_id, "action": action})
        tool.container, tool.accept_grades = "window", "always"
        return tool

    def publish(
        self, tool: Tool, *, course: str, strategy: str, **fields: object
    ) -> list[Activity]:
        """The teacher selects content in the context, as a browser would; the new activities."""
        browser = self.campus.browser(self.teacher)
        picker = browser.select_content(self.context, tool)
        chosen = {
            "program": self.program.id,
            "course": self.courses[course].id,
            "strategy": strategy,
            "points": "100",
            **fields,
        }
        session = picker.form("deep-linking").fields["session"][0]
        page = browser.post(
            tool.launch_url.replace("/lti/launch", "/deep-linking"),
            {"session": session, **chosen},
        )
        return browser.return_content(page)


def found(campus: Campus, coursera: PracticeCoursera) -> School:
    """Fill an empty campus and an empty Coursera. Grades come later."""
    program = coursera.add_program("Campus Learning Program")
    courses = {
        "final": coursera.add_course(program, "Python Basics", list(PYTHON)),
        "linked": coursera.add_course(program, "Charts That Speak", list(CHARTS)),
        "columns": coursera.add_course(program, "Everyday Statistics", list(STATISTICS)),
    }
    admin = campus.add_person("Ada", "Admin", username="admin", admin=True)
    teacher = campus.add_person("Tara", "Teacher", username="tara")
    learners = tuple(campus.add_person(given, family) for given, family in LEARNERS)
    context = campus.add_context("DATA101", "Data Literacy")
    campus.enrol(context, teacher, "instructor")
    accounts = {}
    for learner in learners:
        campus.enrol(context, learner, "learner")
        accounts[learner.id] = coursera.add_person(learner.email, learner.email, learner.name)
    return School(campus, coursera, program, courses, context, admin, teacher, learners, accounts)
