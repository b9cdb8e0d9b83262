"""Select content: what Moodle makes of the items that come back."""

import pytest

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"


def link(title, **fields):
    return {"type": "ltiResourceLink", "title": title, **fields}


@pytest.fixture
def add(world):
    """Let the teacher add these items; the activities made."""

    def add(*items, third_party_cookies=False):
        world.client.content = list(items)
        browser = world.campus.browser(world.tara, third_party_cookies)
        assert browser.select_content(world.context).title == "Picker"
        return browser.return_content()

    return add


def test_one_item_becomes_an_activity_with_its_column(world, add):
    [activity] = add(
        link(
            "Charts",
            text="About charts",
            url="http://tool.example/launch?x=1",
            custom={"item": 5, "final": True, "none": None},
            lineItem={"scoreMaximum": 80, "resourceId": "r", "tag": "t", "label": "ignored"},
        )
    )
    item = world.campus.gradebook(world.context).line_item("Charts")
    assert activity.url == "http://tool.example/launch?x=1"
    assert activity.custom == "item=5\nfinal=1\nnone="
    assert (item.maximum, item.resource_id, item.tag, item.coupled) == (80, "r", "t", True)
    assert item.activity is activity


def test_nothing_is_saved_until_the_teacher_saves(world):
    world.client.content = [link("Charts")]
    browser = world.campus.browser(world.tara)
    browser.select_content(world.context)
    browser.submit(browser.page.form("contentitem_return"))
    page = browser.follow_auto_forms()
    assert page.form("modedit").value("name") == "Charts"
    assert world.campus.activities(world.context) == [world.quiz]


@pytest.mark.parametrize(
    "bad",
    [
        link("bad", lineItem={"scoreMaximum": 12.5}),
        link("bad", lineItem={"scoreMaximum": 1000}),
        link("bad", lineItem={"scoreMaximum": 0}),
        link("b" * 256),
        link("bad", lineItem={"resourceId": "r" * 513}),
        {"title": "no type"},
    ],
)
def test_of_several_items_the_invalid_vanish_silently(add, bad):
    assert [a.title for a in add(link("first"), bad, link("last"))] == ["first", "last"]


def test_a_single_invalid_item_is_not_saved(world, add):
    assert add(link("bad", lineItem={"scoreMaximum": 12.5})) == []
    assert world.campus.activities(world.context) == [world.quiz]


@pytest.mark.parametrize(
    ("setting", "without", "with_line_item"),
    [("always", 100, 10), ("delegate", None, 10), ("never", None, None)],
)
def test_accept_grades_decides_about_columns(world, add, setting, without, with_line_item):
    world.tool.accept_grades = setting
    add(link("plain"), link("graded", lineItem={"scoreMaximum": 10}))
    found = {i.label: i.maximum for i in world.campus.gradebook(world.context).line_items}
    assert (found.get("plain"), found.get("graded")) == (without, with_line_item)


def test_the_first_deep_link_of_a_context_has_no_roster(world):
    fresh = world.campus.add_context("NEW", "New")
    world.campus.enrol(fresh, world.tara, "instructor")
    browser = world.campus.browser(world.tara)
    world.client.content = [link("one")]
    browser.select_content(fresh)
    assert ROSTER not in world.client.claims
    browser.return_content()
    browser.select_content(fresh)
    assert ROSTER in world.client.claims


def test_the_request_is_as_moodle_sends_it(world, add):
    add(link("one"))
    settings = world.client.claims[SETTINGS]
    assert settings["accept_types"] == ["ltiResourceLink"]
    assert settings["accept_multiple"] is True
    assert not {"data", "accept_lineitem"} & set(settings)
    assert CLAIM + "resource_link" not in world.client.claims


def test_no_items_close_the_window_without_a_word(world, add):
    assert add() == []


def test_a_foreign_signature_is_refused_after_one_look_at_the_keys(world, add):
    add(link("one"))
    jwks = world.campus.ledger.count("tool_jwks")
    browser = world.campus.browser(world.tara)
    browser.select_content(world.context)
    form = browser.page.form("contentitem_return")
    form.fields["JWT"][0] = form.fields["JWT"][0][:-8] + "AAAAAAAA"
    page = browser.submit(form)
    assert (page.status, "Exception" in page.text) == (404, True)
    assert world.campus.ledger.count("tool_jwks") == jwks + 1


def test_the_return_address_belongs_to_one_session(world):
    world.client.content = [link("one")]
    browser = world.campus.browser(world.tara)
    browser.select_content(world.context)
    form = browser.page.form("contentitem_return")
    other = world.campus.browser(world.tara)
    assert other.submit(form).status == 404
