"""The administrator's pages: what they show, what they change, and whom they show nothing of."""

import re
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import AccessToken, Deployment, LaunchLog, Platform, SigningKey
from passport_lti.sync import work


def administration(school, activity):
    """The administrator's browser, at the page that the launch of an activity links to."""
    browser = school.campus.browser(school.admin)
    page = browser.launch(activity)
    [way] = [address for text, address in page.links if text == "Administration"]
    browser.get(way)
    return browser


@pytest.fixture
def activity(world):
    [made] = world.publish("columns", "granular_auto_columns", include_final="1")
    return made


def row_of(world, name="campus"):
    return db.session.scalars(db.select(Platform).where(Platform.name == name)).one()


def session_of(page):
    return parse_qs(urlsplit(page.url).query)["session"][0]


def test_an_administrator_sees_how_the_platform_is(world, activity):
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    world.sync()

    page = administration(world.school, activity).page

    assert page.status == 200
    assert "they answer" in page.text and "they can be read" in page.text
    assert "Nothing: every grade" in page.text
    assert "DATA101" in page.text and page.text.count(">accepted<") == 3


def test_a_teacher_and_a_learner_see_no_way_there(world, activity):
    teacher = world.campus.browser(world.school.teacher).launch(activity)
    assert "Sync now" in teacher.text and "Administration" not in teacher.text
    base = world.services.config.tool.base_url

    answer = requests.get(f"{base}/admin", {"session": session_of(teacher)}, timeout=10)

    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (403, "session")
    assert requests.get(f"{base}/admin", timeout=10).status_code == 403
    empty = world.campus.add_activity(world.school.context, world.tool, "Empty")
    assert "Administration" not in world.campus.browser(world.school.teacher).launch(empty).text


def test_an_activity_without_content_leads_there_too(world):
    empty = world.campus.add_activity(world.school.context, world.tool, "Empty")

    page = administration(world.school, empty).page

    assert page.status == 200 and "There are no activities yet" in page.text


def test_why_grades_are_missing_leads_to_the_activity(world, activity):
    amy = world.school.learners[0]
    world.meet(activity)
    world.grade(amy, "columns", "Averages", 80)
    world.sync()
    world.campus.override(world.book.line_item("Averages"), amy, 99)
    world.grade(amy, "columns", "Averages", 70)
    world.sync(trigger="person")

    browser = administration(world.school, activity)

    assert "1 grade<" in browser.page.text and "<code>overridden</code>" in browser.page.text
    address = next(url for text, url in browser.page.links if text == "Everyday Statistics")
    opened = browser.get(address)
    assert opened.status == 200 and "Sync now" in opened.text
    way_out = next(url for text, url in opened.links if text == "Open in Coursera")
    assert requests.get(way_out, allow_redirects=False, timeout=10).status_code == 302


def test_a_waiting_deployment_is_approved_by_one_press(world, activity, other):
    with world.app.app_context():
        for name in ("campus", "other"):
            db.session.add(
                Deployment(
                    platform=row_of(world, name), deployment_id=f"9-{name}", state="waiting",
                    first_seen_at=world.services.clock(),
                )
            )  # fmt: skip
        db.session.commit()
        theirs = db.session.scalars(
            db.select(Deployment.id).where(Deployment.deployment_id == "9-other")
        ).one()
    browser = administration(world.school, activity)
    session = session_of(browser.page)

    page = browser.submit(browser.page.form("/approve"))
    base = world.services.config.tool.base_url
    foreign = f"{base}/admin/deployments/{theirs}/approve"

    assert "may launch now" in page.text and "9-campus: approved" in page.text
    assert requests.post(foreign, {"session": session}, timeout=10).status_code == 404
    assert requests.post(foreign, {"session": "x"}, timeout=10).status_code == 403
    with world.app.app_context():
        states = dict(
            db.session.execute(db.select(Deployment.deployment_id, Deployment.state)).tuples().all()
        )
    assert (states["9-campus"], states["9-other"]) == ("approved", "waiting")


def test_nothing_of_another_platform_is_shown(world, other):
    """Neither its launches nor its runs, reasons, activities, deployments or findings."""
    world.coursera.grade(
        world.school.accounts[world.school.learners[0].id],
        world.school.courses["columns"], "Averages", 50,
    )  # fmt: skip
    world.sync()
    world.campus.faults.add("*", status=503, times=None)
    theirs = next(a for a in other.context.activities)
    world.sync(trigger="person")

    browser = administration(other, theirs)
    page = browser.submit(browser.page.form("/examination")).text

    assert "STAT" in page and other.campus.url in page
    for secret in ("DATA101", world.campus.url, "campus token", "Python Basics", "platform_down"):
        assert secret not in page
    for path in ("launches", "runs"):
        text = browser.get(
            f"{world.services.config.tool.base_url}/admin/{path}?session={session_of(browser.page)}"
        ).text
        seen = re.sub(r"<[^>]*>", " ", text)  # not the addresses, whose ids may hold any number
        assert "DATA101" not in text and not re.search(r"\b503\b", seen)


