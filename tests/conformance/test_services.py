"""N38 to N42, A43 and S64 to S66: rosters, columns, tokens and pages."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import Context
from passport_lti.sandbox.campus.claims import memberships_url
from passport_lti.sandbox.campus.tokens import MEMBERS_READ, SCORE, permitted
from worlds import World

Calls = Sequence[requests.Response]


def asked(calls: Calls, kind: str, method: str = "GET") -> list[Any]:
    """The requests whose path ends with `kind`."""
    return [
        answer.request
        for answer in calls
        if urlsplit(answer.request.url).path.endswith(kind) and answer.request.method == method
    ]


def granted(calls: Calls) -> dict[str, str]:
    """What each token was asked for."""
    return {
        answer.json()["access_token"]: parse_qs(answer.request.body)["scope"][0]
        for answer in calls
        if urlsplit(answer.request.url).path.endswith("token.php") and answer.status_code == 200
    }


def averages(world: World) -> dict[str, Any]:
    [cell] = [c for c in world.cells() if c["column"]["label"] == "Averages"]
    return cell


def regrade(world: World, percent: float) -> None:
    world.grade(world.school.learners[0], "columns", "Averages", percent)


def test_n38_the_launch_brings_the_roster(linked: World) -> None:
    with linked.app.app_context():
        context = db.session.scalars(db.select(Context)).one()
        expected = memberships_url(linked.campus, linked.school.context, linked.tool)
        assert context.memberships_url == expected


def test_n39_the_roster_is_asked_for(linked: World) -> None:
    linked.sync()
    assert linked.campus.ledger.count("members", "GET", 200) == 1


def test_n40_accept_of_the_roster(linked: World, calls: list[requests.Response]) -> None:
    linked.sync()
    [request] = asked(calls, "/memberships")
    media = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
    assert request.headers["Accept"] == media


def test_n41_bearer_token_of_the_roster(linked: World, calls: list[requests.Response]) -> None:
    linked.sync()
    [request] = asked(calls, "/memberships")
    scheme, _, token = request.headers["Authorization"].partition(" ")
    assert scheme == "Bearer" and token in granted(calls)


def test_n42_scope_of_the_roster(linked: World, calls: list[requests.Response]) -> None:
    linked.sync()
    [request] = asked(calls, "/memberships")
    token = request.headers["Authorization"].partition(" ")[2]
    assert granted(calls)[token] == MEMBERS_READ


def test_a43_columns_scores_and_results(linked: World) -> None:
    regrade(linked, 70)
    linked.sync()
    ledger, amy = linked.campus.ledger, linked.school.learners[0]
    assert ledger.count("lineitems", "GET", 200) and ledger.count("lineitems", "POST", 201) == 3
    assert linked.book.columns == ["Everyday Statistics", "Averages", "Chance", "Case study"]
    assert ledger.count("scores", "POST", 200) == 2 and linked.book["Averages", amy] == 70
    linked.campus.override(linked.book.line_item("Averages"), amy, 95)
    regrade(linked, 75)
    linked.sync()
    assert ledger.count("results", "GET", 200) >= 1 and averages(linked)["reason"] == "overridden"


def test_a43_the_client_assertion(linked: World, calls: list[requests.Response]) -> None:
    linked.sync()
    seen = set()
    for request in asked(calls, "token.php", "POST"):
        form = {name: values[0] for name, values in parse_qs(request.body).items()}
        assert form["grant_type"] == "client_credentials"
        claims = jwt.decode(form["client_assertion"], options={"verify_signature": False})
        header = jwt.get_unverified_header(form["client_assertion"])
        assert header["alg"] == "RS256" and header["kid"]
        assert claims["iss"] == claims["sub"] == linked.tool.client_id
        assert claims["aud"] == linked.tool.auth_token_url
        assert 0 < claims["exp"] - claims["iat"] <= 120
        seen.add(claims["jti"])
    assert len(seen) == len(asked(calls, "token.php", "POST")) > 0


def a_token(world: World, **changes: Any) -> str:
    """A token answer with other values; None leaves one out."""
    tool, campus = world.tool, world.campus
    document = {
        "access_token": campus.access_tokens.issue(tool, permitted(tool), campus.now()),
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": " ".join(permitted(tool)),
        **changes,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"token_type": "bearer"},
        {"token_type": "BEARER"},
        {"expires_in": None},
        {"expires_in": "3600"},
        {"scope": None},
    ],
    ids=repr,
)
def test_s64_odd_token_answers_that_are_good(linked: World, changes: dict[str, Any]) -> None:
    linked.campus.faults.add("token", 200, times=None, body=a_token(linked, **changes))
    regrade(linked, 60)
    assert linked.sync().ok
    assert linked.book["Averages", linked.school.learners[0]] == 60


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, '{"error":"invalid_scope"}', "scope_missing"),
        (400, '{"error":"invalid_client"}', "token_refused"),
        (401, "<h1>No</h1>", "token_refused"),
        (200, "<html>Log in</html>", "platform_down"),
        (200, '{"access_token": ""}', "platform_down"),
        (200, '{"access_token": "a\\r\\nX: y"}', "platform_down"),
        (503, "", "platform_down"),
        (429, "", "rate_limited"),
    ],
)
def test_s64_no_token(graded: World, status: int, body: str, reason: str) -> None:
    graded.campus.revoke_tokens()
    graded.campus.faults.add("token", status, None, {"Retry-After": "30"}, body)
    regrade(graded, 61)
    assert not graded.sync().ok
    assert averages(graded)["reason"] == reason
    graded.campus.ledger.clear()
    graded.sync()
    # While a wait is on, no score knocks; the roster may, once.
    assert graded.campus.ledger.count("token") <= (1 if status in (429, 503) else 4)


def test_s64_fewer_scopes_than_asked_for(graded: World) -> None:
    graded.campus.revoke_tokens()
    fewer = " ".join(scope for scope in permitted(graded.tool) if scope != SCORE)
    graded.campus.faults.add("token", 200, None, {}, a_token(graded, scope=fewer))
    regrade(graded, 61)
    assert not graded.sync().ok
    assert averages(graded)["reason"] == "scope_missing"


def test_s65_an_old_token_is_renewed_once(graded: World) -> None:
    graded.campus.revoke_tokens()
    regrade(graded, 62)
    assert graded.sync().ok
    ledger = graded.campus.ledger
    assert graded.book["Averages", graded.school.learners[0]] == 62
    # One for each scope: results, scores and the roster.
    assert 1 <= ledger.count("token") <= 3 and ledger.count("scores", status=200) == 2


def test_s65_a_second_401_ends_it(graded: World) -> None:
    fault = graded.campus.faults.add("scores", 401, times=None)
    regrade(graded, 62)
    assert not graded.sync().ok
    assert averages(graded)["reason"] == "token_refused" and fault.hits <= 4


def test_s66_a_roster_on_many_pages(world: World) -> None:
    world.campus.page_size = 2
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    for learner in world.school.learners:
        world.grade(learner, "columns", "Averages", 50)
    assert world.sync().ok
    assert [world.book["Averages", learner] for learner in world.school.learners] == [50] * 5
    assert world.campus.ledger.count("members") == 3


NEXT = "{url}/mod/lti/services.php/{context}/lineitems?type_id={tool}&page=2"


@pytest.mark.parametrize(
    "link",
    [
        f'<{NEXT}>; rel="next"',
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>; title="a, b"; rel="next"',
        '</mod/lti/services.php/{context}/lineitems?type_id={tool}&page=2>; rel="next"',
        '<?type_id={tool}&page=2>; rel="next"',
        f'<{NEXT.replace("page=2", "page=1")}>; rel="prev", <{NEXT}>; rel="next"',
        f"<{NEXT.replace('&', '&amp;')}>; rel=“next”",
    ],
)
def test_s66_the_next_page_is_found(linked: World, link: str) -> None:
    header = link.format(
        url=linked.campus.url, context=linked.school.context.id, tool=linked.tool.deployment_id
    )
    linked.campus.faults.add(
        "lineitems", headers={"Link": header.encode().decode("latin-1")}, match="GET"
    )
    assert linked.sync().ok
    asked_for = [e.query for e in linked.campus.ledger.requests if e.kind == "lineitems"]
    assert f"type_id={linked.tool.deployment_id}&page=2" in asked_for
    assert linked.book.columns.count("Averages") == 1


@pytest.mark.parametrize(
    "link",
    [
        '<http://127.0.0.1:9/x>; rel="next"',
        '<https://evil.example/>; rel="next"',
        f"<{NEXT}>; rel=next",
    ],
    ids=["port", "host", "circle"],
)
def test_s66_other_hosts_and_circles_make_no_list(linked: World, link: str) -> None:
    header = link.format(
        url=linked.campus.url, context=linked.school.context.id, tool=linked.tool.deployment_id
    )
    fault = linked.campus.faults.add("lineitems", times=None, headers={"Link": header}, match="GET")
    linked.sync()
    # Half a list is no list: nothing may be made that might stand on the other half.
    assert linked.campus.ledger.count("lineitems", "POST") == 0
    assert fault.hits <= 4
    linked.campus.faults.clear()
    assert linked.sync().ok and linked.book.columns.count("Averages") == 1
