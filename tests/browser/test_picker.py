"""The picker, by clicking: from *Select content* to activities that stand in the course."""

from datetime import timedelta

from playwright.sync_api import FrameLocator, expect

from browser.catalogue import LARGE, furnish
from browser.conftest import At
from browser.screens import Screen
from browser.views import in_every_view, seen_as
from worlds import World


def opened(world: World, at: At) -> tuple[Screen, FrameLocator]:
    """A teacher who has just pressed *Select content*."""
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.select_content()
    expect(place.locator(".course").first).to_be_visible()
    return screen, place


def choose(screen: Screen, place: FrameLocator, course: str) -> None:
    screen.follow(place.get_by_role("button", name=course, exact=True))
    expect(place.locator("[name=strategy]").first).to_be_attached()


def option(place: FrameLocator, key: str) -> object:
    return place.locator(f"[name=strategy][value={key}]")


def add(screen: Screen, place: FrameLocator) -> None:
    screen.click(place.get_by_role("button", name=screen.says("Add to course")))
    screen.save()


def look_again(screen: Screen, place: FrameLocator) -> None:
    """Without scripts, a preview has its button."""
    if not screen.view.scripts:
        screen.follow(place.get_by_role("button", name=screen.says("Show preview")))


@in_every_view
def test_forty_items_are_six_clicks(world: World, at: At) -> None:
    furnish(world)
    screen = at(world.school.teacher)
    screen.sign_in()
    screen.clicks = 0
    place = screen.select_content()
    expect(place.locator(".course").first).to_be_visible()
    screen.clean("picker-courses")
    choose(screen, place, LARGE)
    screen.click(option(place, "granular_deep_linked"))
    look_again(screen, place)
    # Without scripts the course grade stays ticked, as option B has it.
    expected = 40 if screen.view.scripts else 41
    expect(place.locator("#sum")).to_contain_text(str(expected))
    screen.clean("picker-options")
    add(screen, place)
    if screen.view.scripts:
        # The first opens the dialogue, the last is Moodle's own form; one says "Yes, that is me"
        # where the browser keeps no cookies in frames.
        assert screen.clicks <= 6
    assert len(world.campus.activities(world.school.context)) == expected
    expect(screen.page.locator(".activities li")).to_have_count(expected)


@seen_as("wide", "no_scripts", "phone", "spanish", "keyboard")
def test_a_search_looks_in_all_programs(world: World, at: At) -> None:
    furnish(world)
    screen, place = opened(world, at)

    def search(words: str) -> None:
        screen.type(place.locator("#q"), words)
        if not screen.view.scripts:
            screen.follow(place.get_by_role("button", name=screen.says("Search")))

    courses = place.locator(".course .open")
    search("hill college")
    expect(courses).to_have_count(3)
    search("web writing")
    expect(courses).to_have_text(["Writing for the Web"])
    search("campus speak")
    expect(courses).to_have_text(["Charts That Speak"])
    search("negociation")
    expect(courses).to_have_text(["Negotiation"])
    screen.clean("picker-near")
    search("zzzzzz")
    expect(courses).to_have_count(0)
    expect(place.locator("#results")).to_contain_text("zzzzzz")
    screen.clean("picker-nothing")


def test_a_program_narrows_the_list(world: World, at: At) -> None:
    program, _ = furnish(world)
    screen, place = opened(world, at)
    expect(place.locator(".course")).to_have_count(12)
    place.locator("#within").select_option(program.id)
    expect(place.locator(".course")).to_have_count(9)
    screen.clean()


@seen_as("wide", "no_scripts", "phone", "spanish", "keyboard", "dark")
def test_a_pasted_link_is_judged_and_used(world: World, at: At) -> None:
    course = world.school.courses["linked"]
    item, video = course.items[1], next(i for i in course.all_items if not i.gradable)
    screen, place = opened(world, at)

    def paste(link: str) -> None:
        screen.type(place.locator("#q"), link)
        if not screen.view.scripts:
            screen.follow(place.get_by_role("button", name=screen.says("Search")))

    verdict = place.locator("#verdict")
    paste("https://www.youtube.com/watch?v=1")
    expect(verdict).to_contain_text("coursera.org")
    paste("https://www.coursera.org/learn/a-course-nobody-offers")
    expect(verdict).to_contain_text(
        screen.says(
            "None of your institution's programs offers this course, so its learners would have to "
            "pay and their grades would not be reported. Ask for it to be added, or choose another."
        )
    )
    screen.clean("picker-link-refused")
    paste(f"https://www.coursera.org/learn/{course.slug}/lecture/{video.id}/watch")
    expect(verdict.get_by_role("button")).to_have_count(1)
    screen.clean("picker-link-ungraded")
    paste(f"https://www.coursera.org/learn/{course.slug}/exam/{item.id}/colour-and-form")
    expect(verdict).to_contain_text(item.name)
    expect(verdict).to_contain_text("Campus Learning Program")
    screen.clean("picker-link")
    screen.follow(verdict.get_by_role("button", name=screen.says("Choose this item")))
    expect(option(place, "granular_deep_linked")).to_be_checked()
    expect(place.locator("[name=item]:checked")).to_have_count(1)
    add(screen, place)
    [made] = world.campus.activities(world.school.context)
    assert (made.title, f"coursera_item={item.id}" in made.custom) == (item.name, True)


