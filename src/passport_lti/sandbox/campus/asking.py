"""Checks that several services share."""

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from passport_lti.sandbox.campus.messages import Call, refuse
from passport_lti.sandbox.campus.state import Context, LineItem, Tool
from passport_lti.sandbox.campus.tokens import permitted

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


def authorised(campus: "Campus", call: Call, *scopes: str) -> Tool:
    """The tool behind the bearer token, if it holds one of `scopes`; 401 otherwise."""
    scheme, _, token = call.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    owner = campus.access_tokens.owner(token.strip(), campus.now()) if scheme == "Bearer" else None
    if owner is not None:
        tool, granted = owner
        known = campus.tools.get(tool.deployment_id) is tool
        # The setting counts at each call: a service that was switched off is off at once.
        allowed = granted.intersection(scopes).intersection(permitted(tool))
        if (
            known
            and allowed
            and call.params.get("type_id", tool.deployment_id) == (tool.deployment_id)
        ):
            return tool
    document = {
        "status": 401,
        "reason": "Unauthorized",
        "request": {"method": call.method, "url": call.target, "accept": call.accept},
    }
    raise refuse(401, "Unauthorized", json.dumps(document).encode())


def accepts(call: Call, media_type: str, any_type: bool = True) -> None:
    """Moodle compares Accept as one exact string; 400 if it is another one."""
    if call.accept in ("", media_type) or (any_type and call.accept == "*/*"):
        return
    raise refuse(400, f"No handler found for {call.path} {call.accept}")


def contains(call: Call, media_type: str) -> None:
    """The same for Content-Type, whose parameters do not matter."""
    if call.content_type != media_type:
        raise refuse(400, f"No handler found for {call.path} {call.content_type}")


def context_of(campus: "Campus", context_id: str) -> Context:
    context = campus.contexts.get(context_id)
    if context is None:
        raise refuse(404, "Not Found: Course")
    return context


def line_item_of(campus: "Campus", line_item_id: str) -> LineItem:
    item = campus.line_items.get(line_item_id)
    if item is None:
        raise refuse(404, "Not Found: Line item")
    return item


def whole_number(text: str | None) -> int:
    """PHP's optional integer parameter: rubbish counts as 0."""
    return int(text) if text and text.isdecimal() else 0


def broken_next_link(call: Call, campus: "Campus", limit: int, start: int) -> tuple[str, str]:
    """Moodle's Link header: typographic quotes and HTML-escaped ampersands."""
    params = {**call.params, "limit": str(limit), "from": str(start)}
    address = f"{campus.url}{call.path}?{urlencode(params)}".replace("&", "&amp;")
    return "Link", f"<{address}>; rel=“next”".encode().decode("latin-1")
