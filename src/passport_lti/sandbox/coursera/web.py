"""The application: API, pages, faults and the ledger in one."""

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from passport_lti.sandbox.coursera.api import create_api
from passport_lti.sandbox.coursera.control import create_control
from passport_lti.sandbox.coursera.ledger import Entry
from passport_lti.sandbox.coursera.pages import create_pages
from passport_lti.sandbox.coursera.tokens import create_tokens, slow_down
from passport_lti.sandbox.serving import drip, hang_up

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

API_ROOTS = ("/ent/", "/api/", "/oauth2/")


def create_app(coursera: "PracticeCoursera") -> Flask:
    """Serve it anywhere; the state is `coursera`."""
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(create_tokens(coursera))
    new, old = create_api(coursera, "new"), create_api(coursera, "old")
    app.register_blueprint(new, url_prefix="/ent/api/businesses.v1")
    app.register_blueprint(old, url_prefix="/api/businesses.v1")
    app.register_blueprint(create_pages(coursera))
    app.register_blueprint(create_control(coursera))

    @app.before_request
    def strike() -> Any:
        g.fault = None
        if not request.path.startswith(API_ROOTS):
            return None
        target = f"{request.method} {request.path}?{request.query_string.decode()}"
        fault = g.fault = coursera.faults.strike(target)
        if fault is None:
            return None
        slow_down(fault.delay)
        if fault.hold is not None:
            fault.hold.wait(60)
        drip(request.environ, fault.drip)
        if fault.drop:
            hang_up(request.environ)
            return Response(status=500)
        if fault.status is None:
            return None
        answer = Response(fault.body, fault.status, mimetype="text/html")
        answer.headers.update(fault.headers)
        return answer

    @app.after_request
    def note(answer: Response) -> Response:
        fault = g.get("fault")
        if fault is not None and fault.truncate:
            whole = answer.get_data()
            answer.set_data(whole[: len(whole) // 2])
        if fault is not None and fault.status is None:
            answer.headers.update(fault.headers)
        if fault is not None and fault.change is not None and answer.status_code == 200:
            answer.set_data(json.dumps(fault.change(json.loads(answer.get_data()))))
        lost = fault is not None and (fault.drop or fault.lose)
        if fault is not None and fault.lose:
            hang_up(request.environ)
        status = 0 if lost else answer.status_code
        kind = _kind(request.endpoint or "unknown")
        if kind != "static":
            query = request.query_string.decode()
            coursera.ledger.append(Entry(kind, request.path, query, status))
        return answer

    return app


def _kind(endpoint: str) -> str:
    """Endpoints are called `place.kind` or `place.kind-action`; pages all have one kind."""
    place, _, rest = endpoint.rpartition(".")
    return place if place in ("page", "control") else rest.partition("-")[0]
