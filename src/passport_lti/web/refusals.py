"""Pages for what must not pass or went wrong: one sentence, what to do next, never a traceback."""

import logging

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import apart, db
from passport_lti.lti.explanations import BROKEN, EXPLANATIONS
from passport_lti.models import LaunchLog, Platform
from passport_lti.web import limits, metrics
from passport_lti.web.pages import services
from passport_lti.words import N_

logger = logging.getLogger(__name__)


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
        known = refusal.platform_id and session.get(Platform, refusal.platform_id)
        session.add(
            LaunchLog(
                correlation_id=g.correlation_id,
                at=services().clock(),
                verdict=refusal.code,
                platform_id=known.id if known else None,
                proven=refusal.is_proven,
            )
        )


def refused(refusal: LaunchRefused) -> Response:
    """The page and header of a refused message or session."""
    _forget()
    if request.path in ("/lti/login", "/lti/launch"):
        record(refusal)
    log_verdict(refusal.code, detail=refusal.detail)
    page = render_template(
        "refused.html",
        explanation=EXPLANATIONS.get(refusal.code, BROKEN),
        code=refusal.code,
        detail=refusal.detail,
    )
    response = make_response(page, refusal.status)
    response.headers["X-LTI-Error"] = refusal.code
    return response


def _forget() -> None:
    """Undo what was begun; no page about it may ask the database anything."""
    db.session.rollback()
    g.pop("launch", None)


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
    404: N_(
        "There is no such page. Start again from Moodle: go back to your course and open the "
        "activity again."
    ),
    405: N_(
        "This address can't be opened like that. Start again from Moodle: go back to your course "
        "and open the activity again."
    ),
    413: N_("What was sent is too large."),
    429: N_("There were too many requests from your network. Wait a minute, then try again."),
}
_NOT_UNDERSTOOD = N_(
    "This request could not be understood. Start again from Moodle: go back to your course and "
    "open the activity again."
)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    sentence = _(_SENTENCES.get(status, _NOT_UNDERSTOOD))
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
    _forget()
    logger.error("unexpected error at %s", request.path, exc_info=error)
    sentence = _("Something went wrong on our side. It has been noted; please try again later.")
    return make_response(render_template("error.html", sentence=sentence), 500)
