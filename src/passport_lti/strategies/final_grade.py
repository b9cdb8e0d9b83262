"""Final grade: one activity and one column, made by the platform, for the course grade."""

from passport_lti.grades import Choice, Column, Course, Link
from passport_lti.strategies.base import GradeSyncStrategy
from passport_lti.words import N_


class FinalGrade(GradeSyncStrategy):
    key = "final_grade"
    title = N_("Final grade")
    summary = N_("One column in the gradebook: the course grade.")

    def links(self, course: Course, choice: Choice) -> list[Link]:
        return [self.course_link(course, choice, self.final_column(course))]

    def columns(self, course: Course, choice: Choice) -> list[Column]:
        return [self.final_column(course)]
