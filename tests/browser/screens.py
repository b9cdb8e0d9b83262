"""A person at a real browser: clicks, types, and says whether the pages were clean."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from babel.support import Translations
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Frame,
    FrameLocator,
    Locator,
    Page,
    Request,
)

import passport_lti
from browser.looking import copied, violations
from browser.views import View
from passport_lti.sandbox.campus.state import Person

if TYPE_CHECKING:
    from worlds import World

Place = Page | FrameLocator
"""Where a page of the tool is seen: in a window of its own, or in the campus's frame."""

PICTURES = os.environ.get("PASSPORT_LTI_PICTURES")
"""A folder: every `clean` leaves a picture there."""
PAGES = 6
"""That may come one after the other by themselves."""
LONGEST_TOUR = 400
"""Times that a person presses Tab before they give up."""


class Screen:
    """`person`, with a browser of their own that nothing else shares.

    `page` is the window in front. `clicks` counts what was clicked, ticked or chosen. `scripted` is
    a browser that runs scripts, whatever this person's does.
    """

    def __init__(
        self,
        context: BrowserContext,
        world: "World",
        person: Person,
        view: View,
        scripted: Browser,
    ) -> None:
        self.context, self.world, self.person, self.view = context, world, person, view
        self.scripted = scripted
        self.clicks = 0
        self.trouble: list[str] = []
        self._opening = ""
        person.language = view.language
        texts = Path(passport_lti.__file__).parent / "translations"
        self._texts = Translations.load(texts, [view.language])
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.trouble.append(f"script: {error.error}"))
        context.on("request", self._note_request)
        self.page = context.new_page()

    @property
    def tool_url(self) -> str:
        return self.world.services.config.tool.base_url

    def says(self, text: str) -> str:
        """A text of the tool's pages in this person's language."""
        return str(self._texts.gettext(text))

    # on the campus

    def sign_in(self) -> None:
        self.page.goto(self.world.campus.url)
        self.click(self.page.get_by_role("button", name=f"Sign in as {self.person.name}"))
        self.click(self.page.get_by_role("link", name=self.world.school.context.fullname))

    def select_content(self) -> FrameLocator:
        """Press *Add ... content* in the context's page; the picker's frame, once it is there."""
        self.click(self.page.get_by_role("link", name=re.compile("^Add .* content$")))
        place = self.page.frame_locator("iframe.picker")
        return self._arrived(place)  # type: ignore[return-value]

    def save(self) -> None:
        """What Moodle asks for after the picker; ends at the context's page."""
        frame = self.page.frame_locator("iframe.picker")
        form = self.page.get_by_role("button", name=re.compile("^(Continue|Save and return)"))
        if not self.view.scripts:
            # The frame holds what would go on by itself.
            waits = frame.locator("form:is(#answer, [data-auto-submit]) button")
            waits.wait_for()
            while waits.count():
                self.follow(waits)
        self.click(form)
        self.page.wait_for_url("**/course/view.php**")

    def launch(self, title: str) -> Place:
        """Open an activity from the context's page: in its frame, or a window that is `page` now.

        With a page that asks *Is this you?* in between answered.
        """
        link = self.page.get_by_role("link", name=title, exact=True)
        if self.view.framed:
            self.click(link)
            return self._arrived(self.page.frame_locator("iframe.content"))
        with self.context.expect_page() as opened:
            self.click(link)
        self.page = opened.value
        return self._arrived(self.page)

    def _arrived(self, place: Place) -> Place:
        """Go on until the tool has a page for this person, or has sent them on to Coursera."""
        asks = place.locator("form[action$='/lti/confirm'] button")
        waits = place.locator("form:is([data-auto-submit], #go-on) button")
        for _ in range(6):
            # Without scripts, `waits` is what a person must press; else it goes by itself.
            place.locator("main").or_(waits).first.wait_for()
            self.read(place)
            if asks.count():
                self.clean()
                self.follow(asks)
            elif waits.count():
                if self.view.scripts:
                    waits.first.wait_for(state="detached")
                else:
                    self.follow(waits)
            elif place.locator("main").count():
                return place
        raise AssertionError(f"no page of the tool's came at {self.page.url}")

    def read(self, place: Place) -> None:
        """Wait until all of a page that has begun to come is there."""
        if isinstance(place, Page):
            place.wait_for_load_state("domcontentloaded")
        else:
            frame = place.owner.element_handle().content_frame()
            assert frame is not None
            frame.wait_for_load_state("domcontentloaded")

    # hands

    def click(self, target: Locator) -> None:
        """Press a button, follow a link, tick a box; by keyboard where that is all there is."""
        self.clicks += 1
        if self.view.by_keyboard:
            self._press(target)
        else:
            target.click()

    def follow(self, target: Locator) -> None:
        """Click what leads to another page, and wait for all of that."""
        handle = target.element_handle()
        frame = handle.owner_frame() if handle else None
        assert frame is not None
        places = (frame, self.page.main_frame)
        with self.page.expect_event("framenavigated", lambda moved: moved in places) as moved:
            self.click(target)
        moved.value.wait_for_load_state("domcontentloaded")

    def type(self, target: Locator, text: str) -> None:
        if self.view.by_keyboard:
            self._walk_to(target)
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(text)
        else:
            target.fill(text)

    def _press(self, target: Locator) -> None:
        kind = self._asked(target, "e => (e.control || e).type || e.localName")
        if kind in ("radio", "checkbox"):
            target = target.locator("xpath=self::input | .//input").first
        self._walk_to(target)
        self.page.keyboard.press("Space" if kind in ("radio", "checkbox") else "Enter")

    def _walk_to(self, target: Locator) -> None:
        """Tab along until the target has the focus; arrows within its group of radio buttons."""
        target.wait_for(state="attached")
        for _ in range(LONGEST_TOUR):
            where = self._asked(target, _WHERE)
            if where == "here":
                seen = self._asked(target, "e => e.matches(':focus-visible')")
                assert seen or self._asked(target, _WHERE) != "here", "focus can't be seen"
                if not seen:
                    continue
                return
            self.page.keyboard.press("ArrowDown" if where == "group" else "Tab")
        raise AssertionError(f"no Tab leads to {target}")

    def _asked(self, target: Locator, script: str) -> object:
        """What a script says of the target; asked anew where another page came meanwhile."""
        for _ in range(PAGES):
            try:
                return target.evaluate(script)
            except Error as error:
                if "navigation" not in str(error):
                    raise
                target.wait_for(state="attached")
        raise AssertionError(f"one page came after the other before {target} could be seen")

    # looking

    def clean(self, picture: str = "") -> None:
        """No complaint in the console, no request elsewhere, and axe finds nothing.

        Looks at every page of the tool that is open now; also that none is wider than its window.
        """
        assert not self.trouble, "\n".join(self.trouble)
        seen = [frame for frame in self._frames() if frame.url.startswith(self.tool_url)]
        assert seen, f"no page of the tool is open: {[frame.url for frame in self._frames()]}"
        for frame in seen:
            frame.wait_for_load_state()
            if self.view.scripts:
                found = violations(frame)
            else:
                with copied(frame, self.scripted, self.view.options) as copy:
                    found = violations(copy)
            assert not found, "\n".join([frame.url, *found])
        self.shoot(picture)

    def shoot(self, picture: str) -> None:
        """Keep a picture of the window in front, where somebody asked for pictures."""
        if PICTURES and picture:
            path = Path(PICTURES) / f"{picture}-{self.view.name}.png"
            self.page.screenshot(path=path, full_page=True)

    def _frames(self) -> list[Frame]:
        return [frame for page in self.context.pages for frame in page.frames]

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(f"{message.type}: {message.text} ({message.location})")

    def _note_request(self, request: Request) -> None:
        """A page goes on to one of the three servers; what it is made of comes from its own."""
        host = urlsplit(request.url).netloc
        school = self.world.school
        if request.is_navigation_request():
            known = (self.tool_url, school.campus.url, school.coursera.url)
            self._opening = request.url
        else:
            known = (self._page_of(request),)
        if request.url.startswith("data:") or host in {urlsplit(url).netloc for url in known}:
            return
        self.trouble.append(f"request to another host: {request.url}")

    def _page_of(self, request: Request) -> str:
        """The URL of the page that asks for one of its parts."""
        try:
            return request.frame.url
        except Error:
            return self._opening  # a window so new that it has not been announced yet


_WHERE = """element => {
    const here = element.ownerDocument;
    if (!here.hasFocus()) return "elsewhere";
    const focus = here.activeElement;
    if (focus === element) return "here";
    const group = focus.type === "radio" && element.type === "radio"
        && focus.name === element.name && focus.form === element.form;
    return group ? "group" : "elsewhere";
}"""
