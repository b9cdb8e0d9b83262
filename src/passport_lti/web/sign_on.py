"""From a launch to Coursera: by a plain link, or signed in by an assertion of ours."""

import logging
from base64 import b64encode
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from passport_lti.errors import LaunchRefused, SignOnRefused
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Activity, LaunchLog, Member
from passport_lti.sso import keys, relay
from passport_lti.sso.answered import answer_once
from passport_lti.sso.people import subject
from passport_lti.sso.providers import ServiceProvider, of_organisation
from passport_lti.sso.requests import AuthnRequest
from passport_lti.sso.responses import Response as Message
from passport_lti.sso.responses import asserted, declined
from passport_lti.web import security, sessions
from passport_lti.web.pages import services
from passport_lti.web.sessions import SIGN_ON_WITHIN, Kind, PageSession

logger = logging.getLogger(__name__)

GO_WITHIN = timedelta(minutes=30)
"""How long after a launch its way out signs somebody in: the address alone is enough for that."""
FRESH = timedelta(minutes=2)
"""How long ago a launch may be where Coursera wants a person to sign in anew (ForceAuthn)."""
_FRAMES = ("iframe", "frame", "embed", "object")


def leave(session: PageSession, activity: Activity, address: str) -> Response:
    """On to an address at Coursera. Raises SignOnRefused, LaunchRefused.

    Only learners are signed in: a seat at Coursera is taken by whoever arrives with a name.
    Everybody else can look with an account of their own.
    """
    sso = settings_of(session.platform).sso
    if sso.mode != "saml":
        return redirect(address, 302)
    if session.launch.role != "learner":
        return redirect(_without_sign_on(address), 302)
    if request.headers.get("Sec-Fetch-Dest") in _FRAMES:
        # Coursera shows itself in no frame: a click opens a window, with an assertion of its own.
        way = request.full_path
        page = render_template(
            "learner/open.html", activity=activity, way=way, graded=True, framed=True,
            session=session.value,
        )  # fmt: skip
        return make_response(page)
    if services().clock() - session.launch.at > GO_WITHIN:
        raise LaunchRefused("session", "this page was open for too long", 403)
    provider = of_organisation(services().config, activity.connection)
    if provider is None:
        detail = f"coursera.{activity.connection}.saml is missing"
        raise SignOnRefused("not_configured", detail, 503)
    message = _assertion(session, provider, None)
    if sso.begins_at == "coursera":
        answer: Response = redirect(address, 302)
    else:
        _log(session.launch, provider, message, "tool")
        answer = _page(provider, message, address)
    _remember(answer, session)
    return answer


def answer(asked: AuthnRequest) -> Response | None:
    """Coursera's request, answered from the launch that runs in this browser; None without one.

    Raises SignOnRefused where the launch may not answer it.
    """
    relay.check_relay_state(asked.relay_state, relay.own_addresses(asked.provider))
    session = _running()
    now = services().clock()
    if session is None or (asked.force_authn and now - session.launch.at > FRESH):
        return _declined(asked) if asked.is_passive else None
    activity = db.session.get(Activity, session.activity_id or 0)
    if activity is None or settings_of(session.platform).sso.mode != "saml":
        raise SignOnRefused("not_configured", "this platform's sso mode is not saml", 403)
    if activity.connection != asked.provider.organisation:
        raise SignOnRefused("other_organisation", "the launch belongs to another one", 403)
    message = _assertion(session, asked.provider, asked.id)
    answer_once(asked, now)
    _log(session.launch, asked.provider, message, "coursera")
    return _page(asked.provider, message, asked.relay_state)


def _assertion(session: PageSession, provider: ServiceProvider, asked: str | None) -> Message:
    member = db.session.get(Member, session.launch.member_fk or 0)
    who, now = subject(member, session.launch), services().clock()
    return asserted(provider, who, keys.active_key(services().tool), now, asked)


def _declined(asked: AuthnRequest) -> Response:
    now = services().clock()
    answer_once(asked, now)
    key = keys.active_key(services().tool)
    message = declined(asked.provider, key, now, asked.id, "NoPassive")
    return _page(asked.provider, message, asked.relay_state)


def _page(provider: ServiceProvider, message: Message, relay_state: str) -> Response:
    """The page whose form posts a message to Coursera and submits itself."""
    security.allow_form_to(*_targets(provider, relay_state))
    return make_response(
        render_template(
            "saml/continue.html",
            acs_url=provider.acs_url,
            message=b64encode(message.document).decode(),
            relay_state=relay_state,
        )
    )


def _targets(provider: ServiceProvider, relay_state: str) -> set[str]:
    """Where the form may go and be redirected: a browser holds the redirects against it, too."""
    found = {security.origin(provider.acs_url), security.origin(relay_state)}
    for place in list(found):
        parts = urlsplit(place)
        labels = (parts.hostname or "").split(".")
        if len(labels) > 2 and not labels[-1].isdigit():
            found.add(f"{parts.scheme}://*.{'.'.join(labels[1:])}")
    return found - {""}


def _running() -> PageSession | None:
    """The launch of this browser's cookie, if it still runs and is a learner's."""
    try:
        session = sessions.load(Kind.SIGN_ON, request.cookies.get(_cookie_name(), ""))
    except LaunchRefused:
        return None
    return session if session.launch.role == "learner" else None


def _remember(response: Response, session: PageSession) -> None:
    """Let this browser answer Coursera's questions for some minutes.

    The launch stands in a window of its own here, so the cookie is a first party's; `Lax` keeps it
    out of frames and of other sites' requests in the background.
    """
    secure = services().config.tool.base_url.startswith("https:")
    response.set_cookie(
        _cookie_name(),
        sessions.issue(Kind.SIGN_ON, session.launch, activity_id=session.activity_id),
        max_age=int(SIGN_ON_WITHIN.total_seconds()),
        path="/" if secure else f"{urlsplit(services().config.tool.base_url).path}/saml",
        httponly=True,
        secure=secure,
        samesite="Lax",
    )


def _cookie_name() -> str:
    secure = services().config.tool.base_url.startswith("https:")
    return "__Host-passport_sign_on" if secure else "passport_sign_on"


def _without_sign_on(address: str) -> str:
    """The same place without the wish to be signed in by us, who would not do it."""
    parts = urlsplit(address)
    own = ("attemptSSOLogin", "authProvider", "authMode")
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in own]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def _log(launch: LaunchLog, provider: ServiceProvider, message: Message, begun_at: str) -> None:
    logger.info(
        "sign-on verdict=ok correlation=%s organisation=%s launch=%s assertion=%s begun_at=%s",
        g.correlation_id,
        provider.organisation,
        launch.id,
        message.assertion_id,
        begun_at,
    )
