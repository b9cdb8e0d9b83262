"""One WSGI application: services without a framework, pages with Flask, faults before both."""

import json
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from passport_lti.sandbox.campus.faults import Fault
from passport_lti.sandbox.campus.messages import Answer, Call
from passport_lti.sandbox.campus.services import ROOT, kind_of, service
from passport_lti.sandbox.campus.site import site
from passport_lti.sandbox.campus.tokens import token
from passport_lti.sandbox.serving import drip, hang_up

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_KINDS = {
    "/mod/lti/token.php": "token",
    "/mod/lti/certs.php": "jwks",
    "/mod/lti/auth.php": "auth",
    "/mod/lti/launch.php": "launch",
    "/mod/lti/contentitem.php": "deep_link",
    "/mod/lti/contentitem_return.php": "deep_link_return",
    "/mod/lti/openid-configuration.php": "openid_configuration",
    "/mod/lti/openid-registration.php": "registration",
}

Start = Callable[..., Any]


def application(campus: "Campus") -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """`campus.app`."""
    pages = site(campus)

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        is_service = path.startswith(ROOT)
        kind = kind_of(path) if is_service else _KINDS.get(path)
        if kind is None:
            return pages(environ, start)
        call = Call(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), environ, b"")
        if is_service or kind in ("token", "jwks"):
            call.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fault = campus.faults.strike(kind, call.method, call.target, call.body)
        if campus.latency and (is_service or kind == "token"):
            time.sleep(campus.latency)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.drop == "before":
                return _dropped(campus, call, kind, environ, start)
            drip(environ, fault.drip)
            if fault.status is not None and fault.drop is None:
                return _send(campus, call, kind, _fault_answer(fault), start)
        if is_service:
            answer = service(campus, call, kind)
        elif kind == "token":
            answer = token(campus, call)
        elif kind == "jwks":
            answer = Answer(200, json.dumps(campus.public_keys()).encode(), "application/json")
        else:
            return _page(campus, call, kind, pages, environ, start, fault)
        if fault is not None and fault.drop == "after":
            if fault.status is not None:
                return _send(campus, call, kind, _fault_answer(fault), start)
            return _dropped(campus, call, kind, environ, start)
        if fault is not None:
            answer.headers.extend(fault.headers.items())
        return _send(campus, call, kind, answer, start)

    return app


def _send(campus: "Campus", call: Call, kind: str, answer: Answer, start: Start) -> list[bytes]:
    _note(campus, call, kind, answer.status)
    headers = [
        ("Date", formatdate(campus.now(), usegmt=True)),
        ("Content-Type", answer.content_type),
        *answer.headers,
    ]
    start(answer.status_line, headers)
    return [answer.body]


def _note(campus: "Campus", call: Call, kind: str, status: int) -> None:
    campus.ledger.note(call.method, kind, call.path, call.query, status)
    if kind == "scores" and call.method == "POST":
        campus.ledger.note_score(call.path.split("/")[-3], call.body, status)


def _dropped(
    campus: "Campus", call: Call, kind: str, environ: dict[str, Any], start: Start
) -> list[bytes]:
    _note(campus, call, kind, 0)
    hang_up(environ)
    start("500 Dropped", [])
    return []


def _fault_answer(fault: Fault) -> Answer:
    names = {name.lower(): value for name, value in fault.headers.items()}
    return Answer(
        fault.status or 500,
        fault.body.encode(),
        names.pop("content-type", "text/html; charset=utf-8"),
        [(name, value) for name, value in fault.headers.items() if name.lower() in names],
    )


def _page(
    campus: "Campus",
    call: Call,
    kind: str,
    pages: Any,
    environ: dict[str, Any],
    start: Start,
    fault: Fault | None,
) -> Iterable[bytes]:
    """A page that the ledger counts too."""

    def noted(status: str, headers: Any, exc_info: Any = None) -> Any:
        campus.ledger.note(call.method, kind, call.path, call.query, int(status[:3]))
        return start(status, headers, exc_info)

    chunks: Iterable[bytes] = pages(environ, noted)
    if fault is not None and fault.drop == "after":
        hang_up(environ)
    return chunks
