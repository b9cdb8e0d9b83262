"""From a click in the campus into an item at Coursera, signed in, in a real browser."""

import re

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import select

from browser.conftest import At
from browser.screens import Screen
from browser.views import seen_as
from passport_lti.cli.demo import introduce
from passport_lti.extensions import db
from passport_lti.models import Platform
from worlds import World

BEGINNINGS = {
    "tool": {},
    "coursera, redirected": {},
    "coursera, posted": {"by_post": True},
}


def published(world: World, beginning: str) -> str:
    """SAML between the tool and Coursera, and an activity of option A; its title."""
    introduce(world.app, world.services, world.coursera)
    metadata = requests.get(f"{world.services.config.tool.base_url}/saml/metadata", timeout=10)
    world.coursera.trust(metadata.text, **BEGINNINGS[beginning])
    with world.app.app_context(), db.session.begin():
        for platform in db.session.scalars(select(Platform)):
            sso = {"mode": "saml", "begins_at": beginning.partition(",")[0]}
            platform.settings = {**platform.settings, "sso": sso}
    item = world.school.courses["linked"].items[0]
    [activity] = world.publish("linked", "granular_deep_linked", item=[item.id])
    return activity.title


def opened(screen: Screen, title: str) -> None:
    """Launch, with the click that a frame and a browser without scripts want; ends at Coursera."""
    place = screen.launch(title)
    if screen.view.framed:
        screen.clean()
        with screen.context.expect_page() as window:
            screen.click(place.get_by_role("link", name=screen.says("Open in Coursera")))
        screen.page = window.value
    for _ in range(6):
        waits = screen.page.locator("form:is(#go-on, #ask) button")
        screen.page.locator("main").first.wait_for()
        screen.read(screen.page)
        if screen.view.scripts and waits.count():
            waits.first.wait_for(state="detached")
        elif waits.count():
            screen.follow(waits)
        else:
            return


def signed_in(screen: Screen, item: str) -> None:
    where = screen.page.locator("#whereabouts")
    expect(where).to_contain_text(f"Signed in as {screen.person.name}")
    expect(where).to_contain_text(f"in item {item}")


@pytest.mark.parametrize("beginning", BEGINNINGS)
@seen_as("wide", "no_cookies", "frame", "no_scripts")
def test_a_click_leads_into_the_item_signed_in(world: World, at: At, beginning: str) -> None:
    title = published(world, beginning)
    item = world.school.courses["linked"].items[0].name
    screen = at(world.school.learners[0])
    screen.sign_in()
    course = screen.page.url

    opened(screen, title)
    for button in ("Make my account", "Join the program", "Enrol for free"):
        screen.follow(screen.page.get_by_role("button", name=button))
    signed_in(screen, item)

    screen.follow(screen.page.get_by_role("button", name="Sign out"))
    screen.page.goto(course)
    opened(screen, title)
    signed_in(screen, item)
    asked = {who.asked for who in world.coursera.sign_ons}
    assert asked == {beginning != "tool"} and len(world.coursera.sign_ons) == 2


@seen_as("wide", "frame")
def test_an_account_that_exists_is_tied_once(world: World, at: At) -> None:
    title = published(world, "coursera, redirected")
    item = world.school.courses["linked"].items[0].name
    screen = at(world.school.learners[0])
    screen.sign_in()
    course = screen.page.url

    opened(screen, title)
    screen.page.get_by_label("Address of that account").fill("own@private.example")
    for button in ("Use this account", "Join the program", "Enrol for free"):
        screen.follow(screen.page.get_by_role("button", name=button))
    signed_in(screen, item)
    assert world.coursera.tied[screen.person.email].email == "own@private.example"

    screen.follow(screen.page.get_by_role("button", name="Sign out"))
    screen.page.goto(course)
    opened(screen, title)
    signed_in(screen, item)


@pytest.mark.parametrize("account", ["new", "existing"])
@seen_as("wide", "frame", "no_scripts")
def test_a_link_leads_into_the_item_by_the_organisations_sign_in(
    world: World, at: At, account: str
) -> None:
    item = world.school.courses["linked"].items[0]
    [activity] = world.publish("linked", "granular_deep_linked", item=[item.id])
    screen = at(world.school.learners[0])
    screen.sign_in()
    course = screen.page.url

    opened(screen, activity.title)
    screen.follow(screen.page.get_by_role("button", name=screen.person.name))
    if account == "existing":
        screen.page.get_by_label("Address of that account").fill("own@private.example")
    choice = "Make my account" if account == "new" else "Use this account"
    for button in (choice, "Join the program", "Enrol for free"):
        screen.follow(screen.page.get_by_role("button", name=button))
    signed_in(screen, item.name)

    screen.page.goto(course)
    opened(screen, activity.title)
    signed_in(screen, item.name)


@seen_as("wide", "no_cookies", "phone", "no_scripts")
def test_coursera_asks_and_nobody_has_launched(world: World, at: At) -> None:
    published(world, "coursera, posted")
    screen = at(world.school.learners[0])
    screen.page.goto(f"{world.coursera.url}/saml/login?next=/")
    waits = screen.page.locator("form:is(#go-on, #ask) button")
    for _ in range(2 if not screen.view.scripts else 0):
        screen.follow(waits)
    expect(screen.page.get_by_role("heading", name="Open the activity in Moodle")).to_be_visible()
    assert re.search(r"/saml/sso$", screen.page.url)
    # The console tells of the status, 403, which is as it should be.
    screen.trouble = [line for line in screen.trouble if "403" not in line]
    screen.clean("saml-no-launch")
