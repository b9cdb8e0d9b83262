"""Launching: login initiation, the auth request and the form that carries the id_token."""

import json
import secrets
from typing import TYPE_CHECKING, Any

import jwt
from flask import Blueprint, Response, redirect, request, url_for

from passport_lti.sandbox.campus import claims
from passport_lti.sandbox.campus.here import error_page, repost, self_submitting, the_visit
from passport_lti.sandbox.campus.state import Tool
from passport_lti.sandbox.campus.visits import Visit

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_MANDATORY = ("scope", "response_type", "client_id", "redirect_uri", "login_hint", "nonce")


def oidc(campus: "Campus") -> Blueprint:
    """The pages of mod/lti that a launch goes through."""
    pages = Blueprint("oidc", __name__)

    @pages.get("/mod/lti/launch.php")
    def launch() -> Any:
        activity = campus.activity(request.args.get("id", ""))
        if activity is None or activity.deleting:
            return error_page("Invalid course module ID")
        if activity.tool.deployment_id not in campus.tools:
            return error_page("The external tool of this activity no longer exists")
        # Moodle starts the dance before it asks who you are: nobody is login_hint 0.
        visit = the_visit(campus, begin=True)
        launch_id = f"ltilaunch{activity.id}_{secrets.randbelow(10**9)}"
        visit.launches[launch_id] = {"activity": activity, "tool": activity.tool}
        hint = {"cmid": int(activity.cmid), "launchid": launch_id}
        return _initiate(campus, activity.tool, visit, activity.url, hint)

    @pages.get("/mod/lti/contentitem.php")
    def content_item() -> Any:
        visit = the_visit(campus)
        if visit is None or visit.person is None:
            return redirect(url_for("pages.front"))
        context = campus.contexts.get(request.args.get("course", ""))
        tool = campus.tools.get(request.args.get("id", ""))
        if context is None or tool is None or not tool.deep_link_url:
            return error_page("Unable to find the content selection of this tool")
        if not context.instructor(visit.person):
            return error_page("Sorry, but you do not currently have permissions to do that")
        launch_id = f"ltilaunch_ContentItemSelectionRequest_{secrets.randbelow(10**9)}"
        visit.launches[launch_id] = {"context": context, "tool": tool}
        return _initiate(campus, tool, visit, tool.deep_link_url, {"launchid": launch_id})

    @pages.route("/mod/lti/auth.php", methods=["GET", "POST"])
    def auth() -> Any:
        params = request.values
        visit = the_visit(campus)
        if visit is None and "repost" not in params:
            return repost()
        if visit is None or visit.person is None:
            return redirect(url_for("pages.front"))
        if any(not params.get(name) for name in _MANDATORY):
            return error_page("Invalid request")
        if params["scope"] != "openid" or params["response_type"] != "id_token":
            return error_page("Invalid request")
        try:
            launch_id = json.loads(params.get("lti_message_hint", ""))["launchid"]
        except (ValueError, TypeError, KeyError):
            return error_page("Invalid request")
        # Used up now: a reload of this request is an invalid request.
        pending = visit.launches.pop(str(launch_id), None)
        if pending is None:
            return error_page("Invalid request")
        tool: Tool = pending["tool"]
        if params["redirect_uri"] not in tool.redirect_urls:
            return error_page("Unregistered redirect URI")
        return _answer(campus, visit, pending, params)

    return pages


def _initiate(
    campus: "Campus", tool: Tool, visit: Visit, target: str, hint: dict[str, Any]
) -> Response:
    params = {
        "iss": campus.url,
        "target_link_uri": target,
        "login_hint": visit.person.id if visit.person else "0",
        "lti_message_hint": json.dumps(hint, separators=(",", ":")),
        "client_id": tool.client_id,
        "lti_deployment_id": tool.deployment_id,
    }
    if campus.on_login is not None:
        params = campus.on_login(params)
    return self_submitting(tool.login_url, params, f"Opening {tool.name}")


def _answer(campus: "Campus", visit: Visit, pending: dict[str, Any], params: Any) -> Response:
    """The form post to the tool: an id_token or an OAuth error, and always the state."""
    tool: Tool = pending["tool"]
    assert visit.person is not None
    form: dict[str, str]
    if params["client_id"] != tool.client_id:
        form = {"error": "unauthorized_client"}
    elif params["login_hint"] != visit.person.id:
        form = {"error": "access_denied"}
    elif params.get("response_mode") != "form_post":
        form = {"error": "invalid_request", "error_description": "Invalid response_mode"}
    elif params.get("prompt", "none") != "none":
        form = {"error": "invalid_request", "error_description": "Invalid prompt"}
    else:
        form = {"id_token": _id_token(campus, visit, pending, params["nonce"])}
    form["state"] = params.get("state", "")
    if campus.on_auth_response is not None:
        form = campus.on_auth_response(form)
    return self_submitting(params["redirect_uri"], form, f"Opening {tool.name}")


def _id_token(campus: "Campus", visit: Visit, pending: dict[str, Any], nonce: str) -> str:
    assert visit.person is not None
    if "activity" in pending:
        body = claims.resource_link(campus, pending["activity"], visit.person, visit.sesskey)
    else:
        context, tool = pending["context"], pending["tool"]
        return_url = (
            f"{campus.url}/mod/lti/contentitem_return.php"
            f"?course={context.id}&id={tool.deployment_id}&sesskey={visit.sesskey}"
        )
        body = claims.deep_linking(campus, tool, context, visit.person, return_url)
    now = int(campus.now())
    body.update(nonce=nonce, iat=now, exp=now + 60)
    header = {"typ": "JWT", "alg": "RS256", "kid": campus.kid}
    if campus.on_id_token is not None:
        other = campus.on_id_token(header, body, campus.private_key)
        if isinstance(other, str):
            return other
        if other is not None:
            header, body = other
    extra = {name: value for name, value in header.items() if name != "alg"}
    return jwt.encode(body, campus.private_key, algorithm=header["alg"], headers=extra)
