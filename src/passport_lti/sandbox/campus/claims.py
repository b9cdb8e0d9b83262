"""What stands in an id_token."""

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from passport_lti.sandbox.campus.ags import line_item_url, line_items_url
from passport_lti.sandbox.campus.nrps import memberships_url
from passport_lti.sandbox.campus.state import Activity, Context, Person, Tool
from passport_lti.sandbox.campus.tokens import ags_scopes
from passport_lti.sandbox.campus.variables import custom_parameters

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
MEMBERSHIPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
OUTCOME = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_ADMINISTRATOR = (
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
)


def resource_link(
    campus: "Campus", activity: Activity, person: Person, sesskey: str
) -> dict[str, Any]:
    """Claims of a launch of an activity, without times and nonce."""
    tool, context = activity.tool, activity.context
    claims = _common(campus, tool, context, person, activity)
    query = urlencode(
        {
            "course": context.id,
            "launch_container": 3 if tool.container == "iframe" else 4,
            "instanceid": activity.id,
            "sesskey": sesskey,
        }
    )
    claims[CLAIM + "message_type"] = "LtiResourceLinkRequest"
    claims[CLAIM + "target_link_uri"] = activity.url
    claims[CLAIM + "resource_link"] = {
        "id": activity.id,
        "title": activity.title,
        "description": activity.description,
    }
    claims[CLAIM + "launch_presentation"] = {
        "locale": person.language,
        "document_target": "iframe" if tool.container == "iframe" else "window",
        "return_url": f"{campus.url}/mod/lti/return.php?{query}",
    }
    if activity.accepts_grades:
        data = {"instanceid": activity.id, "userid": person.id, "typeid": tool.deployment_id}
        claims[OUTCOME] = {
            "lis_result_sourcedid": json.dumps({"data": data}),
            "lis_outcome_service_url": f"{campus.url}/mod/lti/service.php",
        }
        columns = campus.columns_of(activity)
        if tool.ags and len(columns) == 1:
            claims[ENDPOINT]["lineitem"] = line_item_url(campus, columns[0], tool)
    return claims


def deep_linking(
    campus: "Campus", tool: Tool, context: Context, person: Person, return_url: str
) -> dict[str, Any]:
    """Claims of "Select content", without times and nonce."""
    claims = _common(campus, tool, context, person, None)
    claims[CLAIM + "message_type"] = "LtiDeepLinkingRequest"
    claims[CLAIM + "target_link_uri"] = tool.deep_link_url
    claims[CLAIM + "launch_presentation"] = {
        "locale": person.language,
        "document_target": "iframe",
        "return_url": return_url,
    }
    claims[DEEP_LINKING] = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "deep_link_return_url": return_url,
        "title": tool.name,
        "text": "",
    }
    return claims


def _common(
    campus: "Campus", tool: Tool, context: Context, person: Person, activity: Activity | None
) -> dict[str, Any]:
    teaches = context.instructor(person)
    roles = [_MEMBERSHIP + ("Instructor" if teaches else "Learner")]
    if person.admin:
        roles.extend(_ADMINISTRATOR)
    claims: dict[str, Any] = {
        "iss": campus.url,
        "aud": tool.client_id,
        "sub": person.id,
        CLAIM + "deployment_id": tool.deployment_id,
        CLAIM + "version": "1.3.0",
        CLAIM + "roles": roles,
        CLAIM + "context": {
            "id": context.id,
            "label": context.shortname,
            "title": context.fullname,
            "type": ["CourseSection"],
        },
        CLAIM + "lis": {
            "person_sourcedid": person.idnumber,
            "course_section_sourcedid": context.idnumber,
        },
        CLAIM + "tool_platform": {
            "product_family_code": "moodle",
            "version": "2024100705.01",
            "guid": hashlib.md5(campus.url.encode(), usedforsecurity=False).hexdigest(),
            "name": campus.name,
            "description": campus.name,
        },
        CLAIM + "ext": {"lms": "moodle-2"},
        CLAIM + "custom": custom_parameters(campus, tool, context, person, activity),
    }
    if tool.share_name:
        claims.update(given_name=person.given, family_name=person.family, name=person.name)
        claims[CLAIM + "ext"]["user_username"] = person.username
    if tool.share_email:
        claims["email"] = person.email
    if tool.ags:
        claims[ENDPOINT] = {
            "scope": ags_scopes(tool),
            "lineitems": line_items_url(campus, context, tool),
        }
    # A context without any activity of the tool has no roster for it yet.
    if tool.nrps and any(a.tool is tool for a in context.activities):
        url = memberships_url(campus, context, tool)
        claims[MEMBERSHIPS] = {"context_memberships_url": url, "service_versions": ["1.0", "2.0"]}
        claims[CLAIM + "custom"]["context_memberships_url"] = url
    return claims
