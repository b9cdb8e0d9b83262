"""What axe finds on a page, and whether the page is wider than its window."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, Error, Frame

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(frame: Frame) -> list[str]:
    """One line for each; AssertionError where axe could not look."""
    try:
        if not frame.evaluate("() => 'axe' in window"):
            frame.evaluate(f"() => {{ {AXE} }}")
        return list(frame.evaluate(_LOOK, RULES))
    except Error as error:
        raise AssertionError(f"axe could not look at {frame.url}: {error}") from None


@contextmanager
def copied(frame: Frame, browser: Browser, options: Mapping[str, Any]) -> Iterator[Frame]:
    """The same page in a browser that runs axe, itself a script, and none of the page's own."""
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.route(
            frame.url,
            lambda route: route.fulfill(
                body=frame.content(),
                content_type="text/html; charset=utf-8",
                headers={"Content-Security-Policy": "script-src 'none'"},
            ),
        )
        page.goto(frame.url)
        yield page.main_frame


_LOOK = """async rules => {
    const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    const root = document.documentElement, wider = root.scrollWidth - root.clientWidth;
    return found.violations.flatMap(violation => violation.nodes.map(
        node => `${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))
        .concat(wider > 0 ? [`the page is ${wider} pixels wider than its window`] : []);
}"""
