"""Another option for an activity in a running course: seen first, then done, and taken back."""

import pytest

B, FINAL, A = "granular_auto_columns", "final_grade", "granular_deep_linked"


def amy(world):
    return world.school.learners[0]


def started(world, course, strategy, **fields):
    made = world.publish(course, strategy, **fields)
    world.meet(made[0])
    for item, percent in zip(world.school.courses[course].items, (80, 60), strict=False):
        world.grade(amy(world), course, item.name, percent)
    assert world.sync().ok
    return made


def option_page(world, activity):
    browser = world.campus.browser(world.school.teacher)
    browser.launch(activity)
    browser.get(browser.page.link("Change option"))
    return browser


def previewed(world, activity, **fields):
    browser = option_page(world, activity)
    browser.submit(browser.page.form("/option"), button="See what changes", **fields)
    return browser


def change(world, activity, **fields):
    browser = previewed(world, activity, **fields)
    page = browser.submit(browser.page.form("/option"), button="Change")
    assert "The option is changed" in page.text
    outcome = world.sync()
    assert outcome.ok, outcome.problems


def sections(page):
    """The dry run's lists by their ids: the labels in each."""
    found = {}
    for part in page.text.split('<section class="change ')[1:]:
        name, _, rest = part.partition('"')
        items = rest.partition("</section>")[0].split('<li class="text-break">')[1:]
        found[name] = [item.split("<span")[0].strip() for item in items]
    return found


def test_a_dry_run_lists_what_appears_stays_and_falls_idle_and_changes_nothing(world):
    [activity] = started(world, "columns", B, include_final="1")
    world.campus.ledger.clear()

    to_final = sections(previewed(world, activity, strategy=FINAL).page)
    some = [world.school.courses["columns"].item("Chance").id]
    narrower = sections(previewed(world, activity, item=some, include_final=None).page)

    assert to_final == {
        "stay": ["Everyday Statistics"], "idle": ["Averages", "Chance", "Case study"],
    }  # fmt: skip
    assert narrower == {
        "stay": ["Chance"], "idle": ["Averages", "Case study", "Everyday Statistics"],
    }  # fmt: skip
    world.sync()
    assert {cell["reason"] for cell in world.cells()} == {None}
    assert world.campus.ledger.count("lineitems") == 0


def test_there_and_back_loses_nothing_and_sends_only_what_differs(world):
    [activity] = started(world, "columns", B, include_final="1")
    columns = list(world.book.columns)
    change(world, activity, strategy=FINAL)
    world.grade(amy(world), "columns", "Chance", 70)
    assert world.sync().ok
    values = (world.book["Averages", amy(world)], world.book["Chance", amy(world)])
    world.campus.ledger.clear()

    back = sections(previewed(world, activity, strategy=B, include_final="1").page)
    change(world, activity, strategy=B, include_final="1")

    assert values == (80, 60) and world.book.columns == columns
    assert back == {
        "stay": ["Everyday Statistics"], "back": ["Averages", "Chance", "Case study"],
    }  # fmt: skip
    assert world.book["Chance", amy(world)] == 70
    assert [score.given for score in world.campus.ledger.scores] == [70]
    assert world.sync().summary["http_requests"]["platform"] == 0


def test_what_waits_for_a_column_that_falls_idle_is_not_sent_to_it_any_more(world):
    [activity] = started(world, "columns", B, include_final="1")
    own = world.book.line_item(activity)
    world.grade(amy(world), "columns", "Averages", 90)
    world.campus.faults.add("scores", status=503, times=None)
    world.sync()
    world.campus.faults.clear()
    before = world.book[own, amy(world)]

    change(world, activity, strategy=B, include_final=None)

    assert world.book[own, amy(world)] == before
    assert world.book["Averages", amy(world)] == 90
    change(world, activity, strategy=B, include_final="1")
    assert world.book[own, amy(world)] == pytest.approx(0.25 * 90 + 0.25 * 60)


def test_a_column_that_another_activity_wants_stays(world):
    [first] = started(world, "columns", B)
    started(world, "columns", B)

    shown = sections(previewed(world, first, strategy=FINAL).page)

    assert shown == {
        "back": ["Everyday Statistics"], "stay": ["Averages", "Chance", "Case study"],
    }  # fmt: skip


def test_points_by_weight_say_the_new_size_and_resize(world):
    [activity] = started(world, "columns", B)
    page = previewed(world, activity, points="weight").page
    change(world, activity, points="weight")

    assert "/ 25, now 100" in page.text
    assert world.book.line_item("Averages").maximum == 25
    assert world.book["Averages", amy(world)] == 20
    change(world, activity, points="100")
    assert world.book["Averages", amy(world)] == 80


def test_an_item_of_option_a_can_become_option_b_and_go_back(world):
    chosen = [item.id for item in world.school.courses["linked"].items[:1]]
    [activity] = started(world, "linked", A, item=chosen)
    own = world.book.line_item(activity)

    shown = sections(previewed(world, activity, strategy=B, item=None).page)
    change(world, activity, strategy=B, item=None)

    assert shown == {
        "appear": ["Reading charts", "Colour and form", "Portfolio"], "idle": ["Reading charts"],
    }  # fmt: skip
    world.grade(amy(world), "linked", "Reading charts", 95)
    assert world.sync().ok
    assert world.book[own, amy(world)] == 80 and world.book["Colour and form", amy(world)] == 60
    assert world.json("status")["activities"] == []

    change(world, activity, strategy=A)
    assert world.book[own, amy(world)] == 95
    assert world.sync().summary["http_requests"]["platform"] == 0


def test_an_items_column_never_gets_course_grades(world):
    chosen = [item.id for item in world.school.courses["linked"].items[:1]]
    [activity] = started(world, "linked", A, item=chosen)
    browser = option_page(world, activity)
    form = browser.page.form("/option")
    address, session = form.action, form.value("session")

    assert form.options["strategy"] == [A, B] and "include_final" not in form.options
    assert "A course grade can't take their place" in browser.page.text
    for fields in ({"strategy": FINAL}, {"strategy": B, "include_final": "1"}):
        answer = browser.post(address, {"session": session, "points": "100", **fields})
        assert answer.status == 400
    world.sync()
    assert world.book[activity, amy(world)] == 80


def test_option_as_course_grade_can_become_any_option_of_the_whole_course(world):
    item = [item.id for item in world.school.courses["linked"].items[:1]]
    made = started(world, "linked", A, item=item, include_final="1")
    whole = made[1]
    world.meet(whole)
    before = world.book[whole, amy(world)]

    shown = sections(previewed(world, whole, strategy=B, item=None, include_final="1").page)
    change(world, whole, strategy=B, item=None, include_final="1")

    assert shown["stay"] == ["Charts That Speak"] and len(shown["appear"]) == 3
    assert world.book[whole, amy(world)] == before
    change(world, whole, strategy=FINAL)
    assert world.book[whole, amy(world)] == before
    assert world.sync().summary["http_requests"]["platform"] == 0


def test_a_column_that_only_the_platform_can_make_is_said(world):
    world.tool.accept_grades = "delegate"
    [activity] = started(world, "columns", B)

    shown = sections(previewed(world, activity, strategy=FINAL).page)

    assert shown["missing"] == ["Everyday Statistics"] and len(shown["idle"]) == 3
