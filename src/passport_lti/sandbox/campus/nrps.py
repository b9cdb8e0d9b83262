"""Names and roles: who is in a context."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from passport_lti.sandbox.campus.asking import accepts, authorised, context_of, whole_number
from passport_lti.sandbox.campus.messages import Answer, Call, refuse
from passport_lti.sandbox.campus.state import Context, Enrolment, Tool
from passport_lti.sandbox.campus.tokens import MEMBERS_READ

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"


def memberships_url(campus: "Campus", context: Context, tool: Tool) -> str:
    """Without a type_id, unlike the grade service."""
    root = f"{campus.url}/mod/lti/services.php/CourseSection"
    return f"{root}/{context.id}/bindings/{tool.deployment_id}/memberships"


def members(campus: "Campus", call: Call, context_id: str, type_id: str) -> Answer:
    """Active enrolments by family name; the next link forgets the role filter."""
    accepts(call, MEMBERS_TYPE)
    tool = authorised(campus, call, MEMBERS_READ)
    if tool.deployment_id != type_id:
        raise refuse(401, "Unauthorized")
    context = context_of(campus, context_id)
    params = call.params
    link = params.get("rlid")
    if link and not any(a.id == link for a in context.activities):
        raise refuse(404, "Not Found: Resource link")
    wanted = params.get("role", "").removeprefix(_MEMBERSHIP)
    places = [
        place
        for place in context.enrolments.values()
        if place.active and (wanted not in ("Learner", "Instructor") or _role(place) == wanted)
    ]
    places.sort(key=lambda p: (p.person.family, p.person.given, int(p.person.id)))
    limit, start = whole_number(params.get("limit")), whole_number(params.get("from"))
    if campus.page_size is not None:
        limit = min(limit or campus.page_size, campus.page_size)
    page = places[start : start + limit] if limit else places
    address = memberships_url(campus, context, tool)
    document = {
        "id": address,
        "context": {"id": context.id, "label": context.shortname, "title": context.fullname},
        "members": [_member(place, tool, campus, link) for place in page],
    }
    answer = Answer(200, json.dumps(document).encode(), MEMBERS_TYPE)
    if limit and start + limit < len(places):
        query = urlencode({"limit": limit, "from": start + limit})
        answer.headers.append(("Link", f'<{address}?{query}>; rel="next"'))
    return answer


def _role(place: Enrolment) -> str:
    return "Instructor" if place.role == "instructor" else "Learner"


def _member(place: Enrolment, tool: Tool, campus: "Campus", link: str | None) -> dict[str, Any]:
    person = place.person
    member: dict[str, Any] = {
        "status": "Active",
        "roles": [_role(place), *([_ADMINISTRATOR] if person.admin else [])],
        "user_id": person.id,
        "lis_person_sourcedid": person.idnumber,
    }
    if tool.share_name:
        member.update(
            name=person.name,
            given_name=person.given,
            family_name=person.family,
            ext_user_username=person.username,
        )
    if tool.share_email:
        member["email"] = person.email
    if link:
        outcome = {
            "lis_result_sourcedid": json.dumps({"data": {"instanceid": link, "userid": person.id}}),
            "lis_outcome_service_url": f"{campus.url}/mod/lti/service.php",
        }
        name = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
        member["message"] = [
            {
                "https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiResourceLinkRequest",
                name: outcome,
            }
        ]
    return member
