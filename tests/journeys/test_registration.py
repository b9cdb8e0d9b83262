"""Dynamic registration as an administrator does it: one paste, nothing copied by hand."""

from urllib.parse import urlencode

import pytest

from passport_lti.cli.demo import CONFIG
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.registration import registration_token
from passport_lti.sandbox.serving import serve


@pytest.fixture
def other(world):
    """A second campus, of which nothing is known."""
    campus = Campus()
    with serve(campus.app) as server:
        campus.url = server.url
        campus.admin = campus.add_person("Olga", "Other", admin=True)
        campus.teacher = campus.add_person("Theo", "Teacher")
        campus.context = campus.add_context("HIST1", "History")
        campus.enrol(campus.context, campus.teacher, "instructor")
        yield campus


def invited(world, name="second", *options):
    answer = world.command("platform", "invite", name, *options)
    assert answer.returncode == 0, answer.stderr
    [url] = answer.stdout.splitlines()
    return url


def paste(campus, url):
    """What Moodle shows in its frame after the administrator pasted `url`."""
    browser = campus.browser(campus.admin)
    page = browser.post(f"{campus.url}/mod/lti/startltiadvregistration.php", {"url": url})
    return browser.get(page.frames[0])


def listed(world):
    return {row["name"]: row for row in world.json("platform", "list")["platforms"]}


def test_the_demo_has_no_value_copied_by_hand(world):
    assert "platforms" not in CONFIG.read_text() and "CAMPUS" not in CONFIG.read_text()
    campus = listed(world)["campus"]
    assert campus["source"] == "registration" and campus["client_id"] == world.tool.client_id
    assert campus["deployments"] == [{"id": world.tool.deployment_id, "state": "approved"}]


def test_one_paste_connects_a_platform(world, other):
    url = invited(world)
    page = paste(other, url)

    assert page.status == 200
    for left_to_do in ("Activate", "Show in activity chooser", "New window"):
        assert left_to_do in page.text
    policy = page.headers["Content-Security-Policy"]
    assert other.url in policy.split("frame-ancestors")[1].split(";")[0]
    row = listed(world)["second"]
    assert row["issuer"] == other.url and row["state"] == "active"

    [tool] = other.tools.values()
    tool.state = "active"
    activity = other.add_activity(other.context, tool, "Anything")
    assert other.browser(other.teacher).launch(activity).status == 200
    answer = world.command("doctor", "--platform", "second")
    assert answer.returncode == 0, answer.stdout


def test_the_page_closes_the_frame_by_the_message_that_moodle_waits_for(world, other):
    browser = other.browser(other.admin)
    query = {
        "openid_configuration": f"{other.url}/mod/lti/openid-configuration.php",
        "registration_token": registration_token(other),
    }
    answer = browser.send("GET", f"{invited(world)}&{urlencode(query)}", [])

    assert 'subject: "org.imsglobal.lti.close"' in answer.text
    assert f'data-origin="{other.url}"' in answer.text
    nonce = answer.text.split('<script nonce="')[1].split('"')[0]
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_an_invitation_works_once(world, other):
    url = invited(world)
    paste(other, url)

    page = paste(other, url)

    assert page.status == 403 and page.headers["X-LTI-Error"] == "session"
    assert "already used" in page.text and "platform invite" in page.text
    assert len(other.tools) == 1
    policy = page.headers["Content-Security-Policy"]
    assert other.url in policy.split("frame-ancestors")[1].split(";")[0]


@pytest.mark.parametrize("query", ["", "?invite=guessed", "?invite=%00&openid_configuration=x;y"])
def test_a_stranger_registers_nothing(world, other, query):
    before = listed(world)
    page = other.browser(other.admin).get(f"{world.environ['DEMO_TOOL']}/lti/register{query}")

    assert page.status == 403 and page.headers["X-LTI-Error"] == "session"
    assert "x;y" not in page.headers["Content-Security-Policy"]
    assert listed(world) == before


def test_a_platform_that_refuses_leaves_the_invitation_good(world, other):
    url = invited(world)
    other.faults.add("registration", status=500, times=1)

    assert paste(other, url).headers["X-LTI-Error"] == "platform_error"
    assert paste(other, url).status == 200


@pytest.mark.parametrize(
    "arguments",
    [("Bad Name",), ("second", "--expires", "soon"), ("second", "--expires", "0h"),
     ("second", "--coursera", "nobody"), ()],
)  # fmt: skip
def test_a_wrong_invitation_is_told(world, arguments):
    answer = world.command("platform", "invite", *arguments)

    assert answer.returncode in (1, 2) and "Traceback" not in answer.stderr
    assert "/lti/register" not in answer.stdout
