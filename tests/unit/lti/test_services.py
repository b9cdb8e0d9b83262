"""Tokens, the translation of errors, AGS and NRPS over real HTTP."""

import json
import socket
import threading
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from flask import Response, current_app, request
from pydantic import SecretStr

from passport_lti.errors import AnswerLost, Conflict, Gone, Rejected, RetryLater, ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags, keys, nrps, tokens
from passport_lti.lti.service import PlatformService
from passport_lti.models import AccessToken
from passport_lti.sandbox.serving import hang_up

ITEM = "application/vnd.ims.lis.v2.lineitem+json"


@pytest.fixture
def service(world):
    return PlatformService(world.tool, world.platform)


def send(world: Any, service: PlatformService, given: float = 5.0) -> None:
    ags.send_score(
        service, f"{world.there.url}/items/1/lineitem?type_id=3", sub="4", given=given,
        maximum=10.0, completed=True, stamp=1_800_000_000,
    )  # fmt: skip


# --- tokens


def test_a_token_is_asked_for_as_moodle_wants_and_shared(world, service):
    world.there.answers["/items"] = []
    ags.line_items(service, f"{world.there.url}/items")
    ags.line_items(PlatformService(world.tool, world.platform), f"{world.there.url}/items")
    tokens._kept.clear()  # as another process starts
    ags.line_items(PlatformService(world.tool, world.platform), f"{world.there.url}/items")
    assert world.there.tokens == 1
    form = parse_qs(next(c for c in world.there.calls if c.path == "/token").body.decode())
    assert form["grant_type"] == ["client_credentials"]
    key = keys.active_key(world.tool)
    claims = jwt.decode(
        form["client_assertion"][0],
        key.private_key.public_key(),
        algorithms=["RS256"],
        audience=f"{world.there.url}/token",
    )
    assert claims["iss"] == claims["sub"] == "client-1"
    assert claims["iat"] < world.clock().timestamp() - 5, "Moodle has no leeway"
    assert db.session.query(AccessToken).one().token.find(b"token-1") == -1, "encrypted at rest"


def test_tokens_are_renewed_a_minute_before_their_end(world, service):
    world.there.answers["/items"] = []
    for ahead, asked in [(0, 1), (3500, 1), (3560, 2)]:
        world.clock.ahead = timedelta(seconds=ahead)
        ags.line_items(service, f"{world.there.url}/items")
        assert world.there.tokens == asked


def test_a_token_of_a_minute_is_used_for_half_of_it(world, service):
    body = json.dumps({"access_token": "t", "token_type": "Bearer", "expires_in": 60})
    world.there.answers.update({"/items": [], "/token": lambda: Response(body)})
    for ahead, asked in [(0, 1), (1, 1), (29, 1), (31, 2)]:
        world.clock.ahead = timedelta(seconds=ahead)
        ags.line_items(service, f"{world.there.url}/items")
        assert world.there.count("/token") == asked
        tokens._kept.clear()  # as another process starts


def test_a_401_renews_once(world, service):
    def answer() -> Response:
        last = world.there.calls[-1].headers["Authorization"]
        return Response("[]" if last != "Bearer token-1" else "no", 200 if "2" in last else 401)

    world.there.answers["/items"] = answer
    assert ags.line_items(service, f"{world.there.url}/items") == []
    assert (world.there.tokens, world.there.count("/items")) == (2, 2)
    world.there.answers["/items"] = Response("no", 401)
    with pytest.raises(Rejected) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert caught.value.reason == "token_refused"
    assert (world.there.tokens, world.there.count("/items")) == (3, 4)


