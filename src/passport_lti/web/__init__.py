"""Pages, by audience. Views translate: parse, call one function, render."""

from flask import Flask

from passport_lti.web import (
    health,
    instructor,
    language,
    learner,
    limits,
    lti,
    metrics,
    option,
    pages,
    people,
    picker,
    refusals,
    registration,
    saml,
    security,
    setup,
)


def init_app(app: Flask) -> None:
    """Connect all blueprints, the security headers and the error pages."""
    metrics.init_app(app)
    security.init_app(app)
    pages.init_app(app)
    language.init_app(app)
    refusals.init_app(app)
    limits.init_app(app)
    for part in (
        lti,
        picker,
        instructor,
        people,
        option,
        learner,
        saml,
        setup,
        registration,
        health,
    ):
        app.register_blueprint(part.blueprint)
