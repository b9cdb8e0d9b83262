"""What Moodle does when contexts and activities are copied, saved again or deleted."""

from dataclasses import replace
from urllib.parse import urlsplit

from passport_lti.sandbox.campus.school import School
from passport_lti.sandbox.campus.state import Activity, Context, LineItem, Tool


def copy_context(
    school: School, source: Context, shortname: str | None, fullname: str | None
) -> Context:
    """A course copy: same tools and settings, new ids everywhere, no people, no grades.

    Columns that a tool made are copied too, with resource id and tag.
    """
    with school.lock:
        copy = school.add_context(
            shortname or f"{source.shortname}_1", fullname or f"{source.fullname} copy 1"
        )
        copy.history = [source.id, *source.history]
        twins = {a.id: _twin(school, a, copy, a.title) for a in source.activities if not a.deleting}
        for item in source.line_items:
            if item.activity is None:
                link = twins.get(item.resource_link_id)
                _same_column(school, item.id, copy, link, coupled=False)
            elif item.activity.id in twins:
                _same_column(school, item.id, copy, twins[item.activity.id], coupled=True)
    return copy


def restore_elsewhere(
    school: School, source: Context, shortname: str | None, fullname: str | None
) -> Context:
    """A backup of another site's context, restored here without people.

    The backup has a tool's name only: an activity finds its tool here by the host of its address.
    What an activity's or a tool's column is about comes along only for a tool at the same address;
    else Moodle keeps the activities' columns, and knows of no tool for the others. No history:
    the old ids mean nothing here.
    """
    with school.lock:
        copy = school.add_context(shortname or source.shortname, fullname or source.fullname)
        twins: dict[str, Activity] = {}
        for activity in source.activities:
            tool = _tool_at(school, activity.url)
            if tool is not None and not activity.deleting:
                twins[activity.id] = twin = school.add_activity(
                    copy, tool, activity.title, activity.url, activity.custom, activity.description
                )
                twin.accepts_grades = activity.accepts_grades
        for item in source.line_items:
            tool = _tool_at(school, item.tool.launch_url)
            link = twins.get(item.resource_link_id)
            if tool is None or (item.coupled and link is None):
                continue
            column = school.add_line_item(
                copy, tool, item.label, item.maximum, resource_id=item.resource_id, tag=item.tag
            )
            if link is not None:
                column.resource_link_id = link.id
                column.activity = link if item.coupled else None
    return copy


def restore_activity(school: School, source: Activity) -> Activity:
    """Out of the recycle bin: a new id, and a new column that has the old grades again."""
    with school.lock:
        twin = _twin(school, source, source.context, source.title)
        for item in list(source.context.line_items):
            if item.activity is source:
                column = _same_column(school, item.id, source.context, twin, coupled=True)
                column.grades = {person: replace(grade) for person, grade in item.grades.items()}
        delete_activity(school, source, queued=False)
    return twin


def _tool_at(school: School, address: str) -> Tool | None:
    host = urlsplit(address).netloc
    return next(
        (tool for tool in school.tools.values() if urlsplit(tool.launch_url).netloc == host), None
    )


def duplicate_activity(school: School, source: Activity) -> Activity:
    """In the same context: own column with the same resource id and tag."""
    with school.lock:
        twin = _twin(school, source, source.context, f"{source.title} (copy)")
        for item in list(source.context.line_items):
            if item.activity is source:
                column = _same_column(school, item.id, source.context, twin, coupled=True)
                column.label = twin.title
    return twin


def delete_activity(school: School, activity: Activity, queued: bool) -> None:
    """Queued: as with the recycle bin, the column stays readable until cron has run."""
    with school.lock:
        if queued:
            activity.deleting = True
            return
        if activity in activity.context.activities:
            activity.context.activities.remove(activity)
        for item in list(activity.context.line_items):
            if item.activity is activity:
                school.delete_column(item)


def save_activity(school: School, activity: Activity) -> None:
    """A teacher saves the activity's form: its column is back, under the activity's name."""
    with school.lock:
        own = [item for item in activity.context.line_items if item.activity is activity]
        for item in own:
            item.label = activity.title
        if activity.accepts_grades and not own:
            school.add_line_item(
                activity.context,
                activity.tool,
                activity.title,
                100.0,
                resource_link_id=activity.id,
                activity=activity,
            )


def _twin(school: School, source: Activity, context: Context, title: str) -> Activity:
    twin = school.add_activity(
        context, source.tool, title, source.url, source.custom, source.description
    )
    twin.accepts_grades = source.accepts_grades
    return twin


def _same_column(
    school: School, source_id: str, context: Context, link: Activity | None, coupled: bool
) -> LineItem:
    source = school.line_items[source_id]
    column = school.add_line_item(
        context,
        source.tool,
        source.label,
        source.maximum,
        resource_id=source.resource_id,
        tag=source.tag,
        resource_link_id=link.id if link and source.resource_link_id else "",
        activity=link if coupled else None,
    )
    column.submission_review = source.submission_review
    return column
