"""Option B: one activity for the course; the tool makes a column for each of its items."""

from passport_lti.grades import Choice, Column, Course, Link, Owner
from passport_lti.strategies.base import GradeSyncStrategy
from passport_lti.words import N_


class GranularAutoColumns(GradeSyncStrategy):
    """Without chosen items, every item the course has, or gets later, has its column."""

    key = "granular_auto_columns"
    title = N_("Option B: a column for each item")
    summary = N_("One activity; each graded item gets a column in the gradebook by itself.")

    def links(self, course: Course, choice: Choice) -> list[Link]:
        return [
            self.course_link(
                course, choice, self.final_column(course) if choice.include_final else None
            )
        ]

    def columns(self, course: Course, choice: Choice) -> list[Column]:
        columns = [
            self.item_column(course, item, choice, Owner.TOOL)
            for item in course.items
            if not choice.items or item.id in choice.items
        ]
        return [*columns, self.final_column(course)] if choice.include_final else columns
