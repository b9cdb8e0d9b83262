"""The learner's pages: once a word about what comes, then Coursera; and their own grades."""

from playwright.sync_api import FrameLocator, expect

from browser.conftest import At
from browser.screens import Screen
from browser.views import in_every_view, seen_as
from passport_lti.extensions import db
from passport_lti.models import Activity, Platform
from passport_lti.sandbox.campus.state import Activity as CampusActivity
from passport_lti.web import standing
from worlds import World

TITLE = "Everyday Statistics"
FIRST = "Your first time? It goes like this"


def published(world: World) -> CampusActivity:
    [made] = world.publish("columns", "granular_auto_columns", include_final="1")
    return made


def comes_in(world: World, at: At) -> Screen:
    screen = at(world.school.learners[0])
    screen.sign_in()
    return screen


def goes_on(screen: Screen, place: FrameLocator) -> None:
    """Press the one button; Coursera is in a new window."""
    with screen.context.expect_page() as opened:
        screen.click(place.get_by_role("link", name=screen.says("Open in Coursera")))
    opened.value.wait_for_url(f"{screen.world.school.coursera.url}/**")
    opened.value.close()


@seen_as("frame")
def test_in_a_frame_the_first_visit_is_explained_once(world: World, at: At) -> None:
    published(world)
    screen = comes_in(world, at)
    place = screen.launch(TITLE)
    expect(place.get_by_text(screen.says(FIRST))).to_be_visible()
    screen.clean("first-time")
    screen.page.reload()
    place = screen._arrived(screen.page.frame_locator("iframe.content"))
    expect(place.get_by_text(screen.says(FIRST))).to_be_visible()  # seen, but not gone on
    goes_on(screen, place)
    screen.page.reload()
    place = screen._arrived(screen.page.frame_locator("iframe.content"))
    expect(place.get_by_role("link", name=screen.says("Open in Coursera"))).to_be_visible()
    expect(place.get_by_text(screen.says(FIRST))).to_have_count(0)
    screen.clean("frame")
    goes_on(screen, place)


@seen_as("wide", "no_cookies", "no_scripts", "phone", "keyboard")
def test_in_a_window_a_learner_is_at_coursera_at_once(world: World, at: At) -> None:
    published(world)
    screen = comes_in(world, at)
    screen.launch(TITLE)
    screen.page.wait_for_url(f"{world.school.coursera.url}/**")


@in_every_view
def test_where_the_school_wants_it_a_window_explains_too(world: World, at: At) -> None:
    published(world)
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        platform.settings = platform.settings | {"sso": {"explain": True}}
        db.session.commit()
    screen = comes_in(world, at)
    place = screen.launch(TITLE)
    expect(place.get_by_text(screen.says(FIRST))).to_be_visible()
    screen.clean("first-time-window")


@in_every_view
def test_my_grades(world: World, at: At) -> None:
    made = published(world)
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        platform.settings = platform.settings | {"sso": {"explain": True}}
        db.session.commit()
    amy, ben, *_ = world.school.learners
    for learner, grade in ((amy, 91), (ben, 42)):
        world.coursera.enrol(world.school.accounts[learner.id], world.school.courses["columns"])
        world.grade(learner, "columns", "Averages", grade)
    world.meet(made)
    world.sync()
    screen = comes_in(world, at)
    place = screen.launch(TITLE)
    screen.follow(place.get_by_role("link", name=screen.says("My grades")))
    line = place.get_by_role("listitem").filter(has_text="Averages")
    expect(line).to_contain_text("91 / 100")
    expect(line).to_contain_text(screen.says("in the gradebook"))
    expect(place.get_by_role("main")).not_to_contain_text("42")
    screen.clean("my-grades")


@seen_as("wide", "phone", "dark", "spanish", "no_scripts")
def test_my_grades_by_their_standing_address(world: World, at: At) -> None:
    """Kept as a bookmark, used where the click goes straight to Coursera."""
    made = published(world)
    world.meet(made)
    world.sync()
    with world.app.app_context():
        address = standing.address_of(db.session.scalars(db.select(Activity)).one())
    screen = comes_in(world, at)
    course = screen.page.url
    screen.page.goto(address)
    screen.clean("my-grades-standing")
    screen.follow(screen.page.get_by_role("link", name=screen.says("To the activity")))
    screen.page.goto(course)
    place = screen.launch(TITLE)
    expect(place.get_by_role("heading", name=screen.says("My grades"))).to_be_visible()
    screen.clean("my-grades-kept")
