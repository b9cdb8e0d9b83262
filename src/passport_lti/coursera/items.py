"""Which gradable items a course has: by its outline where there is one, and by its reports."""

import logging
from dataclasses import replace
from datetime import datetime

from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.outline import gradable_items
from passport_lti.coursera.sweep import Sweep, sweep
from passport_lti.errors import Gone, Rejected
from passport_lti.grades import GradableItem

log = logging.getLogger(__name__)

Items = tuple[GradableItem, ...]


def outlined(
    client: CourseraClient, program_id: str, course_id: str, slug: str, now: datetime
) -> Items:
    """The items of the outline, else of the reports, which list none before a first learner."""
    items = _outline(client, program_id, course_id, slug)
    if items is not None:
        return items
    with sweep(client, program_id, course_id, now) as found:
        return found.items


def items_now(client: CourseraClient, found: Sweep, slug: str) -> Items:
    """The items as of a sweep.

    A report may not list what nobody has attempted: where there is an outline, an item is only
    gone when both have lost it.
    """
    items = _outline(client, found.program_id, found.course_id, slug)
    if items is None:
        return found.items
    reported = {item.id: item for item in found.items}
    last = max((item.order for item in items), default=0)
    more = [item for item in found.items if item.id not in {each.id for each in items}]
    return (
        *(_weighed(item, reported.get(item.id)) for item in items),
        *(replace(item, order=last + number) for number, item in enumerate(more, 1)),
    )


def _weighed(item: GradableItem, reported: GradableItem | None) -> GradableItem:
    """The outline knows no weights; the reports do."""
    if reported is None or item.weight is not None:
        return item
    return replace(item, weight=reported.weight)


def _outline(client: CourseraClient, program_id: str, course_id: str, slug: str) -> Items | None:
    """None where the organisation has no outline, or not at the path that was configured."""
    if not client.connection.outline_path:
        return None
    try:
        return gradable_items(client.outline(program_id, course_id, slug))
    except (Gone, Rejected) as error:
        log.warning("coursera %s: outline of %s: %s", client.name, course_id, error.reason)
        return None
