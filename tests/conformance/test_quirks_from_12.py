"""Moodle's quirks 12 to 24, as far as the tool meets them: one test each."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from conformance.steps import Calls, amy, asked, bodies, cells, regrade
from passport_lti.extensions import db
from passport_lti.models import Context
from worlds import World

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def picked(world: World, **fields: Any) -> list[dict[str, Any]]:
    """The content items of an answer to the picker."""
    browser = world.campus.browser(world.school.teacher)
    page = browser.select_content(world.school.context, world.tool)
    values = {
        "session": page.form("/deep-linking").fields["session"][0],
        "program": world.school.program.id,
        "points": "weight",
        **fields,
    }
    answer = browser.post(world.tool.launch_url.replace("/lti/launch", "/deep-linking"), values)
    token = answer.form().fields["JWT"][0]
    claims = jwt.decode(token, options={"verify_signature": False})
    items: list[dict[str, Any]] = claims[DL + "content_items"]
    return items


def test_quirk_12_maxima_in_deep_links_are_integers_from_1_to_100(world: World) -> None:
    course = world.school.courses["linked"]
    world.coursera.add_item(course, "Tiny", weight=0.2)
    items = picked(
        world,
        course=course.id,
        strategy="granular_deep_linked",
        item=[item.id for item in course.items],
    )
    maxima = [item["lineItem"]["scoreMaximum"] for item in items]
    assert len(maxima) == 4 and all(isinstance(m, int) and 1 <= m <= 100 for m in maxima)


def test_quirk_13_an_activity_that_was_never_made(world: World) -> None:
    course = world.school.courses["linked"]
    made = world.publish(
        "linked", "granular_deep_linked", item=[item.id for item in course.items[:2]]
    )
    world.campus.delete_activity(made[1])
    world.meet(made[0])
    for item in course.items[:2]:
        world.grade(amy(world), "linked", item.name, 80)
    world.sync()
    assert world.book[made[0].title, amy(world)] == 80
    assert len(bodies(world)) == 1


def test_quirk_14_columns_are_found_whatever_they_are_called(world: World) -> None:
    [activity] = world.publish("final", "final_grade")
    world.campus.rename_column(world.book.line_item(activity), "Semester mark")
    world.meet(activity)
    world.grade(amy(world), "final", "Loops quiz", 50)
    assert world.sync().ok
    assert world.book["Semester mark", amy(world)] == 15 and len(world.book.columns) == 1


def test_quirk_15_a_lost_answer_makes_no_second_column(linked: World) -> None:
    linked.campus.faults.add("lineitems", drop="after", match="POST")
    linked.sync()
    linked.sync()
    for label in ("Averages", "Chance", "Case study"):
        assert linked.book.columns.count(label) == 1


def test_quirk_16_a_renamed_column_keeps_everything_else(graded: World) -> None:
    item = graded.book.line_item("Averages")
    before = (item.resource_id, item.tag, item.maximum)
    item.submission_review = {"reviewableStatus": ["Completed"]}
    graded.coursera.rename_item(graded.school.courses["columns"], "Averages", "Means")
    graded.sync()
    assert item.label == "Means" and (item.resource_id, item.tag, item.maximum) == before
    assert item.submission_review == {"reviewableStatus": ["Completed"]}


def test_quirk_17_unknown_variables_come_literally(world: World) -> None:
    world.tool.custom = "context_history=$Context.unknown.variable"
    [activity] = world.publish("final", "final_grade")
    world.meet(activity)
    with world.app.app_context():
        assert db.session.scalars(db.select(Context)).one().history == ""


def test_quirk_18_the_roster_is_read_whole_and_filtered_here(world: World) -> None:
    world.campus.page_size = 1
    [activity] = world.publish("columns", "granular_auto_columns")
    world.meet(activity)
    teacher = world.school.teacher
    account = world.coursera.add_person(teacher.email, teacher.email, teacher.name)
    world.coursera.grade(account, world.school.courses["columns"], "Averages", 99)
    assert regrade(world, 50).ok
    queries = [e.query for e in world.campus.ledger.requests if e.kind == "members"]
    assert len(queries) == 6 and not any("role=" in query for query in queries)
    assert {body["userId"] for body in bodies(world)} == {amy(world).id}


def test_quirk_19_the_message_hint_travels_unchanged_and_once(world: World) -> None:
    [activity] = world.publish("final", "final_grade")
    hints: list[str] = []
    world.campus.on_login = lambda form: hints.append(form["lti_message_hint"]) or form
    browser = world.campus.browser(amy(world))
    browser._start_launch(activity)
    start = browser.page.auto_form
    answer = browser.send("POST", start.action, [(k, v[0]) for k, v in start.fields.items()])
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["lti_message_hint"] == hints and "launchid" in json.loads(hints[0])
    assert browser.get(answer.headers["Location"]).auto_form is not None
    assert "Invalid request" in browser.get(answer.headers["Location"]).text


def test_quirk_20_an_activity_in_a_frame(world: World) -> None:
    world.tool.container = "iframe"
    [activity] = world.publish("final", "final_grade")
    browser = world.campus.browser(amy(world), third_party_cookies=False)
    page = browser.launch(activity)
    assert amy(world).name in page.text
    page = browser.submit(page.form("/lti/confirm"))
    assert page.status == 200 and 'target="_blank"' in page.text


def test_quirk_21_tool_settings_are_never_used(graded: World, calls: Calls) -> None:
    regrade(graded, 60)
    assert not any("toolsettings" in str(a.request.url).lower() for a in calls)
    assert not any("toolsetting" in str(r.body) for r in asked(calls, "token.php"))


def test_quirk_22_the_tools_columns_belong_to_no_link(graded: World) -> None:
    [activity] = graded.campus.activities(graded.school.context)
    own = [i for i in graded.book.line_items if i.activity is None]
    assert len(own) == 3 and not any(item.resource_link_id for item in own)
    assert len(graded.campus.columns_of(activity)) == 1


def test_quirk_22_a_second_column_on_the_link_hides_the_first(graded: World) -> None:
    [activity] = graded.campus.activities(graded.school.context)
    second = graded.campus.add_line_item(
        graded.school.context, graded.tool, "Bonus", 10.0, resource_link_id=activity.id
    )
    graded.meet(activity)
    assert regrade(graded, 64).ok
    assert graded.book["Everyday Statistics", amy(graded)] == 16
    assert graded.book[second, amy(graded)] is None


def test_quirk_23_the_first_selection_brings_no_roster(world: World) -> None:
    [activity] = world.publish("columns", "granular_auto_columns")
    regrade(world, 50)
    assert world.campus.ledger.count("members") == 0
    assert "Averages" in world.book.columns and not bodies(world)
    world.meet(activity)
    assert world.sync().ok
    assert world.book["Averages", amy(world)] == 50


def test_quirk_24_a_campus_that_can_not_fetch_the_tools_keys(graded: World) -> None:
    graded.campus.revoke_tokens()
    graded.campus.tool_keys.forget()
    right, graded.tool.jwks_url = graded.tool.jwks_url, "http://127.0.0.1:9/jwks.json"
    regrade(graded, 60)
    [cell] = cells(graded)
    assert cell["reason"] == "token_refused" and cell["state"] == "due"
    assert "token_refused" in graded.command("sync").stdout
    graded.tool.jwks_url = right
    assert graded.sync().ok
    assert graded.book["Averages", amy(graded)] == 60
