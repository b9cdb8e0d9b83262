"""Headers of every page: who may frame it, what it may load and where its forms may go."""

import secrets
import time
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from passport_lti.extensions import db
from passport_lti.models import Platform

KEEP = 15
"""Seconds that the list of platforms is used again: changes must arrive within 15 s."""

PICTURE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""The policy of an SVG: some browsers hold even images to it."""


class _NoSessions(SessionInterface):
    """No cookie of Flask's is ever read or set: see docs/decisions/0005."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return NullSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """There is none: Flask asks for this only where a session could be saved."""


def init_app(app: Flask) -> None:
    app.session_interface = _NoSessions()
    app.extensions["passport_lti_frames"] = (float("-inf"), "")
    app.after_request(_protect)


def nonce() -> str:
    """The value that marks an inline script of ours in this response."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def allow_form_to(*sources: str) -> None:
    """Let the forms of this response go (or be redirected) to more than this tool."""
    g.form_targets = [*g.get("form_targets", ()), *sources]


def allow_framing_by(source: str) -> None:
    """Let the page of this response stand in a frame of one more site."""
    g.frame_ancestor = source


def allow_own_styles() -> None:
    """This response is a picture: it may style itself, and do nothing else."""
    g.is_picture = True


def forget_platforms(app: Flask) -> None:
    """Read the list of platforms again, because it has just changed."""
    app.extensions["passport_lti_frames"] = (float("-inf"), "")


def origin(url: str) -> str:
    """`scheme://host[:port]` of an address; empty where it is none fit for a header."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or set(host) & set(" ;,'\"\\"):
        return ""
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}{port}" if host.isascii() else ""


def is_sent_from_elsewhere() -> bool:
    """Whether the browser says that another site's page has sent this form.

    A page of ours sends no referrer, so its browser names no origin either (`null`).
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    named = request.headers.get("Origin", "null")
    own = current_app.extensions["passport_lti"].config.tool.base_url
    return named != "null" and _place(named) != _place(own)


def _place(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port


def _protect(response: Response) -> Response:
    if g.get("is_picture"):
        policy = PICTURE
    else:
        script = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
        forms = " ".join(["'self'", *filter(None, g.get("form_targets", ()))])
        frames = " ".join(filter(None, [f"'self'{_platform_origins()}", g.get("frame_ancestor")]))
        policy = (
            f"default-src 'self'; script-src 'self'{script}; img-src 'self' data:; "
            f"form-action {forms}; frame-ancestors {frames}; base-uri 'none'; object-src 'none'"
        )
    headers = response.headers
    headers["Content-Security-Policy"] = policy
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    if not _is_static():
        headers.setdefault("Cache-Control", "no-store")
    return response


def _is_static() -> bool:
    return (request.endpoint or "").endswith("static")


def _platform_origins() -> str:
    if _is_static():
        return ""
    until, origins = current_app.extensions["passport_lti_frames"]
    if time.monotonic() < until:
        return str(origins)
    try:
        rows = db.session.execute(
            select(Platform.issuer, Platform.auth_login_url).where(Platform.state == "active")
        ).all()
    except SQLAlchemyError:
        db.session.rollback()
        return ""
    found = sorted(filter(None, {origin(url) for row in rows for url in row}))
    origins = "".join(f" {place}" for place in found)
    current_app.extensions["passport_lti_frames"] = (time.monotonic() + KEEP, origins)
    return origins
