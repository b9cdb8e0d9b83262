"""A pytest plugin that notes how each message of a test was answered, by us or by the stock tool.

With the stock tool, the campus launches that one in the place of ours, and what a test expects of
our page, our log or our database is not looked at: only whether the message passed or was refused.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from conformance.bench import Bench
from conformance.stock_tool import Entries, entry, stock_tool
from passport_lti.sandbox.campus.state import Tool
from passport_lti.sandbox.serving import serve

PATHS = ("/lti/login", "/lti/launch")
Note = tuple[str, int]
"""What the contract wants ("pass" or "refuse") and the status that came; 0 for no answer."""


class Watching:
    """`notes`: the messages of each test by its id; `passed`: the tests that passed."""

    def __init__(self, stock: bool) -> None:
        self.stock = stock
        self.notes: dict[str, list[Note]] = {}
        self.passed: set[str] = set()
        self.current = ""
        self._own = {name: getattr(Bench, name) for name in ("accepted", "refused", "register")}
        self._make = Bench.__init__
        self._entries: dict[int, tuple[str, Entries]] = {}

    def note(self, bench: Bench, want: str, answer: requests.Response) -> None:
        where = urlsplit(answer.url)
        if where.path in PATHS and answer.url.startswith(bench.url):
            self.notes.setdefault(self.current, []).append((want, answer.status_code))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.current = item.nodeid
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def pytest_configure(self) -> None:
        watching = self

        def accepted(bench: Bench, answer: requests.Response) -> Any:
            watching.note(bench, "pass", answer)
            return answer if watching.stock else watching._own["accepted"](bench, answer)

        def refused(bench: Bench, answer: requests.Response, code: str) -> Any:
            watching.note(bench, "refuse", answer)
            if watching.stock:
                return answer.text
            return watching._own["refused"](bench, answer, code)

        Bench.accepted, Bench.refused = accepted, refused  # type: ignore[method-assign]
        if self.stock:
            self._move()

    def _move(self) -> None:
        """Every new bench launches a stock tool of its own."""
        watching = self

        def make(bench: Bench, world: Any, activity: Any, *more: Any, **options: Any) -> None:
            entries: Entries = {}
            server = serve(stock_tool(entries))
            tool = world.campus.add_tool(server.url, "Stock")
            entries[tool.issuer] = [entry(tool, [tool.deployment_id], True)]
            world.tool = tool
            place = world.campus.add_activity(activity.context, tool, activity.title)
            watching._make(bench, world, place, *more, **options)
            watching._entries[id(bench)] = (tool.issuer, entries)

        def register(bench: Bench, tool: Tool, name: str, *deployments: str) -> None:
            issuer, entries = watching._entries[id(bench)]
            entries[issuer].append(entry(tool, list(deployments), False))

        Bench.__init__, Bench.register = make, register  # type: ignore[method-assign]
