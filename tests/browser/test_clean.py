"""What `clean` is there to notice, it notices."""

import pytest
from playwright.sync_api import expect
from werkzeug import Request, Response

from browser.conftest import At
from browser.views import in_every_view, seen_as
from passport_lti.sandbox.serving import serve
from worlds import World


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('broken')", "broken"),
        ("setTimeout(() => nothing_of_that_name())", "nothing_of_that_name"),
        ("document.body.append(new Image().cloneNode())", "image-alt"),
        ("new Image().src = 'http://127.0.0.2:9/pixel.png'", "request to another host"),
        ("document.querySelector('main').style.width = '2000px'", "pixels wider"),
        ("document.body.style.color = '#ddd'", "color-contrast"),
        ("document.documentElement.lang = ''", "html-has-lang"),
    ],
)
def test_a_flaw_of_a_page_is_seen(world: World, at: At, script: str, complaint: str) -> None:
    screen = at(world.school.teacher)
    screen.sign_in()
    screen.select_content().locator("main").evaluate(f"() => {{ {script} }}")
    with pytest.raises(AssertionError, match=complaint):
        for _ in range(100):
            screen.clean()
            screen.page.wait_for_timeout(50)
    screen.trouble.clear()


@seen_as("wide", "no_scripts")
def test_what_a_new_window_asks_for_is_seen(world: World, at: At) -> None:
    elsewhere = "http://127.0.0.2:9/other.css"
    sheets = [*(f"/{number}.css" for number in range(8)), elsewhere]
    page = "<main>New</main>" + "".join(f'<link rel="stylesheet" href="{href}">' for href in sheets)

    @Request.application
    def answer(request: Request) -> Response:
        style = request.path.endswith(".css")
        return Response("" if style else page, mimetype="text/css" if style else "text/html")

    screen = at(world.school.teacher)
    with serve(answer) as server:
        screen.page.set_content(f'<a href="{server.url}" target="_blank" rel="noopener">Go</a>')
        for _ in range(5):
            with screen.context.expect_page() as opened:
                screen.page.get_by_role("link").click()
            opened.value.get_by_text("New").wait_for()
            opened.value.close()
    asked = {text for text in screen.trouble if text.startswith("request")}
    assert asked == {f"request to another host: {url}" for url in (f"{server.url}/", elsewhere)}
    screen.trouble.clear()


@seen_as("no_scripts")
def test_a_page_that_comes_slowly_is_waited_for(world: World, at: At) -> None:
    world.campus.faults.add("deep_link_return", drip=0.002)
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.select_content()
    screen.follow(place.get_by_role("button", name="Charts That Speak", exact=True))
    screen.click(place.get_by_role("button", name=screen.says("Add to course")))
    screen.save()
    assert world.campus.activities(world.school.context)


@in_every_view
def test_the_picker_opens(world: World, at: At) -> None:
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.select_content()
    expect(place.get_by_text("Charts That Speak").first).to_be_visible()
    screen.clean("picker-courses")
