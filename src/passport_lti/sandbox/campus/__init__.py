"""The practice campus: an LTI 1.3 Advantage platform with Moodle's manners, in memory."""

from passport_lti.sandbox.campus.campus import Campus
from passport_lti.sandbox.campus.state import (
    Activity,
    Context,
    Enrolment,
    Grade,
    LineItem,
    Person,
    Tool,
)

__all__ = ["Activity", "Campus", "Context", "Enrolment", "Grade", "LineItem", "Person", "Tool"]
