"""Moodle's quirks 1 to 11, as far as the tool meets them: one test each."""

from urllib.parse import urlsplit

import pytest

from conformance.steps import Calls, amy, asked, bodies, cells, regrade
from passport_lti.extensions import db
from passport_lti.models import Context
from worlds import World


def test_quirk_01_token_answers_say_they_are_html(linked: World, calls: Calls) -> None:
    assert regrade(linked, 50).ok
    tokens = [a for a in calls if "token.php" in str(a.request.url)]
    assert tokens and all(a.headers["Content-Type"].startswith("text/html") for a in tokens)


def test_quirk_02_accept_is_compared_exactly(linked: World, calls: Calls) -> None:
    regrade(linked, 50)
    regrade(linked, 60)
    media = "application/vnd.ims.lis.v2."
    for request in asked(calls, "/services.php"):
        path, sent = urlsplit(str(request.url)).path, request.headers["Accept"]
        if path.endswith("/lineitems"):
            expected = "lineitemcontainer" if request.method == "GET" else "lineitem"
            assert sent == f"{media}{expected}+json"
        elif path.endswith("/results"):
            assert sent == f"{media}resultcontainer+json"
        assert "," not in sent


def test_quirk_03_the_link_header_with_curly_quotes(linked: World) -> None:
    tool, context = linked.tool.deployment_id, linked.school.context.id
    address = f"{linked.campus.url}/mod/lti/services.php/{context}/lineitems"
    link = f"<{address}?type_id={tool}&amp;limit=1&amp;from=1&amp;lti_link_id=1>; rel=“next”"
    header = {"Link": link.encode().decode("latin-1")}
    linked.campus.faults.add("lineitems", headers=header, match="GET")
    assert linked.sync().ok
    queries = [e.query for e in linked.campus.ledger.requests if e.kind == "lineitems"]
    assert f"type_id={tool}&limit=1&from=1&lti_link_id=1" in queries


def test_quirk_04_results_are_asked_without_a_limit(graded: World) -> None:
    regrade(graded, 60)
    results = [e for e in graded.campus.ledger.requests if e.kind == "results"]
    assert results and all("limit" not in e.query and e.status == 200 for e in results)


def test_quirk_05_every_score_is_fully_graded(graded: World) -> None:
    regrade(graded, 60)
    regrade(graded, 0)
    assert bodies(graded)
    assert {body["gradingProgress"] for body in bodies(graded)} == {"FullyGraded"}
    assert all(body["scoreGiven"] is not None for body in bodies(graded))
    assert graded.book["Averages", amy(graded)] == 0


def test_quirk_06_no_comment_is_sent_that_would_have_to_be_repeated(graded: World) -> None:
    regrade(graded, 60)
    assert bodies(graded) and not any("comment" in body for body in bodies(graded))


def test_quirk_07_coupled_columns_keep_the_servers_clock(graded: World) -> None:
    graded.campus.clock_offset = 40
    for percent in (60, 70):
        assert regrade(graded, percent).ok
    assert graded.book["Everyday Statistics", amy(graded)] == pytest.approx(70 * 0.25)
    stamps = [body["timestamp"] for body in bodies(graded)]
    assert all(stamp.endswith("Z") and "." not in stamp for stamp in stamps)


def test_quirk_08_a_repeated_score_is_a_conflict(graded: World) -> None:
    graded.campus.faults.add("scores", drop="after")
    assert regrade(graded, 33).ok
    item = graded.book.line_item("Averages").id
    accepted = [s.given for s in graded.campus.ledger.scores if s.line_item_id == item]
    assert accepted == [33] and graded.book["Averages", amy(graded)] == 33


def test_quirk_09_locked_columns_answer_500(graded: World) -> None:
    graded.campus.lock_column(graded.book.line_item("Averages"))
    regrade(graded, 60)
    [cell] = cells(graded)
    assert (cell["state"], cell["reason"]) == ("rejected", "locked")


def test_quirk_09_an_activity_that_is_being_deleted(graded: World) -> None:
    [activity] = graded.campus.activities(graded.school.context)
    graded.campus.delete_activity(activity, queued=True)
    regrade(graded, 60)
    assert graded.book["Averages", amy(graded)] == 60
    assert {cell["reason"] for cell in cells(graded, "Everyday Statistics")} == {"locked"}


def test_quirk_10_a_502_stops_one_cell_only(graded: World) -> None:
    item = graded.book.line_item("Averages").id
    fault = graded.campus.faults.add("scores", 502, None, match=f"/{item}/lineitem/scores")
    regrade(graded, 60)
    assert [c["reason"] for c in cells(graded)] == ["bad_gateway"] and fault.hits <= 8
    assert graded.book["Everyday Statistics", amy(graded)] == pytest.approx(60 * 0.25)


def test_quirk_11_nobody_off_the_roster_is_scored(graded: World) -> None:
    ben = graded.school.learners[1]
    graded.campus.unenrol(graded.school.context, ben)
    graded.grade(ben, "columns", "Averages", 50)
    with graded.app.app_context():
        db.session.execute(db.update(Context).values(roster_read_at=None))
        db.session.commit()
    regrade(graded, 60)
    assert graded.campus.ledger.count("scores", status=400) == 0
    assert not any(body["userId"] == ben.id for body in bodies(graded))