def test_threads_share_one_token_and_one_renewal(world, service):
    """Sixteen at once ask for one token; when it is revoked, sixteen 401s ask for one more."""
    app = current_app._get_current_object()
    gate = threading.Barrier(16)
    refused = {""}

    def answer() -> Response:
        return Response("[]", 401 if request.headers["Authorization"] in refused else 200)

    world.there.answers["/items"] = answer
    problems: list[Exception] = []

    def one() -> None:
        with app.app_context():
            gate.wait(10)
            try:
                ags.line_items(service, f"{world.there.url}/items")
            except ServiceError as error:
                problems.append(error)

    for _ in range(2):
        threads = [threading.Thread(target=one) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        refused.add("Bearer token-1")
    assert problems == []
    assert world.there.tokens == 2


def test_threads_do_not_wait_in_turn_for_a_platform_that_gives_no_token(world, service):
    """All of them have asked when the only answer comes; a later call asks again."""
    app = current_app._get_current_object()
    asking, problems = threading.Semaphore(0), []

    def answer() -> Response:
        for _ in range(4):
            assert asking.acquire(timeout=10)
        time.sleep(0.2)
        return Response("down", 500)

    usual = world.there.answers["/token"]
    world.there.answers["/token"] = answer

    def one() -> None:
        with app.app_context():
            asking.release()
            try:
                service.get_access_token([ags.SCORE])
            except RetryLater as error:
                problems.append(error.reason)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == ["platform_down"] * 4
    # One that comes after the answer may ask again, as any later call does.
    assert world.there.count("/token") <= 2
    world.there.answers["/token"] = usual
    assert service.get_access_token([ags.SCORE])


def test_dropping_an_old_token_keeps_the_new_one(world):
    scopes = ["s"]
    tokens.store(world.tool, world.platform.id, scopes, {"access_token": "new"})
    tokens.drop(world.tool, world.platform.id, scopes, "old")
    tokens._kept.clear()
    assert tokens.stored(world.tool, world.platform.id, scopes) == "new"
    tokens.drop(world.tool, world.platform.id, scopes, "new")
    assert tokens.stored(world.tool, world.platform.id, scopes) is None


TOKEN_ANSWERS = [
    (Response('{"error": "invalid_client"}', 400), Rejected, "token_refused"),
    (Response('{"error": "invalid_scope"}', 400), Rejected, "scope_missing"),
    (Response('{"error": "kid "x" invalid"}', 400), Rejected, "token_refused"),
    (Response("", 401), Rejected, "token_refused"),
    (Response("slow down", 429, {"Retry-After": "7"}), RetryLater, "rate_limited"),
    (Response("down", 500), RetryLater, "platform_down"),
    (Response("<html>", 200), RetryLater, "platform_down"),
    (Response("", 302, {"Location": "https://evil.example"}), RetryLater, "platform_down"),
    (Response("[]", 200), RetryLater, "platform_down"),
    (Response("[" * 50_000, 200), RetryLater, "platform_down"),
    (Response('{"access_token": 5}', 200), RetryLater, "platform_down"),
    (Response('{"access_token": "a\\nb"}', 200), RetryLater, "platform_down"),
    (Response('{"access_token": "\\u20ac"}', 200), RetryLater, "platform_down"),
    (Response('{"access_token": "t", "scope": "other"}', 200), Rejected, "scope_missing"),
]


@pytest.mark.parametrize("answer", range(len(TOKEN_ANSWERS)))
def test_refusals_of_a_token_are_translated(world, service, answer):
    world.there.answers["/token"], kind, reason = TOKEN_ANSWERS[answer]
    with pytest.raises(kind) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert caught.value.reason == reason
    assert world.there.count("/items") == 0
    if reason == "rate_limited":
        assert caught.value.after == 7


@pytest.mark.parametrize("life", ["abc", "", None, True, [], "60", 1e999, 10**400, -5, "3600"])
def test_odd_lives_of_tokens_do_no_harm(world, service, life):
    world.there.answers["/items"] = []
    body = {"access_token": "t", "token_type": "bEARER", "expires_in": life}
    world.there.answers["/token"] = Response(json.dumps(body))
    assert ags.line_items(service, f"{world.there.url}/items") == []


def test_a_lost_secret_is_a_typed_error(world, service):
    keys.active_key(world.tool)
    changed = world.configure().model_copy(
        update={"tool": world.config.tool.model_copy(update={"secret_key": SecretStr("t" * 32)})}
    )
    world.config = changed
    with pytest.raises(Rejected) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert caught.value.reason == "token_refused" and "secret" in caught.value.detail


# --- errors


@pytest.mark.parametrize(
    ("status", "reading", "writing", "reason"),
    [
        (400, Rejected, Rejected, "not_gradable"),
        (403, Rejected, Rejected, "forbidden"),
        (404, Gone, Gone, "column_gone"),
        (408, RetryLater, AnswerLost, "platform_down"),
        (409, Conflict, Conflict, "conflict"),
        (422, Rejected, Rejected, "not_gradable"),
        (429, RetryLater, RetryLater, "rate_limited"),
        (500, RetryLater, RetryLater, "server_error"),
        (502, RetryLater, AnswerLost, "bad_gateway"),
        (503, RetryLater, RetryLater, "platform_down"),
        (504, RetryLater, AnswerLost, "platform_down"),
        (302, RetryLater, AnswerLost, "platform_down"),
    ],
)
def test_statuses_become_what_to_do_next(world, service, status, reading, writing, reason):
    headers = {"Retry-After": "9", "Location": "https://evil.example/"}
    answer = Response("[]", status, headers, content_type="application/json")
    world.there.answers["/items"] = world.there.answers["/items/1/lineitem/scores"] = answer
    with pytest.raises(ServiceError) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert type(caught.value) is reading
    of_all = {"not_gradable": "refused", "column_gone": "context_gone"}
    assert caught.value.reason == of_all.get(reason, reason)
    with pytest.raises(ServiceError) as caught:
        send(world, service)
    assert (type(caught.value), caught.value.reason) == (writing, reason)
    if status in (429, 503):
        assert caught.value.after == 9


def test_a_web_page_that_says_404_does_not_delete_a_course(world, service):
    world.there.answers["/items"] = Response("<title>Upgrading</title>", 404)
    with pytest.raises(RetryLater) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert caught.value.reason == "platform_down"


def test_html_in_place_of_json_is_no_success(world, service):
    page = Response("<html>maintenance", 200)
    world.there.answers["/items"] = world.there.answers["/items/1/lineitem/scores"] = page
    with pytest.raises(RetryLater) as caught:
        ags.line_items(service, f"{world.there.url}/items")
    assert type(caught.value) is RetryLater
    with pytest.raises(AnswerLost):
        send(world, service)


def test_a_broken_connection_is_lost_and_none_is_not(world, service):
    world.there.answers["/items/1/lineitem/scores"] = lambda: hang_up(request.environ) or {}
    with pytest.raises(AnswerLost):
        send(world, service)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/x", "http://no-such-host.invalid/x"):
        with pytest.raises(RetryLater) as caught:
            ags.create(service, url, label="x", maximum=1, resource_id="r", tag="t")
        assert type(caught.value) is RetryLater, "nothing was sent, nothing can be lost"


def test_a_token_never_travels_unsafely(world):
    platform = world.platform
    platform.auth_token_url = "https://campus.example/token"
    service = PlatformService(world.tool, platform)
    with pytest.raises(Rejected):
        service.get(f"{world.there.url}/items", ags.SCORE, "application/json")
    assert world.there.calls == []
    db.session.rollback()


# --- AGS


def test_scores_are_what_moodle_takes(world, service):
    world.there.answers["/items/1/lineitem/scores"] = Response(b"", 200)
    send(world, service, 7.25)
    call = world.there.calls[-1]
    assert (call.path, call.query) == ("/items/1/lineitem/scores", "type_id=3")
    assert call.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
    assert call.json == {
        "userId": "4", "scoreGiven": 7.25, "scoreMaximum": 10, "timestamp": "2027-01-15T08:00:00Z",
        "activityProgress": "Completed", "gradingProgress": "FullyGraded",
    }  # fmt: skip
    before = len(world.there.calls)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(Rejected):
            send(world, service, bad)
    assert len(world.there.calls) == before


def test_addresses_keep_their_query_behind_the_path():
    for url, there in [
        ("https://m/1/lineitem?type_id=1", "https://m/1/lineitem/scores?type_id=1"),
        ("https://m/1/lineitem", "https://m/1/lineitem/scores"),
        ("https://m/1/lineitem/", "https://m/1/lineitem/scores"),
    ]:
        assert ags.beside(url, "scores") == there


LINKS = {
    "plain": '<{0}/items?page=2>; rel="next"',
    "curly, escaped": "<{0}/items?type_id=1&amp;page=2>; rel=“next”",
    "&lti_link_id": '<{0}/items?page=2&lti_link_id=5>; rel="next"',
    "unquoted": "<{0}/items?page=2>; rel=next",
    "parameters first": '<{0}/items?page=2>; title="more"; rel="next"',
    "second of two": '<{0}/items?page=9>; rel="prev", <{0}/items?page=2>; rel="next"',
    "relative": '</items?page=2>; rel="next"',
    "two words": '<{0}/items?page=2>; rel="last next"',
    "capitals": '<{0}/items?page=2&cursor=AbC>; REL="Next"',
}


@pytest.mark.parametrize("case", LINKS)
def test_pages_are_followed(world, service, case):
    def answer() -> Response:
        second = "page=2" in world.there.calls[-1].query
        item = {"id": f"{world.there.url}/items/{2 if second else 1}", "label": "x"}
        link = LINKS[case].format(world.there.url).encode().decode("latin-1")
        return Response(json.dumps([item]), headers={} if second else {"Link": link})

    world.there.answers["/items"] = answer
    found = ags.line_items(service, f"{world.there.url}/items")
    assert [item.url[-1] for item in found] == ["1", "2"]
    query = world.there.calls[-1].query
    assert "amp;" not in query and ("cursor=AbC" in query) == (case == "capitals")
    assert ("&lti_link_id=5" in query) == (case == "&lti_link_id")


def test_the_last_page_is_the_last(world, service):
    for link in ('<{0}/items?page=1>; rel="prev"', '<{0}/x>; rel="nextish"', "nonsense", "<>"):
        world.there.answers["/items"] = Response(
            "[]", headers={"Link": link.format(world.there.url)}
        )
        assert ags.line_items(service, f"{world.there.url}/items") == []


@pytest.mark.parametrize(
    "link", ['<{0}/items>; rel="next"', '<https://evil.example/items>; rel="next"']
)
def test_circles_and_other_hosts_are_no_list(world, service, link):
    """Half a list would make every column that is missing in it a second time."""
    body = {"members": []}
    for path, value in (("/items", []), ("/people", body)):
        link_here = link.format(world.there.url).replace("/items", path)
        world.there.answers[path] = Response(json.dumps(value), headers={"Link": link_here})
    for call in (
        lambda: ags.line_items(service, f"{world.there.url}/items"),
        lambda: nrps.members(service, f"{world.there.url}/people"),
    ):
        with pytest.raises(RetryLater) as caught:
            call()
        assert caught.value.reason == "platform_down"
        assert ("another host" in caught.value.detail) == ("evil" in link)


def test_line_items_are_made_found_and_replaced_whole(world, service):
    there = world.there
    url = f"{there.url}/items/1/lineitem?type_id=3"
    shown = {"id": url, "label": "Quiz", "scoreMaximum": 10, "tag": "t", "resourceId": "r",
             "resourceLinkId": "7", "ltiLinkId": "7", "gradesReleased": True}  # fmt: skip
    there.answers["GET /items"] = [
        shown,
        {"label": "no id"},
        None,
        {"id": f"{url}&odd=1", "scoreMaximum": "x"},
    ]
    there.answers["POST /items"] = lambda: Response(json.dumps({**shown, "id": url}), 201)
    there.answers["PUT /items/1/lineitem"] = shown
    item, odd = ags.line_items(service, f"{there.url}/items")
    assert there.calls[-1].headers["Accept"] == (
        "application/vnd.ims.lis.v2.lineitemcontainer+json"
    )
    assert (item.maximum, odd.maximum) == (10, 100)
    ags.update(service, item, label="Test", maximum=12.5)
    assert there.calls[-1].json == {**shown, "label": "Test", "scoreMaximum": 12.5}
    made = ags.create(
        service, f"{there.url}/items", label="Quiz", maximum=10.0, resource_id="r", tag="t"
    )
    assert made.url == url
    assert there.calls[-1].headers["Content-Type"] == ITEM
    there.answers["POST /items"] = Response("", 201)
    with pytest.raises(AnswerLost):
        ags.create(service, f"{there.url}/items", label="Q", maximum=1, resource_id="r", tag="t")


def test_results_are_read_defensively(world, service):
    there = world.there
    there.answers["/items/1/lineitem/results"] = [
        {"userId": "4", "resultScore": 0, "resultMaximum": 10},
        {"userId": 5, "resultScore": "7.5", "resultMaximum": "10"},
        {"userId": "6"},
        {"userId": "7", "resultScore": 10**400, "resultMaximum": 0},
        {"resultScore": 1}, None, 5,
    ]  # fmt: skip
    found = ags.results(service, f"{there.url}/items/1/lineitem?type_id=3", "4&limit=1")
    assert there.calls[-1].query == "type_id=3&user_id=4%26limit%3D1"
    assert (found["4"].fraction, found["5"].fraction, found["6"].given) == (0, 0.75, None)
    assert (found["7"].given, found["7"].maximum) == (None, 1.0)


# --- NRPS


def test_the_roster_is_read_as_moodle_and_others_write_it(world, service):
    full = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
    admin = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
    world.there.answers["/people"] = {
        "members": [
            {"user_id": "1", "roles": ["Learner"], "name": "Amy", "status": "Active"},
            {"user_id": 2, "roles": [full + "Instructor", full + "Learner"]},
            {"user_id": "3", "roles": [full + "Learner"], "status": "Inactive",
             "given_name": "Bo", "family_name": "Bee", "email": 5},
            {"user_id": "4", "roles": [admin]},
            {"user_id": "5", "roles": "Learner"},
            {"user_id": "6", "roles": ["https://evil.example/#Learner", None]},
            {"user_id": ""}, {"roles": ["Learner"]}, None,
        ]
    }  # fmt: skip
    found = {m.sub: m for m in nrps.members(service, f"{world.there.url}/people")}
    assert world.there.calls[-1].headers["Accept"] == (
        "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
    )
    roles = {sub: member.role for sub, member in found.items()}
    assert roles == {
        "1": "learner", "2": "instructor", "3": "learner", "4": "none", "5": "none", "6": "none",
    }  # fmt: skip
    assert (found["3"].active, found["3"].name, found["3"].email) == (False, "Bo Bee", "")
    world.there.answers["/people"] = {"members": None}
    with pytest.raises(RetryLater):
        nrps.members(service, f"{world.there.url}/people")
