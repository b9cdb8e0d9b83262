"""Line items: list, make, change, delete."""

import json
from typing import TYPE_CHECKING, Any

from passport_lti.sandbox.campus import gradebook
from passport_lti.sandbox.campus.asking import (
    accepts,
    authorised,
    broken_next_link,
    contains,
    context_of,
    line_item_of,
    whole_number,
)
from passport_lti.sandbox.campus.messages import Answer, Call, bad_gateway, refuse
from passport_lti.sandbox.campus.state import Context, LineItem, Tool
from passport_lti.sandbox.campus.tokens import LINE_ITEM, LINE_ITEM_READ

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
CONTAINER_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"


def line_items_url(campus: "Campus", context: Context, tool: Tool) -> str:
    root = f"{campus.url}/mod/lti/services.php"
    return f"{root}/{context.id}/lineitems?type_id={tool.deployment_id}"


def line_item_url(campus: "Campus", item: LineItem, tool: Tool) -> str:
    root = f"{campus.url}/mod/lti/services.php/{item.context.id}/lineitems"
    return f"{root}/{item.id}/lineitem?type_id={tool.deployment_id}"


def line_items(campus: "Campus", call: Call, parts: list[str]) -> Answer:
    """Route by method; HEAD finds no handler."""
    container = len(parts) == 2
    match call.method, container:
        case "GET", True:
            accepts(call, CONTAINER_TYPE, any_type=False)
            tool = authorised(campus, call, LINE_ITEM, LINE_ITEM_READ)
            return _list(campus, call, context_of(campus, parts[0]), tool)
        case "POST", True:
            contains(call, ITEM_TYPE)
            tool = authorised(campus, call, LINE_ITEM)
            return _create(campus, call, context_of(campus, parts[0]), tool)
        case "GET", False:
            accepts(call, ITEM_TYPE)
            tool = authorised(campus, call, LINE_ITEM, LINE_ITEM_READ)
            context_of(campus, parts[0])
            item = line_item_of(campus, parts[2])
            return _json(200, _document(campus, item, tool), ITEM_TYPE)
        case "PUT", False:
            contains(call, ITEM_TYPE)
            tool = authorised(campus, call, LINE_ITEM)
            context_of(campus, parts[0])
            return _replace(campus, call, line_item_of(campus, parts[2]), tool)
        case "DELETE", False:
            accepts(call, ITEM_TYPE)
            tool = authorised(campus, call, LINE_ITEM)
            context_of(campus, parts[0])
            item = line_item_of(campus, parts[2])
            not_foreign(item, tool)
            campus.delete_column(item)
            return Answer(204)
    raise refuse(400, f"No handler found for {call.path} {call.accept}")


def not_foreign(item: LineItem, tool: Tool) -> None:
    """Another tool's activity column is out of reach; its uncoupled ones are not (!)."""
    if item.coupled and item.tool is not tool:
        raise refuse(403, "Forbidden")


def _list(campus: "Campus", call: Call, context: Context, tool: Tool) -> Answer:
    params = call.params
    resource_id, tag = params.get("resource_id"), params.get("tag")
    link = params.get("resource_link_id") or params.get("lti_link_id")
    found = [
        item
        for item in context.line_items
        if item.tool is tool
        and (not resource_id or item.resource_id == resource_id)
        and (not tag or item.tag == tag)
        and (not link or link in (item.resource_link_id, item.activity and item.activity.id))
    ]
    limit = whole_number(params.get("limit")) or campus.column_page or 0
    start = whole_number(params.get("from"))
    page = found[start : start + limit] if limit else found
    answer = _json(200, [_document(campus, item, tool) for item in page], CONTAINER_TYPE)
    if limit and start + limit < len(found):
        answer.headers.append(broken_next_link(call, campus, limit, start + limit))
    return answer


def _create(campus: "Campus", call: Call, context: Context, tool: Tool) -> Answer:
    wanted = _wanted(call)
    link = str(wanted.get("resourceLinkId") or wanted.get("ltiLinkId") or "")
    if link:
        if not link.isdecimal():
            raise bad_gateway()
        if not any(a.id == link and a.tool is tool for a in context.activities):
            raise refuse(403, "Forbidden")
    if len(wanted["label"]) > 255:
        raise bad_gateway()
    item = campus.add_line_item(context, tool, wanted["label"], float(wanted["scoreMaximum"]))
    # Too long an id fails only now: the column above stays behind, as in Moodle.
    _check_lengths(wanted)
    item.resource_id = str(wanted.get("resourceId") or "")
    item.tag = str(wanted.get("tag") or "")
    item.resource_link_id = link
    return _json(201, {**wanted, "id": line_item_url(campus, item, tool)}, ITEM_TYPE)


def _replace(campus: "Campus", call: Call, item: LineItem, tool: Tool) -> Answer:
    """A full replace: what the body leaves out is erased."""
    wanted = _wanted(call)
    not_foreign(item, tool)
    _check_lengths(wanted)
    link = str(wanted.get("resourceLinkId") or wanted.get("ltiLinkId") or "")
    if link and not link.isdecimal():
        raise bad_gateway()
    gradebook.set_maximum(item, float(wanted["scoreMaximum"]))
    item.label = wanted["label"]
    item.resource_id = str(wanted.get("resourceId") or "")
    item.tag = str(wanted.get("tag") or "")
    item.resource_link_id = link
    item.submission_review = wanted.get("submissionReview")
    return _json(200, {**wanted, "id": line_item_url(campus, item, tool)}, ITEM_TYPE)


def _wanted(call: Call) -> dict[str, Any]:
    try:
        wanted = json.loads(call.body)
        float(wanted["scoreMaximum"])
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise refuse(400, "No label or Score Maximum") from error
    if not isinstance(wanted, dict) or not isinstance(wanted.get("label"), str):
        raise refuse(400, "No label or Score Maximum")
    if not wanted["label"] or isinstance(wanted["scoreMaximum"], bool):
        raise refuse(400, "No label or Score Maximum")
    return wanted


def _check_lengths(wanted: dict[str, Any]) -> None:
    for name, longest in (("label", 255), ("resourceId", 512), ("tag", 255)):
        if len(str(wanted.get(name) or "")) > longest:
            raise bad_gateway()


def _document(campus: "Campus", item: LineItem, tool: Tool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": line_item_url(campus, item, tool),
        "label": item.label,
        "scoreMaximum": item.maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.resource_link_id:
        document["resourceLinkId"] = document["ltiLinkId"] = item.resource_link_id
    if item.submission_review is not None:
        document["submissionReview"] = item.submission_review
    return document


def _json(status: int, document: Any, media_type: str) -> Answer:
    return Answer(status, json.dumps(document).encode(), media_type)
