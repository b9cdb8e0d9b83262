"""Takes the pictures of `docs/` from the practice servers: `make pictures`.

The practice campus stands where Moodle would be. Pictures are written as small PNGs with a palette.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import jwt
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from browser.screens import Screen
from browser.views import View
from debian import need
from passport_lti.cli.demo import publish, staged, study
from passport_lti.extensions import db
from passport_lti.lti.registration import invite
from passport_lti.models import Deployment, Platform
from passport_lti.sandbox.campus.state import Person
from worlds import World

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PORT = 8000
"""Of the tool: addresses in the pictures look like those of `make demo`."""
SIZE = {"width": 1000, "height": 640}
COLOURS = 128
ACTIVITY = "Everyday Statistics"


class Studio:
    """A world to take pictures in."""

    def __init__(self, browser: Browser, world: World) -> None:
        self.browser, self.world = browser, world

    @contextmanager
    def at(self, person: Person, *, framed: bool = False) -> Iterator[Screen]:
        """A person at a browser, signed in at the campus."""
        self.world.tool.container = "iframe" if framed else "window"
        options = {"viewport": SIZE}
        context = self.browser.new_context(**options)
        context.set_default_timeout(20_000)
        view = View("picture", options, framed=framed)
        screen = Screen(context, self.world, person, view, self.browser)
        screen.sign_in()
        yield screen
        context.close()

    def registration(self) -> None:
        """Pasting an invitation, and what the tool answers; undone at the end."""
        world = self.world
        with world.app.app_context():
            address = invite(world.services.tool, "moodle", "practice", timedelta(hours=24))
        before = set(world.campus.tools)
        with self.at(world.school.admin) as screen:
            page = screen.page
            page.goto(f"{world.campus.url}/mod/lti/toolconfigure.php")
            page.locator("input[name=url]").fill(address)
            take("registration-paste", page, until=page.locator("section.card").first)
            page.get_by_role("button", name="Add LTI Advantage").click()
            page.frame_locator("iframe.content").get_by_role("button").wait_for()
            take("registration-done", page, until=page.locator("section.card").first)
        for made in set(world.campus.tools) - before:
            world.campus.delete_tool(world.campus.tools[made])

    def setup(self) -> None:
        with self.at(self.world.school.admin) as screen:
            screen.page.goto(f"{screen.tool_url}/lti/setup")
            take("setup", screen.page)

    def picker(self) -> None:
        with self.at(self.world.school.teacher) as screen:
            place = screen.select_content()
            place.get_by_text(ACTIVITY, exact=True).first.click()
            place.get_by_text("Averages").first.wait_for()
            take("picker", screen.page, until=screen.page.locator("iframe.picker"))

    def teaching(self) -> None:
        """The activity's page, a cell's story, the gradebook."""
        with self.at(self.world.school.teacher) as screen:
            place = screen.launch(ACTIVITY)
            page = screen.page
            take("activity", page, until=place.get_by_role("rowheader").last)
            row = place.get_by_role("row").filter(has_text="Amy Adams")
            row.get_by_role("cell").first.get_by_role("link").click()
            page.wait_for_url("**/cells/**")
            take("cell", page, until=page.locator("main"))
        with self.at(self.world.school.teacher) as screen:
            context = self.world.school.context.id
            screen.page.goto(f"{self.world.campus.url}/grade/report/grader/index.php?id={context}")
            take("gradebook", screen.page, until=screen.page.get_by_role("table").first)

    def learning(self) -> None:
        with self.at(self.world.school.learners[-1], framed=True) as screen:
            place = screen.launch(ACTIVITY)
            place.get_by_role("link", name="Open in Coursera").wait_for()
            take("learner", screen.page, until=screen.page.locator("iframe.content"))

    def administration(self) -> None:
        with self.at(self.world.school.admin) as screen:
            place = screen.launch(ACTIVITY)
            screen.follow(place.get_by_role("link", name="Administration"))
            screen.follow(place.get_by_role("button", name="Check now"))
            page = screen.page
            page.goto(page.url.partition("#")[0])
            take("administration", page, until=page.get_by_role("region", name="Last launches"))

    def refusal(self) -> None:
        """A message that is signed with another key than the platform's."""
        world = self.world
        text = {"iss": world.campus.url, "aud": world.tool.client_id}
        header = {"kid": world.campus.kid}
        token = jwt.encode(text, stranger(), algorithm="RS256", headers=header)
        with self.at(world.school.teacher) as screen:
            page, target = screen.page, f"{screen.tool_url}/lti/launch"
            page.goto(f"{screen.tool_url}/lti/setup")
            page.evaluate(
                """([target, token]) => {
                    const form = document.createElement("form");
                    Object.assign(form, {method: "post", action: target});
                    form.innerHTML = "<input name='id_token'><input name='state' value='x'>";
                    form.elements.id_token.value = token;
                    document.body.append(form);
                    form.submit();
                }""",
                [target, token],
            )
            page.wait_for_url(target)
            take("refused", page, until=page.locator("main"))


def stranger() -> str:
    """A private key that no platform has."""
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    ).decode()


def take(name: str, page: Page, *, until: Locator | None = None) -> None:
    """The window from its top; down to the end of an element where one is named."""
    page.wait_for_load_state()
    if until is not None:
        until.wait_for()
        box = until.bounding_box()
        assert box is not None
        page.set_viewport_size({**SIZE, "height": min(int(box["y"] + box["height"]) + 24, 1400)})
    page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = FOLDER / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    page.set_viewport_size(SIZE)
    print(f"{path.stat().st_size / 1000:5.0f} kB  {name}")


def play(world: World) -> None:
    """The story of the demo, with a grade that a teacher changed and a deployment that waits."""
    activities = [made for group in publish(world.school, world.tool).values() for made in group]
    for learner, activity in zip(world.school.learners[:-1], activities, strict=False):
        world.campus.browser(learner).launch(activity)
    study(world.school)
    world.sync()
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 95)
    world.sync(trigger="person")
    ben = world.school.learners[1]
    world.campus.override(world.book.line_item("Averages"), ben, 82)
    world.grade(ben, "columns", "Averages", 79)
    world.sync(trigger="person")
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform).filter_by(name="campus")).one()
        seen = world.services.clock()
        db.session.add(
            Deployment(platform=platform, deployment_id="2", state="waiting", first_seen_at=seen)
        )
        db.session.commit()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    program = need("chromium", "chromium")
    arguments = ["--no-sandbox", "--disable-background-networking", "--hide-scrollbars"]
    with staged(PORT) as stage, sync_playwright() as playwright:
        world = World(stage.app, stage.services, stage.school, stage.tool, stage.environ)
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        studio = Studio(browser, world)
        studio.registration()
        studio.setup()
        play(world)
        studio.picker()
        studio.teaching()
        studio.learning()
        studio.administration()
        studio.refusal()
        browser.close()


if __name__ == "__main__":
    main()
