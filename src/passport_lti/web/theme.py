"""The dark theme for browsers without scripts: Bootstrap's own rules, asked for by the browser.

Bootstrap and our sheets are dark where an attribute of the page says so, which `theme.js` sets.
What they say there is said once more for pages on which nobody has set it.
"""

import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from flask import Blueprint, Response, current_app

blueprint = Blueprint("theme", __name__)

BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css/bootstrap.min.css"
OWN = ("passport.css", "grades.css", "admin.css")
_DARK = re.compile(r"\[data-bs-theme=\"?dark\"?\]")
_RULE = re.compile(r"([^{}]*\[data-bs-theme=\"?dark\"?\][^{}]*)\{([^{}]*)\}")


@blueprint.get("/dark.css")
def dark() -> Response:
    folder = Path(current_app.static_folder or "")
    sheets = (BOOTSTRAP, *(folder / name for name in OWN))
    response = Response("".join(map(_dark_rules, sheets)), mimetype="text/css")
    response.cache_control.max_age = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    response.cache_control.public = True
    return response


@cache
def _dark_rules(sheet: Path) -> str:
    """The rules of a sheet for the dark theme, for a page that names no theme."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    return "\n".join(
        f"{_DARK.sub(':root:not([data-bs-theme])', selector).strip()}{{{values}}}"
        for selector, values in _RULE.findall(text)
    )
