from browser.catalogue import furnish
from browser.conftest import At
from browser.views import in_every_view
from worlds import World


@in_every_view
def test_look(world: World, at: At) -> None:
    program, large = furnish(world)
    screen = at(world.school.teacher)
    screen.sign_in()
    place = screen.select_content()
    place.locator(".course").first.wait_for()
    screen.page.wait_for_timeout(600)
    screen.shoot("1-courses")
    screen.follow(place.get_by_role("button", name="Data Engineering", exact=True))
    place.locator(".items").wait_for()
    screen.page.wait_for_timeout(200)
    screen.shoot("2-options")
    screen.click(place.locator("[name=strategy][value=granular_deep_linked]"))
    screen.page.wait_for_timeout(500)
    screen.shoot("3-a")
    screen.clean()
