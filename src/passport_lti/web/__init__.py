"""Pages, by audience. Views translate: parse, call one function, render."""

from flask import Flask

from passport_lti.web import (
    admin,
    cells,
    charts,
    export,
    health,
    instructor,
    language,
    learner,
    limits,
    lti,
    metrics,
    my_grades,
    option,
    pages,
    people,
    picker,
    pictures,
    preview,
    refusals,
    registration,
    saml,
    security,
    setup,
    standing,
    theme,
    wording,
)


def init_app(app: Flask) -> None:
    """Connect all blueprints, the security headers and the error pages."""
    metrics.init_app(app)
    security.init_app(app)
    pages.init_app(app)
    language.init_app(app)
    refusals.init_app(app)
    limits.init_app(app)
    pictures.init_app(app)
    wording.init_app(app)
    admin.init_app(app)
    for part in (
        lti, picker, instructor, cells, charts, export, people, option, learner,
        saml, my_grades, standing, preview, setup, registration, theme, health,
    ):  # fmt: skip
        app.register_blueprint(part.blueprint)
