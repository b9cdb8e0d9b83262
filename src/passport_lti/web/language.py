"""The language of a page: that of its launch, else the browser's first one that we have."""

from babel import Locale, UnknownLocaleError
from flask import Flask, g, request
from flask_babel import get_locale, refresh

from passport_lti.extensions import babel

DEFAULT = "en"


def init_app(app: Flask) -> None:
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    babel.init_app(app, default_locale=DEFAULT, locale_selector=_selected)
    app.context_processor(lambda: {"language": str(get_locale()).replace("_", "-")})


def speak(locale: str) -> None:
    """Answer this request in a launch's language, if it is one of ours."""
    g.launch_locale = locale
    refresh()


def _selected() -> str:
    ours = {DEFAULT, *(str(locale) for locale in babel.list_translations())}
    wanted = _known(g.get("launch_locale", ""), ours)
    return wanted or request.accept_languages.best_match(sorted(ours)) or DEFAULT


def _known(locale: str, ours: set[str]) -> str | None:
    """The nearest of our languages: es for es_mx, es-ES and ES."""
    try:
        parsed = Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError, TypeError):
        return None
    return next((name for name in (str(parsed), parsed.language) if name in ours), None)
