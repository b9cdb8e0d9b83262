"""The practice Coursera: an organisation's API and the learner's pages, in memory."""

from passport_lti.sandbox.coursera.faults import Fault
from passport_lti.sandbox.coursera.ledger import Arrival, Entry
from passport_lti.sandbox.coursera.practice import PracticeCoursera
from passport_lti.sandbox.coursera.state import Course, Enrollment, Item, Person, Program
from passport_lti.sandbox.coursera.traps import Traps

__all__ = [
    "Arrival",
    "Course",
    "Enrollment",
    "Entry",
    "Fault",
    "Item",
    "Person",
    "PracticeCoursera",
    "Program",
    "Traps",
]
