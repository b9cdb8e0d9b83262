"""The SAML identity provider's addresses: its metadata, and where Coursera asks who is there."""

import logging

from flask import Blueprint, abort, g, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from passport_lti.errors import SignOnRefused
from passport_lti.extensions import db
from passport_lti.sso import keys, metadata
from passport_lti.sso.providers import has_own_identity, identity
from passport_lti.sso.requests import Message, from_post, from_redirect, read
from passport_lti.web import sign_on
from passport_lti.web.pages import services

blueprint = Blueprint("saml", __name__, url_prefix="/saml")
logger = logging.getLogger(__name__)

_OPEN = lazy_gettext("Go to your course in Moodle and open the activity there.")
_TEACHER = lazy_gettext("Please tell your teacher or the administrator of your learning platform.")
EXPLANATIONS = {
    "no_launch": (lazy_gettext("Open the activity in Moodle"), lazy_gettext(
        "Coursera asks this tool who you are, and it knows that only for some minutes after you "
        "opened an activity. Go to your course in Moodle and open the activity there.")),
    "replayed": (lazy_gettext("This sign-in was already used"), _OPEN),
    "expired": (lazy_gettext("This sign-in took too long"), _OPEN),
    "external_id": (lazy_gettext("Your learning platform does not say who you are"), lazy_gettext(
        "It keeps from this tool what Coursera knows you by, so you can't be signed in. "
        "Please tell your teacher.")),
    "not_configured": (lazy_gettext("The sign-in at Coursera is not set up"), _TEACHER),
    "other_organisation": (
        lazy_gettext("You opened an activity of another organisation last"), _OPEN),
}  # fmt: skip
_OTHERWISE = (lazy_gettext("Coursera's request to sign you in can't be accepted"), lazy_gettext(
    "Go to your course in Moodle and open the activity there. If this page comes back, show it to "
    "the administrator of your learning platform."))  # fmt: skip
SETTINGS = {
    "issuer_unknown": "coursera.NAME.saml.entity_id must be the issuer of Coursera's requests.",
    "acs": "coursera.NAME.saml.acs_url must be where Coursera wants its answers.",
    "destination": "Coursera must have the address of the metadata that it was given.",
    "signature": "coursera.NAME.saml.certificate must be Coursera's present certificate.",
    "unsigned": "coursera.NAME.saml.signed_requests: false, or Coursera signs its requests.",
    "relay_state": "A RelayState must be an address at Coursera, or no address.",
    "name_id_policy": "Coursera must ask for a persistent NameID, or for none.",
    "expired": "One of the two clocks is wrong, or a page was reloaded.",
    "not_yet_valid": "One of the two clocks is wrong: see lti.clock_skew.",
    "external_id": "Moodle, tool settings, Privacy; and identity.external_id of the platform.",
    "not_configured": "platforms.NAME.sso.mode and coursera.NAME.saml; see docs/sso.md.",
}
"""What an administrator looks at, in English like the settings themselves."""


@blueprint.get("/metadata", defaults={"organisation": None})
@blueprint.get("/metadata/<organisation>")
def show_metadata(organisation: str | None) -> Response:
    config = services().config
    if organisation is not None and not has_own_identity(config, organisation):
        abort(404)
    demands = [
        c.saml.signed_requests
        for name, c in config.coursera.items()
        if c.saml and (name if c.saml.own_entity_id else None) == organisation
    ]
    document = metadata.document(
        identity(config, organisation),
        keys.published(services().tool),
        bool(demands) and all(demands),
    )
    response = make_response(document)
    response.headers["Content-Type"] = metadata.TYPE
    return response


@blueprint.route("/sso", methods=["GET", "POST"], defaults={"organisation": None})
@blueprint.route("/sso/<organisation>", methods=["GET", "POST"])
def sso(organisation: str | None) -> Response:
    asked = read(_message(), services().config, services().clock(), organisation)
    answer = sign_on.answer(asked)
    if answer is not None:
        return answer
    if request.method == "POST" and "returned" not in request.form:
        # Another site's form: browsers keep our cookie to themselves until we ask from here.
        return make_response(render_template("saml/again.html", fields=request.form))
    raise SignOnRefused("no_launch", status=403)


def _message() -> Message:
    if request.method == "POST":
        return from_post(request.form)
    return from_redirect(request.query_string)


@blueprint.app_errorhandler(SignOnRefused)
def refused(refusal: SignOnRefused) -> Response:
    """The page and header of a sign-on that does not happen."""
    db.session.rollback()
    logger.info(
        "sign-on verdict=%s correlation=%s path=%s detail=%r",
        refusal.code,
        g.correlation_id,
        request.path,
        refusal.detail[:200],
    )
    what, do = EXPLANATIONS.get(refusal.code, _OTHERWISE)
    page = render_template(
        "saml/refused.html",
        what=what,
        do=do,
        code=refusal.code,
        detail=refusal.detail,
        setting=SETTINGS.get(refusal.code, ""),
    )
    response = make_response(page, refusal.status)
    response.headers["X-SAML-Error"] = refusal.code
    return response


@blueprint.errorhandler(HTTPException)
def unreadable(error: HTTPException) -> Response:
    """A form that can't be read is refused like a request that can't."""
    if error.code == 413:
        return refused(SignOnRefused("too_large", "the form is too large", 413))
    if error.code == 404:
        return make_response(
            render_template("error.html", sentence=gettext("There is no such page.")), 404
        )
    return refused(SignOnRefused("malformed", "the form can't be read", error.code or 400))
