"""Pictures of courses: fetched here, because a page may ask no other host for anything.

Only addresses that we signed are fetched, and only those of the catalogue are signed. What comes
back is an image of a known kind and of bounded size, whatever it says to be.
"""

import hashlib
import threading
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, url_for
from itsdangerous import BadData
from werkzeug.exceptions import NotFound

from passport_lti import signed
from passport_lti.config import is_loopback
from passport_lti.extensions import cache
from passport_lti.lti import guarded
from passport_lti.web.pages import services

blueprint = Blueprint("pictures", __name__)

LARGEST = 512 * 1024
"""Bytes of a picture that is passed on."""
AT_ONCE = threading.BoundedSemaphore(4)
"""Pictures fetched at a time: they must not take the threads that pages need."""
KEPT, KEPT_LOST = 7 * 24 * 3600, 3600
"""Seconds that a picture is used again, and that a lost one is not asked for."""
NOTHING = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent point: the course's letters behind it stay in sight."""


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.jinja_env.filters["picture"] = picture


def picture(address: str) -> str:
    """Where a page finds the picture of this address; empty where it can be none."""
    host = urlsplit(address).hostname if address.startswith(("https://", "http://")) else None
    if not host or (address.startswith("http:") and not is_loopback(host)):
        return ""
    return url_for("pictures.show", mark=signed.dumps(services().tool.secret, "picture", address))


@blueprint.get("/pictures/<mark>")
def show(mark: str) -> Response:
    try:
        address = str(signed.loads(services().tool.secret, "picture", mark))
    except BadData:
        raise NotFound from None
    key = f"picture:{hashlib.sha256(address.encode()).hexdigest()}"
    body = cache.get(key)
    if body is None:
        body = _fetched(address)
        if body is None:
            return _answer(NOTHING, 60)
        cache.set(key, body, timeout=KEPT if body else KEPT_LOST)
    return _answer(body or NOTHING, KEPT if body else KEPT_LOST)


def _fetched(address: str) -> bytes | None:
    """The picture; empty where there is none, None where too many are being fetched now."""
    if not AT_ONCE.acquire(timeout=guarded.SECONDS):
        return None
    try:
        here = is_loopback(urlsplit(services().config.tool.base_url).hostname)
        reply = guarded.request(
            services().http, "GET", address, loopback=here, headers={"Accept": "image/*"}
        )
    except ValueError:
        return b""
    finally:
        AT_ONCE.release()
    fits = reply.status == 200 and len(reply.body) <= LARGEST and _kind(reply.body)
    return reply.body if fits else b""


def _answer(body: bytes, seconds: int) -> Response:
    response = Response(body, mimetype=_kind(body))
    response.headers["Cache-Control"] = f"private, max-age={seconds}"
    return response


def _kind(body: bytes) -> str | None:
    """The media type by the first bytes; what else they say is not believed."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    return None
