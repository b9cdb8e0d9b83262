"""An administrator by clicking: from an activity to what is wrong, a check and an approval."""

import pytest
from playwright.sync_api import expect

from browser.conftest import At
from browser.views import in_every_view, seen_as
from passport_lti.extensions import db
from passport_lti.models import Deployment, Platform
from worlds import World

ACTIVITY = "Everyday Statistics"


@pytest.fixture
def troubled(world: World) -> World:
    """A grade that a teacher changed, a run of the check with something to change, a deployment."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 80)
    assert world.sync().ok
    world.campus.override(world.book.line_item("Averages"), amy, 99)
    world.grade(amy, "columns", "Averages", 70)
    world.sync(trigger="person")
    world.tool.ags = 1
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        now = world.services.clock()
        db.session.add(
            Deployment(platform=platform, deployment_id="7", state="waiting", first_seen_at=now)
        )
        db.session.commit()
    return world


@in_every_view
def test_an_administrator_finds_what_is_wrong(troubled: World, at: At) -> None:
    screen = at(troubled.school.admin)
    screen.sign_in()
    place = screen.launch(ACTIVITY)

    screen.follow(place.get_by_role("link", name=screen.says("Administration")))
    screen.clean("admin")
    screen.follow(place.get_by_role("button", name=screen.says("Check now")))
    expect(place.get_by_text("grade sync and column management").first).to_be_visible()
    screen.clean("admin-checked")
    screen.follow(place.get_by_role("button", name="7"))
    expect(place.get_by_role("alert").filter(has_text="7 ")).to_have_count(0)

    reasons = place.get_by_role("region", name=screen.says("Why grades or people are missing"))
    screen.follow(reasons.get_by_role("link", name=ACTIVITY))
    expect(place.get_by_role("link", name=screen.says("Administration"))).to_be_visible()


@seen_as("wide", "dark", "phone", "spanish", "no_scripts")
def test_the_pages_that_say_no_are_clean(world: World, at: At) -> None:
    screen = at(world.school.admin)
    for path, title in (("lti/setup", "Connect a Moodle site by hand"), ("nowhere", "This did")):
        screen.page.goto(f"{screen.tool_url}/{path}")
        screen.trouble = [each for each in screen.trouble if "404 (NOT FOUND)" not in each]
        if screen.view.language == "en":
            expect(screen.page.get_by_role("heading", level=1)).to_contain_text(title)
        screen.clean(path.replace("/", "-"))
