"""What `clean` is there to notice, it notices."""

import pytest
from playwright.sync_api import expect

from browser.conftest import At
from browser.views import in_every_view
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
    screen.page.wait_for_timeout(50)
    with pytest.raises(AssertionError, match=complaint):
        screen.clean()
    screen.trouble.clear()


@in_every_view
def test_the_picker_opens(world: World, at: At) -> None:
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.select_content()
    expect(place.get_by_text("Charts That Speak").first).to_be_visible()
    screen.clean("picker-courses")
