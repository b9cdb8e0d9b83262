"""What comes back from "Select content", and which activities Moodle makes of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from passport_lti.sandbox.campus.keys import BadToken
from passport_lti.sandbox.campus.state import Activity, Context, Tool
from passport_lti.sandbox.campus.variables import as_lines

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"


@dataclass
class Draft:
    """One content item as fields of Moodle's activity form, not saved yet."""

    title: str
    url: str
    description: str
    custom: str
    maximum: Any
    resource_id: str
    tag: str
    graded: bool
    submission_review: Any = None
    most: int = 100

    @property
    def problem(self) -> str:
        """Why Moodle's form would refuse it; empty if it would not."""
        if len(self.title) > 255:
            return "The name is longer than 255 characters."
        if self.graded and not _whole(self.maximum, self.most):
            return f"Invalid grade value. This must be an integer between 1 and {self.most}."
        if len(self.resource_id) > 512 or len(self.tag) > 255:
            return "The resource id or the tag is too long."
        return ""


@dataclass
class Selection:
    """What a tool returned: drafts for a context, nothing saved."""

    context: Context
    tool: Tool
    drafts: list[Draft]


def received(campus: "Campus", tool: Tool, context: Context, token: str) -> Selection:
    """Check the JWT as Moodle does (signature, issuer, times; nothing else). Raises BadToken."""
    claims = campus.tool_keys.checked(tool, token, int(campus.now()))
    if claims.get("iss") != tool.client_id:
        raise BadToken("Consumer key is incorrect")
    items = claims.get(_ITEMS)
    drafts = [
        _draft(campus, tool, item)
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and item.get("type")
    ]
    return Selection(context, tool, drafts)


def create(campus: "Campus", selection: Selection) -> list[Activity]:
    """One form after the other; those that the form refuses vanish without a word."""
    return [_activity(campus, selection, draft) for draft in selection.drafts if not draft.problem]


def _activity(campus: "Campus", selection: Selection, draft: Draft) -> Activity:
    line_item = None
    if draft.graded:
        line_item = {
            "scoreMaximum": draft.maximum,
            "resourceId": draft.resource_id,
            "tag": draft.tag,
            "submissionReview": draft.submission_review,
        }
    return campus.add_activity(
        selection.context,
        selection.tool,
        draft.title,
        draft.url,
        draft.custom,
        draft.description,
        line_item,
    )


def _draft(campus: "Campus", tool: Tool, item: dict[str, Any]) -> Draft:
    line_item = item.get("lineItem")
    has_column = isinstance(line_item, dict)
    column: dict[str, Any] = line_item if isinstance(line_item, dict) else {}
    maximum = column.get("scoreMaximum")
    return Draft(
        title=str(item.get("title") or tool.name),
        url=str(item.get("url") or tool.launch_url),
        description=str(item.get("html") or item.get("text") or ""),
        custom=as_lines(item.get("custom")),
        maximum=100 if maximum is None else maximum,
        resource_id=str(column.get("resourceId") or ""),
        tag=str(column.get("tag") or ""),
        # "always" makes a column of 100 points even for an item without a line item.
        graded=tool.accept_grades == "always" or (tool.accept_grades == "delegate" and has_column),
        submission_review=column.get("submissionReview"),
        most=campus.grade_point_max,
    )


def _whole(maximum: Any, most: int) -> bool:
    if isinstance(maximum, bool) or not isinstance(maximum, int | float | str):
        return False
    try:
        number = float(maximum)
    except ValueError:
        return False
    return number.is_integer() and 1 <= number <= most
