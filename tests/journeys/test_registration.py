"""Dynamic registration as an administrator does it: one paste, nothing copied by hand."""

from urllib.parse import urlencode

import pytest
import yaml

from passport_lti.cli.demo import CONFIG
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.registration import registration_token
from passport_lti.sandbox.serving import serve

BY_HAND = {
    "issuer": "https://moodle.example.edu", "client_id": "by-hand", "coursera": "practice",
    **dict.fromkeys(("auth_login_url", "auth_token_url", "key_set_url"), "https://moodle.example.edu/x"),
}  # fmt: skip


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


def update(campus, url, tool):
    """What Moodle shows after the administrator chose to update `tool` with the pasted `url`."""
    query = {
        "openid_configuration": f"{campus.url}/mod/lti/openid-configuration.php",
        "registration_token": registration_token(campus, tool),
    }
    return campus.browser(campus.admin).get(f"{url}&{urlencode(query)}")


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


def test_an_update_has_nothing_left_to_do(world, other):
    paste(other, invited(world))
    [tool] = other.tools.values()
    tool.state, tool.redirect_urls, tool.nrps = "active", ["https://old.example/launch"], False

    page = update(other, invited(world), tool)

    assert page.status == 200 and "is up to date" in page.text
    assert "Activate" not in page.text and 'id="close"' in page.text
    assert tool.redirect_urls == [f"{world.environ['DEMO_TOOL']}/lti/launch"] and tool.nrps
    row = listed(world)["second"]
    assert (row["client_id"], row["state"]) == (tool.client_id, "active")
    activity = other.add_activity(other.context, tool, "Anything")
    assert other.browser(other.teacher).launch(activity).status == 200


def test_a_refusal_names_the_way_out(world, other):
    paste(other, invited(world))
    [tool] = other.tools.values()

    again = paste(other, invited(world))
    assert "choose to update" in again.text and "platform remove second" in again.text
    elsewhere = update(other, invited(world, "third"), tool)
    assert "passport-lti platform invite second" in elsewhere.text
    url = f"{invited(world, 'third')}&openid_configuration=https%3A%2F%2F10.0.0.7%2Fconfiguration"
    private = other.browser(other.admin).get(url)
    assert "10.0.0.7 is in a private network" in private.text
    assert f"{world.environ['DEMO_TOOL']}/lti/setup" in private.text
    # The invitation is as good as before: no advice to make another one.
    assert "platform invite NAME" not in private.text


def test_a_platform_that_left_the_yaml_may_register(world, other, tmp_path):
    tool = other.add_tool(world.environ["DEMO_TOOL"])
    entry = {**BY_HAND, "issuer": tool.issuer, "client_id": tool.client_id}
    text = CONFIG.read_text() + yaml.safe_dump({"platforms": {"second": entry}})
    (tmp_path / "passport.yaml").write_text(text)
    by_hand = world.command("--config", str(tmp_path / "passport.yaml"), "platform", "list")
    assert tool.client_id in by_hand.stdout
    assert listed(world)["second"]["state"] == "absent"

    assert update(other, invited(world), tool).status == 200

    row = listed(world)["second"]
    assert (row["client_id"], row["source"]) == (tool.client_id, "registration")
    assert row["state"] == "active" and len(listed(world)) == 2


def test_the_name_of_a_platform_that_left_the_yaml_is_free(world, other, tmp_path):
    text = CONFIG.read_text() + yaml.safe_dump({"platforms": {"second": BY_HAND}})
    (tmp_path / "passport.yaml").write_text(text)
    world.command("--config", str(tmp_path / "passport.yaml"), "platform", "list")

    assert paste(other, invited(world)).status == 200

    assert listed(world)["second"]["issuer"] == other.url and len(listed(world)) == 3


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
