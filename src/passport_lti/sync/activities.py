"""Activities: what a picker publishes, and what an instructor chooses anew."""

import json
from datetime import datetime

from passport_lti.extensions import db
from passport_lti.grades import Choice, Course, Link
from passport_lti.lti.platforms import settings_of
from passport_lti.models import (
    Activity,
    Context,
    Platform,
)
from passport_lti.strategies import STRATEGIES
from passport_lti.strategies.base import Chosen, read_custom
from passport_lti.sync import made


def publish(
    platform: Platform,
    context: Context,
    course: Course,
    strategy: str,
    choice: Choice,
    now: datetime,
) -> list[Link]:
    """The links for a platform, and an activity for each of them; flushes.

    An activity waits as `published` until the platform shows that it made it.
    """
    links = STRATEGIES[strategy].links(course, choice)
    made.forget_missing(context.id, [canonical(link.custom) for link in links])
    for link in links:
        chosen = read_custom(link.custom)
        assert chosen is not None
        activity = new_activity(platform, context, chosen, link.title, now)
        activity.linked_as = canonical(link.custom)
        # Without a column of its own nothing will ever show that the activity was made.
        activity.state = "published" if link.column else "standing"
    db.session.flush()
    return links


def change_option(activity: Activity, strategy: str, choice: Choice) -> None:
    """Choose anew for a standing activity; the next poll moves the columns. Flushes."""
    activity.strategy = strategy
    activity.choice = choice
    activity.planned_digest = ""
    db.session.flush()


def linked(activity: Activity) -> tuple[str, Choice]:
    """Strategy and choice that its link was published with."""
    chosen: Chosen | None = None
    try:
        chosen = read_custom(json.loads(activity.linked_as or "{}"))
    except (ValueError, KeyError):
        # A link that says nothing is what it is now.
        chosen = None
    return (chosen.strategy, chosen.choice) if chosen else (activity.strategy, activity.choice)


def coupled_id(activity: Activity) -> str | None:
    """The resource id of the column that the platform made with the link; None without one."""
    strategy, choice = linked(activity)
    if strategy == "granular_deep_linked" and len(choice.items) == 1:
        return f"coursera:{activity.course_id}:{choice.items[0]}"
    if strategy == "granular_auto_columns" and not choice.include_final:
        return None
    return f"coursera:{activity.course_id}"


def canonical(custom: object) -> str:
    """A link's `custom` values of ours in one comparable text."""
    names = (
        "coursera_program", "coursera_course", "coursera_item", "strategy", "include_final",
        "points", "items",
    )  # fmt: skip
    values = dict(custom) if custom else {}  # type: ignore[call-overload]
    return json.dumps({name: values[name] for name in names if values.get(name)}, sort_keys=True)


def new_activity(
    platform: Platform, context: Context, chosen: Chosen, title: str, now: datetime
) -> Activity:
    activity = Activity(
        context_fk=context.id,
        connection=settings_of(platform).coursera,
        program_id=chosen.program_id,
        course_id=chosen.course_id,
        strategy=chosen.strategy,
        title=title,
        created_at=now,
    )
    activity.choice = chosen.choice
    db.session.add(activity)
    return activity
