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
KINDS = ("EXAM", "EXAM", "PROGRAMMING", "EXAM", "PEER_REVIEW")


def furnish(world: World) -> tuple[Program, Course]:
    """A second program with eight courses more, and the course with forty items."""
    coursera = world.coursera
    program = coursera.add_program("Career Academy")
    for name, partner in NAMES:
        coursera.add_course(program, name, partner=partner)
    coursera.share_course(world.school.courses["columns"], program)
    large = coursera.add_course(
        program, "Data Engineering", items=[], partner="Northbridge University"
    )
    for number in range(8):
        first = ("Check your basics", "EXAM", 2.5)
        module = coursera._add_module(large, number + 1, f"Part {number + 1}")
        for place in range(5):
            title = f"{number + 1}.{place + 1} " + (
                first[0] if not place else f"{KINDS[place].replace('_', ' ').title()} {place}"
            )
            coursera.add_item(large, title, KINDS[place], 2.5, module=module)
    return program, large
