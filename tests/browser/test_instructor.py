"""The instructor's pages of an activity: who is where, why a grade is missing, and the remedy."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from browser.conftest import At
from browser.screens import Screen
from browser.views import in_every_view, seen_as
from seats import newcomer, settle
from worlds import World

TITLE = "Everyday Statistics"
Place = Page | FrameLocator
SYNC = 30_000
"""Milliseconds that a sync may take on a machine that has much else to do."""


@pytest.fixture
def activity(world: World) -> World:
    """Option B in the context; Coursera knows some grades, and the gradebook none yet."""
    world.publish("columns", "granular_auto_columns", include_final="1")
    amy, ben, chloe, *_ = world.school.learners
    for learner, grades in ((amy, (91, 85)), (ben, (42, None)), (chloe, (None, 66))):
        world.coursera.enrol(world.school.accounts[learner.id], world.school.courses["columns"])
        for item, grade in zip(("Averages", "Chance"), grades, strict=True):
            if grade is not None:
                world.grade(learner, "columns", item, grade)
    return world


def opened(world: World, at: At) -> tuple[Screen, Place]:
    screen = at(world.school.teacher)
    screen.sign_in()
    return screen, screen.launch(TITLE)


def synced(screen: Screen, place: Place) -> None:
    """Press *Sync now* and wait until the page says that it is done."""
    # With scripts what was said of an earlier sync goes at once; else the page stays till the end.
    press = screen.click if screen.view.scripts else screen.follow
    press(place.get_by_role("button", name=screen.says("Sync now")))
    expect(place.get_by_text(screen.says("Synced."))).to_be_visible(timeout=SYNC)


def cell(place: Place, learner: str, column: int) -> object:
    row = place.get_by_role("row").filter(has=place.get_by_role("rowheader", name=learner))
    return row.get_by_role("cell").nth(column).get_by_role("link")


@in_every_view
def test_sync_now_then_a_grade_and_its_story(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    screen.clean()
    synced(screen, place)
    expect(place.get_by_role("rowheader", name="Amy Adams")).to_be_visible()
    screen.clean("activity")
    assert activity.book["Averages", activity.school.learners[0]] == 91
    screen.follow(cell(place, "Amy Adams", 0))
    expect(place.get_by_role("heading", name="Amy Adams")).to_be_visible()
    expect(place.get_by_text("91 / 100").first).to_be_visible()
    screen.clean("story")
    screen.follow(place.get_by_role("link", name=screen.says("Back to the activity")))
    expect(place.get_by_role("rowheader", name="Amy Adams")).to_be_visible()


@in_every_view
def test_an_empty_cell_says_why(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    screen.follow(cell(place, "Eve Evans", 1))
    expect(place.get_by_text(screen.says("Why there is no grade yet"))).to_be_visible()
    expect(place.get_by_role("link", name=screen.says("Match this person"))).to_be_visible()
    screen.clean("no-grade")


@in_every_view
def test_filters_and_order(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    names = place.get_by_role("rowheader")
    screen.type(place.get_by_label(screen.says("Name"), exact=True), "brown")
    screen.follow(place.get_by_role("button", name=screen.says("Show"), exact=True))
    expect(names).to_have_count(1)
    expect(names.first).to_contain_text("Ben Brown")
    screen.clean("activity-searched")
    screen.follow(place.get_by_role("link", name=screen.says("Show all"), exact=True))
    expect(names).to_have_count(5)
    screen.follow(place.get_by_role("columnheader").nth(2).get_by_role("link"))
    expect(names.first).to_contain_text("Amy Adams")
    screen.follow(place.get_by_role("columnheader").nth(2).get_by_role("link"))
    expect(names.first).to_contain_text("Chloe Clark")
    chips = place.get_by_role("list").get_by_role("link")
    screen.follow(chips.filter(has_text=screen.says("Not found at Coursera")))
    expect(names).to_have_count(2)
    expect(names.first).to_contain_text("Dan Diaz")
    screen.clean("activity-filtered")


@seen_as("wide", "frame", "phone", "no_scripts")
def test_a_teachers_grade_stays_until_it_is_sent_anyway(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    amy = activity.school.learners[0]
    activity.campus.override(activity.book.line_item("Averages"), amy, 99)
    activity.grade(amy, "columns", "Averages", 93)
    synced(screen, place)
    screen.follow(cell(place, "Amy Adams", 0))
    screen.clean("story-held")
    screen.follow(place.get_by_role("button", name=screen.says("Send anyway")))
    screen.clean()
    screen.follow(place.get_by_role("link", name=screen.says("Back to the activity")))
    synced(screen, place)
    assert activity.book["Averages", amy] == 93


@in_every_view
def test_somebody_unknown_at_coursera_is_matched(activity: World, at: At) -> None:
    stranger = activity.coursera.add_person("e@home.example", "e@home.example", "Eve Evanz")
    course = activity.school.courses["columns"]
    activity.coursera.enrol(stranger, course)
    activity.coursera.grade(stranger, course, course.items[0].id, 77)
    screen, place = opened(activity, at)
    synced(screen, place)
    screen.follow(place.get_by_role("link", name=screen.says("Match people")))
    screen.clean("people")
    screen.follow(place.get_by_role("link", name=screen.says("Somebody else")))
    screen.clean("people-choose")
    screen.follow(place.get_by_role("listitem").filter(has_text="Eve Evans").get_by_role("button"))
    screen.clean("people-matched")
    screen.follow(place.get_by_role("link", name=screen.says("Back to the grades")))
    synced(screen, place)
    assert activity.book["Averages", activity.school.learners[4]] == 77


@in_every_view
def test_another_option_is_tried_and_then_chosen(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    screen.follow(place.get_by_role("link", name=screen.says("Change option")))
    screen.clean("option")
    screen.click(place.locator("input[name=strategy][value=final_grade]"))
    screen.follow(place.get_by_role("button", name=screen.says("See what changes")))
    expect(place.locator("#idle")).to_contain_text("Averages")
    screen.clean("option-changes")
    screen.follow(place.get_by_role("button", name=screen.says("Change"), exact=True))
    expect(place.get_by_role("button", name=screen.says("Sync now"))).to_be_visible()
    synced(screen, place)
    expect(place.get_by_role("columnheader")).to_have_count(2)


@in_every_view
def test_the_view_of_a_learner_and_the_figures(activity: World, at: At) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    asked = activity.coursera.count()
    screen.follow(place.get_by_role("link", name=screen.says("See as a learner")))
    expect(place.get_by_text("productId=")).to_be_visible()
    screen.clean("preview")
    assert (activity.coursera.count(), activity.coursera.arrivals) == (asked, [])
    screen.follow(place.get_by_role("link", name=screen.says("Back to the activity")))
    pictures = place.locator(".charts img")
    for number in range(2):
        pictures.nth(number).scroll_into_view_if_needed()
        # A picture that is fetched only when it is seen is "complete" before it has begun.
        expect(pictures.nth(number)).not_to_have_js_property("naturalWidth", 0)
    screen.clean("activity-charts")
    screen.follow(place.get_by_role("link", name=screen.says("The figures as tables")))
    expect(place.get_by_role("row", name="Averages 2 0 0 3")).to_be_visible()
    screen.clean("figures")


@seen_as("wide", "phone")
def test_the_table_as_a_file(activity: World, at: At, tmp_path: Path) -> None:
    screen, place = opened(activity, at)
    synced(screen, place)
    with screen.page.expect_download() as download:
        screen.click(place.get_by_role("link", name=screen.says("this table")))
    download.value.save_as(tmp_path / "grades.csv")
    lines = list(csv.reader(io.StringIO((tmp_path / "grades.csv").read_text("utf-8-sig"))))
    assert lines[1][0] == "Amy Adams" and "91" in lines[1]
    assert len(lines) == 6


@seen_as("wide", "dark", "frame", "phone", "spanish", "no_scripts", "keyboard")
def test_a_learner_whom_coursera_does_not_know_is_invited(activity: World, at: At) -> None:
    settle(activity, provisioning="invite")
    nora = newcomer(activity)
    screen, place = opened(activity, at)
    synced(screen, place)
    screen.follow(cell(place, nora.name, 1))
    screen.clean("no-place")
    screen.follow(place.get_by_role("button", name=screen.says("Invite to Coursera")))
    expect(place.get_by_text(screen.says("Invited to the program at Coursera"))).to_be_visible()
    screen.clean("invited")
    there = activity.coursera.find(nora.email)
    assert (activity.school.program, there) in activity.coursera.invitations


@seen_as("wide", "phone", "no_scripts", "spanish")
def test_what_the_campus_dropped_is_named_until_it_is_not_needed(activity: World, at: At) -> None:
    activity.meet(activity.campus.activities(activity.school.context)[0])
    activity.sync()
    activity.campus.grade_point_max = 40
    items = [item.id for item in activity.school.courses["columns"].items]
    activity.publish("columns", "granular_deep_linked", points="weight", item=items)
    now = activity.services.clock
    activity.services.clock = lambda: now() + timedelta(minutes=5)
    activity.sync()
    activity.services.clock = now
    screen, place = opened(activity, at)
    notice = place.get_by_role("alert").filter(has_text="Case study")
    expect(notice).to_be_visible()
    screen.clean("activity-dropped")
    screen.follow(notice.get_by_role("button", name=screen.says("Not needed")))
    expect(notice).to_have_count(0)
