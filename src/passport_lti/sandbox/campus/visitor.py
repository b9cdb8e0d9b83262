"""A person of the campus at a browser: launches, selects content, reads the gradebook."""

from typing import TYPE_CHECKING, Literal, overload
from urllib.parse import parse_qs, urlsplit

import requests

from passport_lti.sandbox.browser import Browser, Form, Page
from passport_lti.sandbox.campus.state import Activity, Context, Person, Tool

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


class Visitor(Browser):
    """`person`, signed in. Frames of tools obey `third_party_cookies`."""

    def __init__(self, campus: "Campus", person: Person, third_party_cookies: bool = True) -> None:
        super().__init__(third_party_cookies)
        self.campus = campus
        self.person = person
        self.sign_in()

    @property
    def _home(self) -> str:
        return urlsplit(self.campus.url).netloc

    def sign_in(self) -> Page:
        self.top = None
        return self.post(f"{self.campus.url}/login/index.php", {"person": self.person.id})

    @overload
    def launch(self, activity: Activity, follow: Literal[True] = True) -> Page: ...
    @overload
    def launch(self, activity: Activity, follow: Literal[False]) -> requests.Response: ...
    def launch(self, activity: Activity, follow: bool = True) -> Page | requests.Response:
        """Open an activity; the page where a person would act next.

        `follow=False`: the tool's own answer to the form that carries the id_token.
        """
        self._start_launch(activity)
        return self.follow_auto_forms() if follow else self.post_to_tool()

    def launch_form(self, activity: Activity) -> Form:
        """Launch up to the form that would post the id_token to the tool, and stop there."""
        self._start_launch(activity)
        return self._until_tool()

    def post_to_tool(self, form: Form | None = None) -> requests.Response:
        """Post the launch form; the tool's raw answer, no redirect followed."""
        form = form or self._until_tool()
        pairs = [(name, value) for name, values in form.fields.items() for value in values]
        return self.send("POST", form.action, pairs)

    @overload
    def select_content(
        self, context: Context, tool: Tool | None = None, follow: Literal[True] = True
    ) -> Page: ...
    @overload
    def select_content(
        self, context: Context, tool: Tool | None = None, *, follow: Literal[False]
    ) -> requests.Response: ...
    def select_content(
        self, context: Context, tool: Tool | None = None, follow: bool = True
    ) -> Page | requests.Response:
        """Press "Select content" (in a frame, as in Moodle): the tool's picker.

        Default tool: the one that was registered last. `follow=False` as in `launch`.
        """
        tool = tool or list(self.campus.tools.values())[-1]
        self._enter(framed=True)
        path = f"/mod/lti/contentitem.php?course={context.id}&id={tool.deployment_id}"
        self.get(self.campus.url + path)
        return self.follow_auto_forms() if follow else self.post_to_tool()

    def return_content(self, page: Page | None = None) -> list[Activity]:
        """From the tool's page with the JWT back to the campus, and save what it offers there.

        Returns the activities that were really made: fewer than offered where Moodle's form
        refused one, none where it refused everything.
        """
        page = page or self.page
        self.submit(next(form for form in page.forms if "JWT" in form.fields))
        self.follow_auto_forms()
        self.top = None
        if not any("/course/modedit.php" in form.action for form in self.page.forms):
            return []
        self.submit(self.page.form("/course/modedit.php"))
        made = parse_qs(urlsplit(self.page.url).query).get("created", [""])[0]
        found = [self.campus.activity(cmid) for cmid in made.split(",") if cmid]
        return [activity for activity in found if activity is not None]

    def gradebook(self, context: Context) -> Page:
        """The gradebook's page; a learner sees an error there."""
        self.top = None
        return self.get(f"{self.campus.url}/grade/report/grader/index.php?id={context.id}")

    def _start_launch(self, activity: Activity) -> None:
        self._enter(framed=activity.tool.container == "iframe")
        self.get(f"{self.campus.url}/mod/lti/launch.php?id={activity.cmid}")

    def _enter(self, framed: bool) -> None:
        self.top = self._home if framed else None
        self.page = Page(f"{self.campus.url}/", 200, "")

    def _until_tool(self) -> Form:
        """Go on until the campus's page holds the form for the tool's launch URL."""
        for _ in range(10):
            form = self.page.auto_form
            if form is None:
                raise LookupError(f"no launch form on {self.page.url}: {self.page.title}")
            if "id_token" in form.fields or "error" in form.fields:
                return form
            self.submit(form)
        raise RuntimeError(f"forms without end at {self.page.url}")
