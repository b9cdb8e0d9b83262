"""The Flask application behind everything that a person sees."""

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from passport_lti.sandbox.campus.here import person_here, set_cookie
from passport_lti.sandbox.campus.oidc import oidc
from passport_lti.sandbox.campus.pages import pages
from passport_lti.sandbox.campus.registration import registration
from passport_lti.sandbox.campus.staff import staff
from passport_lti.sandbox.campus.teaching import teaching

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_FOLDER = Path(__file__).parent


def site(campus: "Campus") -> Flask:
    """Pages of one campus."""
    app = Flask(
        "passport_lti.sandbox.campus",
        template_folder=str(_FOLDER / "templates"),
        static_folder=str(_FOLDER / "static"),
        static_url_path="/theme",
    )
    app.after_request(set_cookie)
    app.context_processor(lambda: {"campus": campus, "me": person_here(campus)})
    app.template_filter("points")(points)
    for blueprint in (oidc, pages, teaching, staff, registration):
        app.register_blueprint(blueprint(campus))
    return app


def points(value: float | None) -> str:
    """A grade as people read it: no more decimals than it has, at most two."""
    return "–" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