@seen_as("wide", "no_scripts", "phone", "spanish", "keyboard")
def test_the_columns_are_shown_while_one_chooses(world: World, at: At) -> None:
    furnish(world)
    screen, place = opened(world, at)
    choose(screen, place, LARGE)
    by_item, automatic = (
        place.locator(f"#preview-granular_{kind}") for kind in ("deep_linked", "auto_columns")
    )
    expect(automatic).to_contain_text("41")
    screen.click(option(place, "granular_deep_linked"))
    if screen.view.scripts:
        screen.click(place.locator("[name=all_items]"))
        expect(place.locator("#sum")).to_contain_text(
            screen.says("Option A needs at least one item, or the course grade.")
        )
        screen.clean("picker-advice")
    else:
        screen.click(place.locator("[name=include_final]"))
    screen.click(place.locator("[name=module]").nth(2))
    look_again(screen, place)
    expect(by_item.locator(".column")).to_have_count(4)
    expect(by_item).to_contain_text("3.1 Warm-up")
    if screen.view.scripts:
        # The module's items follow its tick, and may be left out one by one.
        screen.click(place.locator("[name=item]").nth(10))
        expect(by_item).not_to_contain_text("3.1 Warm-up")
        expect(by_item).to_contain_text("3.5 Peer review")
    screen.clean("picker-some")
    add(screen, place)
    made = {activity.title for activity in world.campus.activities(world.school.context)}
    left_out = {"3.1 Warm-up"} if screen.view.scripts else set()
    tasks = ("1 Warm-up", "2 Quiz", "3 Programming task", "4 Second quiz", "5 Peer review")
    assert made == {f"3.{task}" for task in tasks} - left_out


@seen_as("wide", "no_scripts", "phone", "keyboard")
def test_several_courses_in_one_go(world: World, at: At) -> None:
    screen, place = opened(world, at)
    for name in ("Python Basics", "Everyday Statistics"):
        course = next(c for c in world.school.courses.values() if c.name == name)
        screen.click(place.locator(f"[name=also][value$='{course.id}']"))
    screen.clean("picker-ticked")
    screen.follow(place.get_by_role("button", name=screen.says("Continue with the ticked courses")))
    expect(place.get_by_role("heading", level=2)).to_have_text(
        ["Everyday Statistics", "Python Basics"]
    )
    screen.clean("picker-several")
    add(screen, place)
    made = world.campus.activities(world.school.context)
    assert {activity.title for activity in made} == {"Python Basics", "Everyday Statistics"}
    world.meet(made[0])
    assert world.sync().ok
    labels = {item.label for item in world.school.context.line_items}
    assert {"Averages", "Chance", "Case study", "Loops quiz"} < labels


def test_what_is_wrong_is_said_before_the_campus_hears_of_it(world: World, at: At) -> None:
    screen, place = opened(world, at)
    choose(screen, place, "Charts That Speak")
    screen.click(option(place, "granular_deep_linked"))
    screen.click(place.locator("[name=all_items]"))
    screen.follow(place.get_by_role("button", name="Add to course"))
    expect(place.get_by_role("alert")).to_contain_text("needs at least one item")
    screen.trouble = [t for t in screen.trouble if "400" not in t]
    screen.clean("picker-error")
    screen.click(place.get_by_text("Portfolio").last)
    add(screen, place)
    [made] = world.campus.activities(world.school.context)
    assert made.title == "Portfolio"


@seen_as("wide", "phone", "no_scripts", "spanish")
def test_what_the_campus_did_not_make_is_named_the_next_time(world: World, at: At) -> None:
    course = world.school.courses["columns"]
    learner = world.school.learners[0]
    world.coursera.enrol(world.school.accounts[learner.id], course)
    # By the first activity, a sync learns the weights.
    [known] = world.publish("columns", "granular_auto_columns")
    world.meet(known)
    world.sync()
    items = [item.id for item in course.items]
    # Moodle drops an activity whose maximum is above the site's, and says nothing.
    world.campus.grade_point_max = 40
    made = world.publish("columns", "granular_deep_linked", points="weight", item=items)
    assert [activity.title for activity in made] == ["Averages", "Chance"]
    now = world.services.clock
    world.services.clock = lambda: now() + timedelta(minutes=5)
    world.sync()
    world.services.clock = now
    screen, place = opened(world, at)
    notice = place.get_by_role("status").filter(has_text="Case study")
    expect(notice).to_be_visible()
    screen.clean("picker-missing")
    screen.follow(place.get_by_role("button", name=screen.says("Choose again")))
    expect(place.locator("[name=item]:checked")).to_have_count(1)
    screen.follow(place.get_by_role("button", name=screen.says("Other course")))
    screen.follow(place.get_by_role("button", name=screen.says("Not needed")))
    expect(place.locator(".course").first).to_be_visible()
    expect(place.get_by_text("Case study")).to_have_count(0)


def test_the_option_of_a_standing_activity_changes_by_no_tick(world: World, at: At) -> None:
    """Its page has the picker's fields, but there every post is a decision."""
    world.publish("columns", "granular_auto_columns", include_final="1")
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.launch("Everyday Statistics")
    place.locator("a[href*='/option']").first.click()
    sent = []
    screen.page.on("request", lambda request: sent.append(request.method))
    place.locator("[name=points][value=weight]").check()
    place.locator("[name=strategy][value=final_grade]").check()
    # What a change starts, it starts with a timer of no length: this one is behind it.
    screen.page.evaluate("() => new Promise(done => setTimeout(done))")
    assert "POST" not in sent
    screen.clean("option")


def test_pictures_come_through_the_tool(world: World, at: At) -> None:
    screen, place = opened(world, at)
    picture = place.locator(".course img").first
    picture.evaluate("i => i.complete || new Promise(done => { i.onload = i.onerror = done })")
    assert picture.evaluate("i => i.naturalWidth") > 1
    screen.clean()
