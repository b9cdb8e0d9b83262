"""What all pages share: this program's services, the correlation id, the words in templates."""

from datetime import datetime

from flask import Flask, current_app, g
from jinja2 import StrictUndefined
from werkzeug.routing import IntegerConverter
from werkzeug.routing import Map as Addresses

from passport_lti import logs
from passport_lti.sync.services import Services
from passport_lti.web import security


def services() -> Services:
    """The services of the running application."""
    found: Services = current_app.extensions["passport_lti"]
    return found


class RowId(IntegerConverter):
    """The number of a row in an address; one that no database could hold names no page."""

    def __init__(self, addresses: Addresses) -> None:
        super().__init__(addresses, max=2**31 - 1)


def init_app(app: Flask) -> None:
    app.url_map.converters["row"] = RowId
    app.before_request(_begin)
    app.template_filter("when")(when)
    app.template_filter("points")(points)
    app.context_processor(
        lambda: {
            "csp_nonce": security.nonce,
            "tool_title": services().config.tool.title,
            "correlation_id": g.get("correlation_id", ""),
            # Flask's own would stand in links where a view forgets to name the page's.
            "session": StrictUndefined(name="session"),
        }
    )


def _begin() -> None:
    g.correlation_id = logs.new_correlation_id()


def when(moment: datetime | None) -> str:
    """A time for people, in UTC to the minute; an en dash where there is none."""
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "–"


def points(value: float | None) -> str:
    """Points without idle zeros: 90, 87.5."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
