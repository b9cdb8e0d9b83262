"""From a click in the platform to the item at Coursera, in link mode: everybody, twice."""

import pytest

from seats import launch, newcomer, settle


@pytest.fixture
def item(world):
    return world.school.courses["linked"].items[1]


@pytest.fixture
def activity(world, item):
    [made] = world.publish("linked", "granular_deep_linked", item=[item.id])
    world.meet(made)
    return made


def sign_on(world, browser, learner, account, email=""):
    """What a person does at Coursera the first time, up to where the launch has led."""
    known = world.coursera.find(learner.email)
    if known is None:
        browser.submit(browser.page.forms[-1], new="1", name=learner.name, email=learner.email)
    else:
        form = next(f for f in browser.page.forms if f.action.endswith("/signin"))
        browser.post(form.action, {"person": known.key, "next": form.value("next")})
    if "Your first visit" in browser.page.title:
        form = next(f for f in browser.page.forms if f.action.endswith("/signin/link"))
        person, following = form.value("person"), form.value("next")
        browser.post(
            form.action, {"person": person, "next": following, "choice": account, "email": email}
        )
    steps = []
    for action in ("/join", "/enrol"):
        if any(action in form.action for form in browser.page.forms):
            steps.append(action)
            browser.submit(browser.page.form(action))
    return steps


@pytest.mark.parametrize("account", ["new", "existing"])
@pytest.mark.parametrize(
    ("mode", "clicks"),
    [("none", ["/join", "/enrol"]), ("invite", ["/enrol"]), ("enroll", [])],
)
def test_a_learner_is_in_the_item_signed_in_and_graded(
    world, activity, item, mode, clicks, account
):
    settle(world, provisioning=mode)
    nora = newcomer(world)
    browser = world.campus.browser(nora)
    browser.launch(activity)
    email = "nora@home.example" if account == "existing" else ""
    if mode == "none":
        # The organisation's own sign-on tells Coursera who she is.
        world.coursera.add_person(nora.email, nora.email, nora.name)
        browser.launch(activity)
    assert sign_on(world, browser, nora, account, email) == clicks

    assert browser.page.url.endswith(f"/item/{item.id}")
    assert "Signed in as" in browser.page.text and nora.name in browser.page.text
    arrived = world.coursera.arrivals[-1].parameters
    assert (arrived["attemptSSOLogin"], arrived["itemId"]) == ("true", item.id)
    # The second time there is nothing left to do.
    assert browser.launch(activity).url.endswith(f"/item/{item.id}")
    browser.submit(browser.page.form("/item/"), score="80")
    assert world.sync().ok
    assert world.book[activity.title, nora] == 80
    there = [p for p in world.coursera.people.values() if p.name == nora.name]
    assert [p.email for p in there] == [email or nora.email]


def test_the_identity_provider_of_the_organisation_is_named(world, activity):
    settle(world, sso={"mode": "link", "auth_provider": "campus-idp"})
    launch(world, world.school.learners[0], activity)
    arrived = world.coursera.arrivals[-1].parameters

    assert (arrived["authProvider"], arrived["authMode"]) == ("campus-idp", "login")


def test_a_browser_without_cookies_gets_there_too(world, activity, item):
    settle(world, provisioning="enroll")
    world.tool.container = "iframe"
    nora = newcomer(world)
    browser = world.campus.browser(nora, third_party_cookies=False)
    page = browser.launch(activity)
    if "/lti/" in page.url and page.forms:
        page = browser.submit(page.form("/lti/confirm"))
    [way] = {url for _, url in page.links if "/go/" in url}
    browser.top = None
    browser.get(way)
    sign_on(world, browser, nora, "new")

    assert browser.page.url.endswith(f"/item/{item.id}")
