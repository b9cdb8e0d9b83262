"""The platform's way in: login, launch, confirm, and the public keys."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, g, jsonify, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti import keys
from passport_lti.lti.launch import verify
from passport_lti.lti.logins import note_login
from passport_lti.lti.oidc import LoginStart, begin_login
from passport_lti.lti.state import LIFETIME
from passport_lti.models import LaunchLog
from passport_lti.sync.arrivals import accept, content_of
from passport_lti.web import arrival, language, limits, security, sessions
from passport_lti.web.forms import message_fields
from passport_lti.web.pages import services
from passport_lti.web.refusals import log_verdict
from passport_lti.web.sessions import Kind

blueprint = Blueprint("lti", __name__, url_prefix="/lti")


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> AnyResponse:
    fields = message_fields()
    limits.spend("login", fields.get("iss", ""))
    start = begin_login(services().tool, fields)
    note_login(start.platform_id, services().clock())
    response = redirect(start.url, 302)
    _set_cookie(response, start)
    return response


@blueprint.post("/launch")
def launch() -> AnyResponse:
    tool, fields = services().tool, message_fields()
    with db.engine.connect() as connection:
        verified = verify(tool, connection, fields, request.cookies, content_of)
        log = accept(connection, verified, g.correlation_id, tool.clock())
    limits.give_back("login", verified.platform.issuer)
    language.speak(log.locale)
    log_verdict("ok", verified.platform.name, verified.launch.message_type)
    visit = arrival.of(verified, log)
    if not verified.same_browser:
        return arrival.ask_who(visit, verified.launch)
    return arrival.go_on(visit)


@blueprint.post("/confirm")
def confirm() -> AnyResponse:
    if security.is_sent_from_elsewhere():
        raise LaunchRefused("session", "another site has sent this confirmation", 403)
    session = sessions.load(Kind.CONFIRM)
    sessions.use_once(session, LaunchLog.confirmed_at)
    return arrival.go_on(arrival.confirmed(session))


@blueprint.get("/jwks.json")
def jwks() -> Response:
    response = make_response(jsonify(keys.public_key_set(services().tool)))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _set_cookie(response: AnyResponse, start: LoginStart) -> None:
    """The cookie that ties the launch to this browser, also inside another site's frame.

    On https its name forbids browsers to take it from anybody but this very host (`__Host-`, which
    wants the path /): a sibling sub-domain could plant the cookie of an attacker's own flow.
    """
    base = urlsplit(services().config.tool.base_url)
    secure = base.scheme == "https"
    response.set_cookie(
        start.cookie_name,
        start.cookie_value,
        max_age=LIFETIME,
        path="/" if secure else f"{base.path.rstrip('/')}/lti",
        httponly=True,
        secure=secure,
        samesite="None" if secure else "Lax",
        partitioned=secure,
    )
