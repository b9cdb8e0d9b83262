"""Counters for Prometheus, one registry per application; the page is in `health`.

Several processes that answer for one address count together in the folder that the environment
names: without it each would show its own counts, and a counter would fall and rise by turns.
The library decides by that variable when it is imported, so it is imported late.
"""

import logging
import os
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, request
from sqlalchemy import func, select

from passport_lti.extensions import db
from passport_lti.models import Cell

if TYPE_CHECKING:
    from prometheus_client import Counter
    from prometheus_client.core import GaugeMetricFamily

log = logging.getLogger(__name__)

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of the processes' counts."""


class _Cells:
    """How many cells are in each state, counted when asked."""

    def collect(self) -> "list[GaugeMetricFamily]":
        from prometheus_client.core import GaugeMetricFamily

        family = GaugeMetricFamily("passport_lti_cells", "Cells by state", labels=["state"])
        for state, count in db.session.execute(
            select(Cell.state, func.count()).group_by(Cell.state)
        ):
            family.add_metric([state], count)
        return [family]

    def describe(self) -> "list[GaugeMetricFamily]":
        return []


def init_app(app: Flask) -> None:
    from prometheus_client import CollectorRegistry, Counter
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    registry.register(_Cells())
    shared = SHARED in os.environ
    if shared:
        MultiProcessCollector(registry)
    counted = None if shared else registry
    requests = Counter(
        "passport_lti_http_requests", "Answered requests", ["endpoint", "status"], registry=counted
    )
    app.extensions["passport_lti_registry"] = registry
    app.extensions["passport_lti_verdicts"] = Counter(
        "passport_lti_launches", "Launch verdicts", ["verdict"], registry=counted
    )

    def count(response: Response) -> Response:
        add(requests, request.endpoint or "none", str(response.status_code))
        return response

    app.after_request(count)


def add(counter: "Counter", *labels: str) -> None:
    """Count one more; a count that can't be stored never costs the answer that it is about."""
    try:
        counter.labels(*labels).inc()
    except OSError as error:
        log.warning("not counted: %s", error.strerror)


def verdicts() -> "Counter":
    found: Counter = current_app.extensions["passport_lti_verdicts"]
    return found
