"""Custom parameters: lines of text, substituted and named as Moodle does it."""

import re
from typing import TYPE_CHECKING, Any

from passport_lti.sandbox.campus.ags import line_item_url, line_items_url
from passport_lti.sandbox.campus.nrps import memberships_url
from passport_lti.sandbox.campus.state import Activity, Context, Person, Tool

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


def as_lines(custom: Any) -> str:
    """A deep link's `custom` as the text that a teacher sees in the activity's form."""
    if not isinstance(custom, dict):
        return ""
    return "\n".join(f"{name}={_text(value)}" for name, value in custom.items())


def custom_parameters(
    campus: "Campus", tool: Tool, context: Context, person: Person, activity: Activity | None
) -> dict[str, str | None]:
    """The tool's lines and the activity's, the tool's winning; $variables filled in."""
    known = _variables(campus, tool, context, person, activity)
    merged: dict[str, str | None] = {}
    for lines in (activity.custom if activity else "", tool.custom):
        for line in lines.splitlines():
            name, equals, value = line.partition("=")
            name = name.strip()
            if not equals or not name:
                continue
            filled = _filled(value.strip(), known)
            merged[name] = filled
            merged[re.sub(r"[^a-z0-9]", "_", name.lower())] = filled
    return merged


def _filled(value: str, known: dict[str, str | None]) -> str | None:
    if value.startswith("\\"):
        return value[1:]
    if value.startswith("$"):
        return known.get(value[1:], value)  # an unknown variable arrives as it is written
    return value


def _variables(
    campus: "Campus", tool: Tool, context: Context, person: Person, activity: Activity | None
) -> dict[str, str | None]:
    role = "Instructor" if context.instructor(person) else "Learner"
    known: dict[str, str | None] = {
        "Context.id": context.id,
        "Context.title": context.fullname,
        "Context.label": context.shortname,
        "Context.sourcedId": context.idnumber,
        "Context.id.history": ",".join(context.history),
        "CourseSection.title": context.fullname,
        "CourseSection.label": context.shortname,
        "CourseSection.sourcedId": context.idnumber,
        "User.id": person.id,
        "User.username": person.username,
        "Person.sourcedId": person.idnumber,
        "Person.name.full": person.name if tool.share_name else None,
        "Person.name.given": person.given if tool.share_name else None,
        "Person.name.family": person.family if tool.share_name else None,
        "Person.email.primary": person.email if tool.share_email else None,
        "Membership.role": role,
        "Moodle.Person.userGroupIds": "",
    }
    if tool.ags:
        known["LineItems.url"] = line_items_url(campus, context, tool)
    if tool.nrps:
        known["ToolProxyBinding.memberships.url"] = memberships_url(campus, context, tool)
    if activity is not None:
        known["ResourceLink.id"] = activity.id
        known["ResourceLink.title"] = activity.title
        known["ResourceLink.description"] = activity.description
        columns = campus.columns_of(activity)
        if tool.ags and len(columns) == 1:
            known["LineItem.url"] = line_item_url(campus, columns[0], tool)
    return known


def _text(value: Any) -> str:
    """As PHP turns a JSON value into a string."""
    if value is True:
        return "1"
    if value is False or value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
