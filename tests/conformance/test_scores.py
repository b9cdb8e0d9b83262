"""S67 to S69: scores that are refused, columns that change or vanish."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from worlds import World


def averages(world: World) -> dict[str, Any]:
    [cell] = [c for c in world.cells() if c["column"]["label"] == "Averages"]
    return cell


def regrade(world: World, percent: float) -> Any:
    world.grade(world.school.learners[0], "columns", "Averages", percent)
    return world.sync()


def book(world: World) -> float | None:
    return world.book["Averages", world.school.learners[0]]


def only(world: World) -> str:
    """A piece of the addresses of the column "Averages" only."""
    return f"/lineitems/{world.book.line_item('Averages').id}/lineitem/scores"


def test_s67_the_query_stays_behind_the_path(graded: World) -> None:
    assert regrade(graded, 81).ok
    scores = [e for e in graded.campus.ledger.requests if e.kind == "scores"]
    assert scores and all(e.path.endswith("/lineitem/scores") for e in scores)
    assert {e.query for e in scores} == {f"type_id={graded.tool.deployment_id}"}


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (400, "rejected", "not_gradable"),
        (403, "rejected", "forbidden"),
        (404, "due", "platform_down"),  # the list of columns still has it
        (500, "rejected", "locked"),
        (502, "due", "bad_gateway"),
        (503, "due", "platform_down"),
        (429, "due", "rate_limited"),
    ],
)
def test_s68_refused_scores(graded: World, status: int, state: str, reason: str) -> None:
    fault = graded.campus.faults.add("scores", status, None, match=only(graded))
    regrade(graded, 70)
    cell = averages(graded)
    assert (cell["state"], cell["reason"]) == (state, reason)
    assert cell["wanted"]["given"] == 70 and cell["delivered"]["given"] == 80
    # One sync tries short waits out, and looks before it repeats a score: no flood.
    assert fault.hits <= 8 and book(graded) == 80


def test_s68_a_column_that_was_deleted_is_held(graded: World) -> None:
    graded.campus.delete_column(graded.book.line_item("Averages"))
    regrade(graded, 70)
    cell = averages(graded)
    assert (cell["state"], cell["reason"]) == ("held", "column_gone")
    assert cell["wanted"]["given"] == 70


def test_s68_a_conflict_is_settled_by_reading(graded: World) -> None:
    fault = graded.campus.faults.add("scores", 409, match=only(graded))
    assert regrade(graded, 71).ok
    assert fault.hits == 1 and book(graded) == 71


def test_s68_an_eternal_conflict_ends(graded: World) -> None:
    fault = graded.campus.faults.add("scores", 409, None, match=only(graded))
    assert not regrade(graded, 72).ok
    assert fault.hits <= 3 and book(graded) == 80


def test_s69_syncs_side_by_side_make_each_column_once(linked: World) -> None:
    linked.grade(linked.school.learners[0], "columns", "Averages", 50)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: linked.sync(), range(3)))
    linked.sync()
    assert sorted(linked.book.columns) == [
        "Averages", "Case study", "Chance", "Everyday Statistics",
    ]  # fmt: skip
    item = linked.book.line_item("Averages").id
    sent = [score.given for score in linked.campus.ledger.scores if score.line_item_id == item]
    assert sent == [50]


def test_s69_a_column_that_a_teacher_deleted_stays_deleted(graded: World) -> None:
    graded.campus.delete_column(graded.book.line_item("Averages"))
    for percent in (60, 61):
        regrade(graded, percent)
    assert "Averages" not in graded.book.columns
    assert (averages(graded)["state"], averages(graded)["reason"]) == ("held", "column_gone")


def test_s69_a_maximum_that_a_teacher_changed(graded: World) -> None:
    graded.campus.set_maximum(graded.book.line_item("Averages"), 50)
    assert regrade(graded, 90).ok
    assert book(graded) == 45


def test_s69_a_column_of_somebody_else_is_never_touched(graded: World) -> None:
    campus, context = graded.campus, graded.school.context
    mine = campus.add_line_item(context, graded.tool, "Exam", 30.0, resource_id="exam-1")
    graded.coursera.remove_item(graded.school.courses["columns"], "Chance")
    assert regrade(graded, 55).ok
    assert graded.book.line_item(mine).label == "Exam" and mine.maximum == 30
    assert "Chance" in graded.book.columns
    assert campus.ledger.count("lineitem", "DELETE") == 0


def test_s68_a_score_must_be_newer_by_the_clock_that_wrote_the_last_one(graded: World) -> None:
    """That clock was ahead, and no answer's Date says so: set right since, or another server's."""
    grade = graded.book.line_item("Averages").grades[graded.school.learners[0].id]
    grade.time += 300
    # The first answer is lost: what is sent again must be newer too.
    graded.campus.faults.add("scores", drop="before", match=only(graded))
    assert regrade(graded, 73).ok
    assert book(graded) == 73 and averages(graded)["state"] == "delivered"


def test_s68_a_teacher_who_was_faster_than_the_score_is_not_overwritten(graded: World) -> None:
    item, amy = graded.book.line_item("Averages"), graded.school.learners[0]

    def typed_meanwhile(method: str, target: str, _: bytes) -> bool:
        if only(graded) not in f"{method} {target}":
            return False
        graded.campus.override(item, amy, 12)
        return True

    graded.campus.faults.add("scores", 409, match=typed_meanwhile)
    assert regrade(graded, 74).ok
    assert book(graded) == 12
    assert (averages(graded)["state"], averages(graded)["reason"]) == ("held", "overridden")
