"""Option A: one activity for each chosen item, each with a column made by the platform."""

from dataclasses import replace

from passport_lti.grades import Choice, Column, Course, Link, Owner
from passport_lti.strategies.base import GradeSyncStrategy, custom, named
from passport_lti.words import N_


class GranularDeepLinked(GradeSyncStrategy):
    """Its activities hold one item each, or none and the course grade (`include_final`)."""

    key = "granular_deep_linked"
    title = N_("Option A: an activity for each item")
    summary = N_("Each chosen item is an activity with a column of its own.")

    def links(self, course: Course, choice: Choice) -> list[Link]:
        alone = replace(choice, include_final=False)
        links = [
            Link(
                title=column.label,
                text=f"Opens this item of {named(course)} on Coursera.",
                custom=custom(self.key, course, alone, item=column.item_id or ""),
                column=column,
            )
            for column in self.columns(course, alone)
        ]
        if choice.include_final:
            whole = replace(choice, items=())
            links.append(self.course_link(course, whole, self.final_column(course)))
        return links

    def columns(self, course: Course, choice: Choice) -> list[Column]:
        columns = [
            self.item_column(course, item, choice, Owner.PLATFORM)
            for item in course.items
            if item.id in choice.items
        ]
        return [*columns, self.final_column(course)] if choice.include_final else columns
