"""Alive, able to work, and how much: for load balancers and monitoring."""

import hmac
import logging
import os
import secrets
import threading
from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, jsonify, request

from passport_lti import leases
from passport_lti.config import is_loopback
from passport_lti.extensions import cache, db, reason
from passport_lti.lti import keys
from passport_lti.web.pages import services

log = logging.getLogger(__name__)

STORED = timedelta(seconds=10)
"""How old the last proof may be, twice over, that the database stores anything."""

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    checks = {"database": _database, "cache": _cache, "keys": _keys}
    found = {name: _passes(check) for name, check in checks.items()}
    ready = all(found.values())
    return jsonify(
        status="ok" if ready else "unavailable",
        checks={name: "ok" if fine else "failing" for name, fine in found.items()},
    ), 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    if not _may_read():
        abort(404)
    # Not at the top, for the reason that `metrics` gives.
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    body = generate_latest(current_app.extensions["passport_lti_registry"])
    return Response(body, content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    token = services().config.metrics.token
    if token is not None:
        wanted = f"Bearer {token.get_secret_value()}".encode()
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted)
    # A proxy on this machine connects from loopback too, and says so.
    original = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    forwarded = any(
        name.startswith(("HTTP_X_FORWARDED_", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA"))
        for name in (*original, *request.environ)
    )
    return is_loopback(original.get("REMOTE_ADDR")) and not forwarded


def _passes(check: object) -> bool:
    try:
        return bool(check())  # type: ignore[operator]
    except Exception as error:
        # Whatever is wrong, the answer is the same: don't send anybody here.
        log.warning("not ready: %s", reason(error))
        db.session.rollback()
        return False


def _database() -> bool:
    """Whether it answers and stores: on a full disk a database still reads.

    A write in some seconds is enough, however often and by how many processes this is asked.
    """
    leases.take("readyz", "readyz", services().clock(), STORED)
    return True


def _cache() -> bool:
    # Not always the same: an old value must not stand for one that could not be stored.
    value = secrets.token_hex(8)
    name = f"readyz-{threading.get_ident()}-{os.getpid()}"
    cache.set(name, value, timeout=10)
    return bool(cache.get(name) == value)


def _keys() -> bool:
    return bool(keys.active_key(services().tool).kid)
