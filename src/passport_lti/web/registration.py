"""Dynamic registration: the page that a platform opens with an invitation."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, make_response, render_template, request
from flask_babel import gettext as _

from passport_lti.lti.explanations import Explanation
from passport_lti.lti.invitations import is_known
from passport_lti.lti.registration import RegistrationRefused, asks_for_update, register
from passport_lti.web import limits, security
from passport_lti.web.pages import services
from passport_lti.web.refusals import log_verdict

blueprint = Blueprint("registration", __name__)


@blueprint.get("/lti/register")
def registering() -> Response | str:
    """Register with the platform that sent the browser here; tell what it leaves to do."""
    limits.spend("registration")
    configuration = request.args.get("openid_configuration", "")
    token = request.args.get("registration_token", "")
    invite = request.args.get("invite", "")
    if is_known(invite):
        # Moodle shows this page in a frame before it is one of the registered platforms.
        security.allow_framing_by(security.origin(configuration))
    try:
        platform = register(
            services().tool,
            invite,
            configuration,
            token,
        )
    except RegistrationRefused as refusal:
        return _refused(refusal)
    security.forget_platforms(current_app)
    log_verdict("ok", platform.name, "registration")
    return render_template(
        "lti/registered.html",
        platform=platform,
        is_update=asks_for_update(token),
        is_approved=any(row.state == "approved" for row in platform.deployments),
        origin=security.origin(configuration),
        host=urlsplit(configuration).netloc,
    )


def _refused(refusal: RegistrationRefused) -> Response:
    log_verdict(refusal.code, kind="registration", detail=refusal.detail)
    if refusal.code == "session":
        way = _(
            "Start again in your learning platform with a new address from: "
            "passport-lti platform invite NAME"
        )
    else:
        way = _(
            "The registration address was not used up: paste it again once this is settled. "
            "Or connect the platform by hand: %(address)s",
            address=services().config.tool.base_url + "/lti/setup",
        )
    page = render_template(
        "refused.html",
        explanation=Explanation(_("The registration could not be done."), refusal.detail, way),
        code=refusal.code,
        detail="",
    )
    response = make_response(page, refusal.status)
    response.headers["X-LTI-Error"] = refusal.code
    return response
