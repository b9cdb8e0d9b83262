"""Line items: exact media types, full replace, copies."""

import pytest

CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"


def listed(world, query="", accept=CONTAINER):
    return world.client.call("GET", world.line_items_url + query, accept=accept)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (CONTAINER, 200),
        ("", 200),
        ("*/*", 400),
        (f"{CONTAINER}, */*", 400),
        (f"{CONTAINER};q=1", 400),
        ("application/json", 400),
    ],
)
def test_accept_is_one_exact_string(world, accept, status):
    assert listed(world, accept=accept).status_code == status


def test_a_single_item_may_be_asked_for_with_any_accept(world):
    assert world.client.call("GET", world.line_item_url(), accept="*/*").json() == {
        "id": world.line_item_url(),
        "label": "Quiz",
        "scoreMaximum": 50.0,
        "resourceId": "quiz-1",
        "tag": "quiz",
        "resourceLinkId": world.quiz.id,
        "ltiLinkId": world.quiz.id,
    }


def test_filters_and_the_malformed_link_header(world):
    world.manual_column("Two", resourceId="r2")
    world.manual_column("Three", tag="t")

    def labels(query):
        return [item["label"] for item in listed(world, query).json()]

    assert labels("") == ["Quiz", "Two", "Three"]
    assert labels("&resource_id=r2") == ["Two"]
    assert labels("&tag=t") == ["Three"]
    assert labels(f"&resource_link_id={world.quiz.id}") == ["Quiz"]
    assert labels("&limit=2&from=2") == ["Three"]
    page = listed(world, "&limit=2")
    assert len(page.json()) == 2
    header = page.headers["Link"].encode("latin-1").decode()
    assert "&amp;" in header
    assert "rel=“next”" in header


def test_an_equal_post_makes_a_second_column(world):
    first, second = world.manual_column("Same", resourceId="r"), world.manual_column("Same")
    assert first != second
    assert world.campus.gradebook(world.context).columns == ["Quiz", "Same", "Same"]


@pytest.mark.parametrize(
    ("fields", "status", "columns"),
    [
        ({"label": "x"}, 400, 1),
        ({"scoreMaximum": 5}, 400, 1),
        ({"label": "x", "scoreMaximum": "many"}, 400, 1),
        ({"label": "x", "scoreMaximum": 12.5}, 201, 2),
        ({"label": "x", "scoreMaximum": 1000, "unknown": 1}, 201, 2),
        ({"label": "x" * 256, "scoreMaximum": 5}, 502, 1),
        ({"label": "x", "scoreMaximum": 5, "resourceId": "r" * 513}, 502, 2),
        ({"label": "x", "scoreMaximum": 5, "tag": "t" * 256}, 502, 2),
        ({"label": "x", "scoreMaximum": 5, "resourceLinkId": "abc"}, 502, 1),
        ({"label": "x", "scoreMaximum": 5, "resourceLinkId": "77"}, 403, 1),
    ],
)
def test_making_a_column(world, fields, status, columns):
    answer = world.client.call("POST", world.line_items_url, json=fields, content_type=ITEM)
    assert answer.status_code == status
    assert len(world.campus.gradebook(world.context).columns) == columns


def test_put_replaces_everything_and_keeps_percentages(world):
    world.score(scoreGiven=80)
    body = {"label": "Renamed", "scoreMaximum": 200}
    answer = world.client.call("PUT", world.line_item_url(), json=body, content_type=ITEM)
    assert (answer.status_code, answer.json()["label"]) == (200, "Renamed")
    item = world.client.call("GET", world.line_item_url("Renamed")).json()
    assert (item["resourceId"], item["tag"], "resourceLinkId" in item) == ("", "", False)
    assert world.value("Renamed") == 160
    assert world.quiz.title == "Quiz"
    # The filter still finds it, and the next save of the activity gives it its name again.
    assert len(listed(world, f"&resource_link_id={world.quiz.id}").json()) == 1
    world.campus.save_activity(world.quiz)
    assert world.campus.gradebook(world.context).columns == ["Quiz"]


def test_delete_takes_the_column_and_leaves_the_activity(world):
    url = world.line_item_url()
    assert world.client.call("DELETE", url).status_code == 204
    assert world.client.call("DELETE", url).status_code == 404
    world.campus.browser(world.amy).launch(world.quiz)
    endpoint = world.client.claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert "lineitem" not in endpoint
    world.campus.save_activity(world.quiz)
    assert world.line_item_url() != url


@pytest.mark.parametrize(("method", "status"), [("HEAD", 400), ("PATCH", 405)])
def test_other_methods(world, method, status):
    assert world.client.call(method, world.line_item_url()).status_code == status


def test_authorisation(world):
    refused = world.client.call("GET", world.line_item_url(), token="nonsense")
    assert (refused.status_code, refused.json()["reason"]) == (401, "Unauthorized")
    scores_only = world.client.token(AGS + "score")
    assert world.client.call("GET", world.line_item_url(), token=scores_only).status_code == 401
    foreign = world.line_item_url().replace("type_id=1", "type_id=2")
    assert world.client.call("GET", foreign).status_code == 401
    token = world.client.token()
    assert world.client.call("GET", world.line_item_url(), token).status_code == 200
    world.campus.revoke_tokens()
    assert world.client.call("GET", world.line_item_url(), token).status_code == 401
    token = world.client.token()
    world.tool.ags = 0
    assert world.client.call("GET", world.line_item_url(), token).status_code == 401


def test_another_tool_reads_but_does_not_grade_an_activitys_column(world):
    other = world.campus.add_tool("http://127.0.0.1:1", name="Other")
    activity = world.campus.add_activity(world.context, other, "Foreign", line_item={})
    assert activity.tool is other
    assert world.client.call("GET", world.line_item_url("Foreign")).status_code == 200
    assert world.score(key="Foreign", scoreGiven=1) == 403
    assert [item["label"] for item in listed(world).json()] == ["Quiz"]


def test_a_copied_context_has_new_ids_and_the_same_columns(world):
    world.manual_column("Tool", resourceId="r2", resourceLinkId=world.quiz.id)
    world.score(scoreGiven=10)
    copy = world.campus.copy_context(world.context)
    [twin] = world.campus.activities(copy)
    items = world.campus.gradebook(copy).line_items
    assert copy.history == [world.context.id]
    assert (twin.id != world.quiz.id, twin.tool) == (True, world.tool)
    assert [(i.resource_id, i.resource_link_id, i.coupled) for i in items] == [
        ("quiz-1", twin.id, True),
        ("r2", twin.id, False),
    ]
    assert all(not item.grades for item in items)


def test_a_duplicate_shares_the_resource_id(world):
    twin = world.campus.duplicate_activity(world.quiz)
    found = listed(world, "&resource_id=quiz-1").json()
    assert twin.title == "Quiz (copy)"
    assert [item["resourceLinkId"] for item in found] == [world.quiz.id, twin.id]
    with pytest.raises(LookupError):
        world.campus.gradebook(world.context).line_item("quiz-1")
