"""What Moodle dropped without a word is named on the instructor's page, too."""

from datetime import timedelta


def test_what_the_platform_did_not_make_is_named_on_the_page_until_it_is_not_needed(world):
    [known] = world.publish("columns", "granular_auto_columns")
    course = world.school.courses["columns"]
    world.coursera.enrol(world.school.accounts[world.school.learners[0].id], course)
    world.meet(known)
    world.sync()
    world.campus.grade_point_max = 40
    items = [item.id for item in course.items]
    made = world.publish("columns", "granular_deep_linked", points="weight", item=items)
    assert [activity.title for activity in made] == ["Averages", "Chance"]
    browser = world.campus.browser(world.school.teacher)
    assert "Case study" not in _alerts(browser.launch(known))

    now = world.services.clock
    world.services.clock = lambda: now() + timedelta(minutes=5)
    world.sync()
    world.services.clock = now
    page = browser.launch(known)
    assert "Case study" in _alerts(page) and "Select content" in _alerts(page)
    page = browser.submit(page.form("/forget-missing"))
    assert page.status == 200 and "Case study" not in _alerts(page)


def _alerts(page):
    return page.text.partition('id="missing"')[2].partition("</form>")[0]
