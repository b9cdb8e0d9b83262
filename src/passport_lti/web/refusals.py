"""Pages for what must not pass or went wrong: one sentence, what to do next, never a traceback."""

import logging
from dataclasses import dataclass

from flask import Flask, Response, g, make_response, render_template, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import apart, db
from passport_lti.models import LaunchLog
from passport_lti.web import limits, metrics
from passport_lti.web.pages import services

logger = logging.getLogger(__name__)

AGAIN = "Start again from Moodle: go back to your course and open the activity again."
ADMIN = "Please show this page to the administrator of your learning platform."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened and what to do, for a teacher; `setting` is for the administrator."""

    what: str
    do: str = ADMIN
    setting: str = ""


_BROKEN = Explanation("The message from your learning platform was incomplete or damaged.", AGAIN)
_KEY = (
    "The key_set_url of the platform's entry in this tool's configuration: it must be the "
    "Public keyset URL that Moodle shows under View configuration details."
)
_REGISTRATION = (
    "The platform's entry in this tool's configuration: its issuer must be the platform ID, its "
    "client_id the client ID and its deployment_ids the deployment ID that Moodle shows under "
    "View configuration details."
)

EXPLANATIONS = {
    "issuer_unknown": Explanation(
        "This tool does not know your learning platform.", setting=_REGISTRATION
    ),
    "client_unknown": Explanation(
        "This tool knows your learning platform under another client ID.", setting=_REGISTRATION
    ),
    "audience": Explanation(
        "The message was made for another client ID than the registered one.",
        setting=_REGISTRATION,
    ),
    "azp": Explanation("The message was issued to another tool.", setting=_REGISTRATION),
    "deployment_unknown": Explanation(
        "Your learning platform is known, but this installation of the tool is "
        "waiting for approval.",
        "Please ask the administrator of this tool to approve it, then open the activity again.",
        "The deployments of this platform: run passport-lti platform approve, or add the "
        "deployment ID under deployment_ids of the platform's entry in this tool's configuration.",
    ),
    "keyset": Explanation("The platform's public keys can't be read just now.", setting=_KEY),
    "kid_unknown": Explanation(
        "The message is signed with a key that the platform does not publish.", setting=_KEY
    ),
    "kid_missing": Explanation("The message names no signing key.", setting=_KEY),
    "signature": Explanation(
        "The signature of the message does not fit the platform's key.", setting=_KEY
    ),
    "alg": Explanation(
        "The message is not signed the way LTI 1.3 asks for.",
        setting="The platform must sign with RS256.",
    ),
    "expired": Explanation(
        "The message from your learning platform came too late.",
        AGAIN,
        "If it happens every time, the clocks of the two servers differ: see lti: clock_skew.",
    ),
    "not_yet_valid": Explanation(
        "The clock of your learning platform is ahead of this tool's clock.",
        setting="Set the platform's clock right (NTP), or raise lti: clock_skew.",
    ),
    "nonce_reused": Explanation("This launch was already used. A reload can't repeat it.", AGAIN),
    "nonce_unknown": Explanation("This launch did not begin with this tool.", AGAIN),
    "state_unknown": Explanation("This launch took too long or began elsewhere.", AGAIN),
    "state_missing": Explanation("This launch did not begin with this tool.", AGAIN),
    "state_browser": Explanation(
        "This launch began in another browser or window.",
        AGAIN + " If it happens again, allow cookies for this site.",
    ),
    "target_link": Explanation(
        "The activity points to an address that is not this tool's.",
        setting="Tool settings, Tool URL and Redirection URIs: use the values of /lti/setup.",
    ),
    "platform_error": Explanation(
        "Your learning platform could not sign you in to this tool.",
        AGAIN + " You may have to sign in to your learning platform first.",
    ),
    "role_not_allowed": Explanation(
        "Only teachers can select content for a course.", "Please ask your teacher."
    ),
    "session": Explanation(
        "This page has expired or was already used.",
        "Start again from your course: open the activity, or use Select content once more.",
    ),
    "version": Explanation(
        "The platform did not speak LTI 1.3.", setting="Tool settings, LTI version: LTI 1.3."
    ),
    "message_type": Explanation(
        "This tool can't do what the platform asked for.",
        setting="The tool takes part as an activity and by Select content (deep linking).",
    ),
}
EXPLANATIONS |= {
    code: Explanation(_BROKEN.what, _BROKEN.do, setting)
    for code, setting in {
        "malformed": "",
        "claims_missing": "The message lacks a required part.",
        "deployment_missing": "The message lacks deployment_id.",
        "resource_link_missing": "The message lacks the resource link's id.",
        "sub_missing": "The message names nobody (sub): anonymous launches are not possible.",
        "roles_missing": "The message lacks the person's roles.",
        "nonce_missing": "The message has no nonce.",
        "exp_missing": "The message has no expiry time (exp).",
        "iat_missing": "The message has no time of issue (iat).",
    }.items()
}


def init_app(app: Flask) -> None:
    app.register_error_handler(LaunchRefused, refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _unreadable)
    app.register_error_handler(Exception, _unexpected)


def record(refusal: LaunchRefused) -> None:
    """Write the verdict to the launch log, in a transaction of its own.

    Anybody can post junk: what one address sends beyond a sane pace fills no table, only the log.
    """
    if not limits.allows("refusal"):
        return
    with apart() as session, session.begin():
        session.add(
            LaunchLog(correlation_id=g.correlation_id, at=services().clock(), verdict=refusal.code)
        )


def refused(refusal: LaunchRefused) -> Response:
    """The page and header of a refused message or session."""
    db.session.rollback()
    if request.path == "/lti/launch":
        record(refusal)
    log_verdict(refusal.code, detail=refusal.detail)
    page = render_template(
        "refused.html",
        explanation=EXPLANATIONS.get(refusal.code, _BROKEN),
        code=refusal.code,
        detail=refusal.detail,
    )
    response = make_response(page, refusal.status)
    response.headers["X-LTI-Error"] = refusal.code
    return response


def log_verdict(code: str, platform: str = "-", kind: str = "-", detail: str = "") -> None:
    """One line per launch verdict, without names, e-mails or tokens."""
    metrics.add(metrics.verdicts(), code)
    logger.info(
        "launch verdict=%s correlation=%s platform=%s type=%s%s",
        code,
        g.correlation_id,
        platform,
        kind,
        f" path={request.path} detail={detail[:200]!r}" if detail else "",
    )


MESSAGES = ("/lti/login", "/lti/launch", "/lti/confirm")
"""Where messages arrive: what is refused there has a code, also before it was read."""

_SENTENCES = {
    404: "There is no such page.",
    405: "This address can't be opened like that. " + AGAIN,
    413: "What was sent is too large.",
    429: "There were too many requests from your network. Wait a minute, then try again.",
}


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    sentence = _SENTENCES.get(status, "This request could not be understood. " + AGAIN)
    response = make_response(render_template("error.html", sentence=sentence), status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "location", "retry-after"):
            response.headers[name] = value
    if request.path in MESSAGES and 400 <= status < 500:
        code = "rate_limited" if status == 429 else "malformed"
        log_verdict(code, detail=f"{request.method} was answered {status}")
        response.headers["X-LTI-Error"] = code
    return response


def _unreadable(error: Exception) -> Response:
    """A body whose pieces the server can't tell apart: it notices while we read."""
    return _http_error(BadRequest(type(error).__name__))


def _unexpected(error: Exception) -> Response:
    db.session.rollback()
    logger.error("unexpected error at %s", request.path, exc_info=error)
    sentence = "Something went wrong on our side. It has been noted; please try again later."
    return make_response(render_template("error.html", sentence=sentence), 500)