def test_the_check_runs_from_the_page_and_names_the_setting(world, activity):
    world.tool.ags = 1
    browser = administration(world.school, activity)

    page = browser.submit(browser.page.form("/examination"))

    assert "campus token to make columns" in page.text and "FAIL" in page.text
    assert "grade sync and column management" in page.text
    world.tool.ags = 2
    again = browser.submit(page.form("/examination"))
    assert "Everything is in order." in again.text


def test_refusals_say_what_to_change_and_whether_the_platform_signed_them(world, activity):
    base = world.services.config.tool.base_url
    junk = jwt.encode(
        {"iss": world.campus.url, "aud": world.tool.client_id}, "k" * 32, headers={"kid": "x"}
    )
    requests.post(f"{base}/lti/launch", {"id_token": junk, "state": "x"}, timeout=10)
    world.campus.clock_offset = 3600
    late = world.campus.browser(world.school.teacher).launch(activity, follow=False)
    world.campus.clock_offset = 0

    page = administration(world.school, activity).page.text

    assert late.headers["X-LTI-Error"] == "not_yet_valid"
    with world.app.app_context():
        rows = db.session.execute(
            db.select(LaunchLog.verdict, LaunchLog.proven).where(LaunchLog.verdict != "ok")
        ).all()
        mine = row_of(world).id
        attributed = set(db.session.scalars(db.select(LaunchLog.platform_id)))
    assert sorted(rows) == [("alg", False), ("not_yet_valid", True)]
    assert attributed == {mine}
    signed, _, claimed = page.partition("only claim to come from this platform")
    assert "not_yet_valid" in signed and "NTP" in signed
    assert "<code>alg</code> × 1" in claimed and "<code>alg</code>" not in signed


def test_a_platform_that_fails_is_said_to_be_left_alone(world, activity):
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    world.sync()
    world.grade(world.school.learners[0], "columns", "Averages", 81)
    world.campus.faults.add("*", status=503, times=None)
    world.sync(trigger="person")
    with world.app.app_context():
        assert row_of(world).paused_until is not None
        row_of(world).paused_until = world.services.clock().replace(year=2090)
        db.session.commit()
    world.campus.faults.clear()

    page = administration(world.school, activity).page.text

    assert "left alone for a while" in page and "platform_down" in page and "2090" in page


def test_runs_are_counted_for_each_platform(world, other):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 50)
    world.sync()
    world.sync(platform="other")

    mine = administration(world.school, world.school.context.activities[0])
    page = mine.page.text

    section = page[page.index('id="runs"') :].partition("</section>")[0]
    rows = section.split("<tr>")[2:]
    assert len(rows) == 1
    assert 'data-name="Courses read">1<' in rows[0] and 'data-name="Scores sent">2<' in rows[0]


def test_what_the_clock_reads_is_shown_without_a_count_of_what_it_sends(world, activity):
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    with world.app.app_context():
        work.poll(world.services, world.app.app_context)

    page = administration(world.school, activity).page.text

    section = page[page.index('id="runs"') :].partition("</section>")[0]
    assert "the clock" in section and 'data-name="Grades new">2<' in section
    assert 'data-name="Scores sent">–<' in section


def test_no_secret_is_on_any_page(world, activity):
    world.meet(activity)
    world.grade(world.school.learners[0], "columns", "Averages", 80)
    world.sync()
    browser = administration(world.school, activity)
    text = browser.submit(browser.page.form("/examination")).text
    config = world.services.config

    with world.app.app_context():
        [key] = db.session.scalars(db.select(SigningKey))
        assert db.session.scalar(db.select(db.func.count()).select_from(AccessToken))
        assert key.kid in text
    connection = config.coursera["practice"]
    for secret in (
        config.tool.secret_key, connection.api_key, connection.api_secret,
    ):  # fmt: skip
        value = secret if isinstance(secret, str) else secret.get_secret_value()
        assert value not in text
    for person in world.school.learners:
        assert person.email not in text and person.name not in text


def test_an_old_admin_session_ends_with_its_platform(world, activity):
    browser = administration(world.school, activity)
    with world.app.app_context():
        row_of(world).state = "removed"
        db.session.commit()

    assert browser.get(browser.page.url).status == 403


def test_the_picker_is_not_left_for_it(world):
    page = world.campus.browser(world.school.admin).select_content(world.school.context)

    assert page.form("/deep-linking")
    link = next(line for line in page.text.splitlines() if "/admin?session=" in line)
    assert 'target="_blank"' in link
