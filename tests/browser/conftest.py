"""Journeys in a real browser: Debian's Chromium, a fresh profile for each person.

    @in_every_view
    def test_something(world: World, at: At) -> None:
        screen = at(world.school.teacher)     # a person at a browser, in this test's view
        screen.sign_in()
        place = screen.select_content()       # or screen.launch("Title of an activity")
        screen.click(place.get_by_role("button", name=screen.says("Add to course")))
        screen.clean("a-picture")             # console, hosts, axe, width

What nobody looked at with `clean` is looked at once more when the test ends. Pictures:
`PASSPORT_LTI_PICTURES=/tmp/pictures pytest tests/browser`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.screens import Screen
from browser.views import VIEWS, View
from debian import need
from passport_lti.sandbox.campus.state import Person
from worlds import World, opened

At = Callable[[Person], Screen]

SECONDS = 30
"""How long anything on a page may take to come."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[dict[bool, Browser]]:
    """A browser that runs scripts, and one that doesn't.

    That is a browser of its own because a context without scripts may begin a new window with them,
    and then shows neither what they do nor what stands there instead.
    """
    program = need("chromium", "chromium")
    arguments = [
        "--no-sandbox",  # root has none
        "--disable-background-networking",
        "--test-third-party-cookie-phaseout",
    ]
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright, ExitStack() as opened:
        browsers = {}
        for scripts, more in ((True, []), (False, ["--blink-settings=scriptEnabled=false"])):
            browsers[scripts] = playwright.chromium.launch(
                executable_path=program, args=arguments + more
            )
            opened.callback(browsers[scripts].close)
        yield browsers


@pytest.fixture
def view(request: pytest.FixtureRequest) -> View:
    """How the people of this test look at the pages: wide, unless the test says otherwise."""
    return VIEWS[getattr(request, "param", "wide")]


@pytest.fixture
def world(view: View) -> Iterator[World]:
    with opened(host=view.host) as world:
        world.tool.container = "iframe" if view.framed else "window"
        yield world


@pytest.fixture
def at(chromium: dict[bool, Browser], world: World, view: View) -> Iterator[At]:
    """Seats a person of the campus at a browser."""
    screens: list[Screen] = []

    def seat(person: Person) -> Screen:
        context = chromium[view.scripts].new_context(**view.options)
        context.set_default_timeout(SECONDS * 1000)
        screens.append(Screen(context, world, person, view, chromium[True]))
        return screens[-1]

    yield seat
    trouble = [each for screen in screens for each in screen.trouble]
    for screen in screens:
        screen.context.close()
    assert not trouble, "\n".join(trouble)
