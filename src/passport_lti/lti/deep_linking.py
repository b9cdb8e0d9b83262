"""The answer to a deep linking request: the content items, signed for the platform.

PyLTI1p3's builder always sends `data: null` and has no `text`; this one sends what was asked for.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from passport_lti.grades import Link
from passport_lti.lti import keys
from passport_lti.lti.claims import CLAIM
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform

_DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LONGEST = 255
"""Characters of a title: Moodle drops an item with more."""
LIFETIME = 300
"""Seconds; the form posts itself at once."""


def response(
    tool: Tool, platform: Platform, deployment_id: str, links: Sequence[Link], data: str | None
) -> str:
    """The signed message (field `JWT`) that adds `links` to the platform's context."""
    now = int(tool.clock().timestamp())
    message: dict[str, Any] = {
        "iss": platform.client_id,
        "aud": platform.issuer,
        "iat": now - 10,
        "exp": now + LIFETIME,
        "nonce": uuid.uuid4().hex,
        CLAIM + "message_type": "LtiDeepLinkingResponse",
        CLAIM + "version": "1.3.0",
        CLAIM + "deployment_id": deployment_id,
        _DEEP_LINKING + "content_items": [content_item(tool, link) for link in links],
    }
    if data is not None:
        message[_DEEP_LINKING + "data"] = data
    key = keys.active_key(tool)
    return jwt.encode(message, key.private_key, algorithm="RS256", headers={"kid": key.kid})


def content_item(tool: Tool, link: Link) -> Mapping[str, Any]:
    """One `ltiResourceLink`. Moodle drops an item whose maximum is no integer from 1 to 100."""
    item: dict[str, Any] = {
        "type": "ltiResourceLink",
        "url": tool.launch_url,
        "title": link.title[:LONGEST],
        "text": link.text,
        "window": {"targetName": "_blank"},
        "custom": dict(link.custom),
    }
    if link.column is not None:
        item["lineItem"] = {
            "label": link.column.label[:LONGEST],
            "scoreMaximum": min(max(round(link.column.maximum), 1), 100),
            "resourceId": link.column.resource_id,
            "tag": link.column.tag,
        }
    return item
