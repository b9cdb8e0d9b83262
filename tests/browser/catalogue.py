"""A catalogue of some size for the practice Coursera, and a course of forty items."""

from passport_lti.sandbox.coursera.state import Course, Program
from worlds import World

NAMES = (
    ("Machine Learning Foundations", "Northbridge University"),
    ("Writing for the Web", "Hill College"),
    ("Accounting: Reading a Balance Sheet", "School of Business, Lakeside"),
    ("Project Management in Practice", "Hill College"),
    ("Introduction to Epidemiology", "Institute of Public Health"),
    ("Cloud Basics", "Nimbus"),
    ("Negotiation", "School of Business, Lakeside"),
    ("The Art of Explaining Very Complicated Things to People Who Are in a Hurry", "Hill College"),
)
TASKS = ("Warm-up", "Quiz", "Programming task", "Second quiz", "Peer review")
KINDS = ("EXAM", "EXAM", "PROGRAMMING", "EXAM", "PEER_REVIEW")
LARGE = "Data Engineering"


def furnish(world: World) -> tuple[Program, Course]:
    """A second program with eight more courses, and one of forty items in eight modules."""
    coursera = world.coursera
    program = coursera.add_program("Career Academy")
    for name, partner in NAMES:
        coursera.add_course(program, name, partner=partner)
    first = [(f"{number}.1 {TASKS[0]}", KINDS[0], 2.5) for number in range(1, 9)]
    large = coursera.add_course(program, LARGE, first, partner="Northbridge University")
    for number, module in enumerate(large.modules, 1):
        for place in range(1, 5):
            title = f"{number}.{place + 1} {TASKS[place]}"
            coursera.add_item(large, title, KINDS[place], 2.5, module=module)
    return program, large
