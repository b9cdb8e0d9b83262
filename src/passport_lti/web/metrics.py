"""Counters for Prometheus, one registry per application; the page is in `health`."""

from flask import Flask, Response, current_app, request
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, select

from passport_lti.extensions import db
from passport_lti.models import Cell


class _Cells:
    """How many cells are in each state, counted when asked."""

    def collect(self) -> list[GaugeMetricFamily]:
        family = GaugeMetricFamily("passport_lti_cells", "Cells by state", labels=["state"])
        for state, count in db.session.execute(
            select(Cell.state, func.count()).group_by(Cell.state)
        ):
            family.add_metric([state], count)
        return [family]

    def describe(self) -> list[GaugeMetricFamily]:
        return []


def init_app(app: Flask) -> None:
    registry = CollectorRegistry()
    registry.register(_Cells())
    requests = Counter(
        "passport_lti_http_requests", "Answered requests", ["endpoint", "status"], registry=registry
    )
    app.extensions["passport_lti_registry"] = registry
    app.extensions["passport_lti_verdicts"] = Counter(
        "passport_lti_launches", "Launch verdicts", ["verdict"], registry=registry
    )

    def count(response: Response) -> Response:
        requests.labels(request.endpoint or "none", str(response.status_code)).inc()
        return response

    app.after_request(count)


def verdicts() -> Counter:
    found: Counter = current_app.extensions["passport_lti_verdicts"]
    return found
