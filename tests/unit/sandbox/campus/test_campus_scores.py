"""Scores and results: the table of Moodle's answers, row by row."""

import pytest


def test_a_score_is_scaled_to_the_column(world):
    assert world.score(scoreGiven=80) == 200
    assert world.value() == 40.0
    assert world.campus.ledger.scores[0].given == 80


@pytest.mark.parametrize(
    ("fields", "status", "value"),
    [
        ({"scoreGiven": "80", "scoreMaximum": "100"}, 200, 40.0),
        ({"scoreGiven": 120}, 200, 50.0),
        ({"scoreGiven": -3}, 200, 0.0),
        ({"scoreGiven": 0}, 200, 0.0),
        ({"scoreGiven": 7, "scoreMaximum": 0}, 200, 7.0),
        ({"scoreGiven": 1, "scoreMaximum": 3}, 200, 16.66667),
        ({"scoreGiven": 5, "scoreMaximum": None}, 400, None),
        ({"scoreGiven": "five"}, 400, None),
        ({"scoreGiven": True}, 400, None),
        ({"scoreGiven": 5, "activityProgress": None}, 400, None),
        ({"scoreGiven": 5, "gradingProgress": None}, 400, None),
        ({"scoreGiven": 5, "timestamp": 1790000000}, 400, None),
        ({"scoreGiven": 5, "timestamp": "1790000000"}, 400, None),
        ({"scoreGiven": 5, "timestamp": "2026-13-01T00:00:00Z"}, 400, None),
        ({"scoreGiven": 5, "timestamp": "2026-01-01T10:00:00.123456+02:00"}, 200, 2.5),
        ({"scoreGiven": 5, "timestamp": "20260101T100000z"}, 200, 2.5),
        ({"scoreGiven": 5, "timestamp": "2026-01-01"}, 200, 2.5),
        ({"scoreGiven": 5, "userId": "999"}, 400, None),
        ({"scoreGiven": 5, "userId": ""}, 400, None),
        ({"scoreGiven": 5, "userId": "amy"}, 502, None),
    ],
)
def test_one_score(world, fields, status, value):
    assert world.score(**fields) == status
    assert world.value() == value
    assert len(world.campus.ledger.scores) == (status == 200)


def test_who_can_be_graded(world):
    assert world.score(userId=world.tara.id, scoreGiven=5) == 400
    world.campus.suspend(world.context, world.amy)
    assert world.score(scoreGiven=5) == 200
    world.campus.unenrol(world.context, world.amy)
    assert world.score(5, scoreGiven=5) == 400


@pytest.mark.parametrize("progress", ["Pending", "PendingManual", "NotReady", "Failed", "garbage"])
def test_everything_but_fully_graded_clears(world, progress):
    world.score(scoreGiven=80, comment="Well done")
    assert world.score(5, scoreGiven=90, gradingProgress=progress) == 200
    assert world.value() is None
    # The time is gone as well: any timestamp will do now.
    assert world.score(-1000, scoreGiven=70) == 200


def test_fully_graded_without_a_score_clears_and_a_comment_must_be_sent_again(world):
    world.score(scoreGiven=80, comment="Well done")
    book = world.campus.gradebook(world.context)
    assert book.cell("Quiz", world.amy).comment == "Well done"
    world.score(5, scoreGiven=80)
    assert book.cell("Quiz", world.amy).comment == ""
    world.score(10)
    assert world.value() is None


def test_a_coupled_column_keeps_the_servers_clock(world):
    assert world.score(-3600, scoreGiven=10) == 200
    # Newer than the first event, but before the first writing: refused.
    assert world.score(-1800, scoreGiven=20) == 409
    assert world.score(-1, scoreGiven=20) == 409
    assert world.score(2, scoreGiven=20) == 200
    assert world.value() == 10.0


def test_newer_moodle_keeps_the_scores_clock_there_too(world):
    world.campus.coupled_clock = "score"
    assert world.score(-3600, scoreGiven=10) == 200
    assert world.score(-1800, scoreGiven=20) == 200
    assert world.score(-1800, scoreGiven=30) == 409


def test_an_uncoupled_column_keeps_the_scores_timestamp(world):
    world.manual_column()
    assert world.score(-3600, "Manual", scoreGiven=10) == 200
    assert world.score(-1800, "Manual", scoreGiven=20) == 200
    assert world.score(-1800, "Manual", scoreGiven=30) == 409
    assert world.score(-2000, "Manual", scoreGiven=30) == 409
    assert world.value("Manual") == 20.0


def test_the_clock_can_be_ahead(world):
    world.campus.clock_offset = 30
    world.score(0, scoreGiven=10)
    assert world.score(20, scoreGiven=20) == 409
    assert world.score(35, scoreGiven=20) == 200


def test_locked_columns_and_cells_answer_500_and_keep_their_values(world):
    item = world.campus.gradebook(world.context).line_item("Quiz")
    world.score(scoreGiven=10)
    world.campus.lock_column(item)
    assert world.score(5, scoreGiven=20) == 500
    world.campus.lock_column(item, False)
    world.campus.lock_grade(item, world.amy)
    assert world.score(5, scoreGiven=20) == 500
    assert world.score(5, userId=world.ben.id, scoreGiven=20) == 200
    assert world.value() == 5.0


def test_deletion(world):
    url = world.line_item_url()
    world.campus.delete_activity(world.quiz, queued=True)
    assert world.client.call("GET", url).status_code == 200
    assert world.score(scoreGiven=20) == 500
    world.campus.run_cron()
    assert world.client.score(url, userId=world.amy.id, scoreGiven=1) == 404


def test_an_override_of_a_coupled_column_stays(world):
    item = world.campus.gradebook(world.context).line_item("Quiz")
    world.campus.override(item, world.amy, 33)
    assert world.score(5, scoreGiven=10) == 200
    assert world.value() == 33
    assert item.grades[world.amy.id].raw == 5
    assert world.client.results(world.line_item_url()).json()[0]["resultScore"] == 33


def test_a_score_overwrites_a_teachers_grade_in_an_uncoupled_column(world):
    world.manual_column()
    item = world.campus.gradebook(world.context).line_item("Manual")
    world.campus.override(item, world.amy, 33)
    assert not item.grades[world.amy.id].overridden
    assert world.score(-60, "Manual", scoreGiven=10) == 409
    assert world.score(5, "Manual", scoreGiven=10) == 200
    assert world.value("Manual") == 10


def test_results(world):
    world.manual_column()
    world.score(scoreGiven=0)
    world.score(userId=world.ben.id, scoreGiven=10, comment="Hm")
    rows = world.client.results(world.line_item_url()).json()
    assert [(r["userId"], r["resultScore"], r["resultMaximum"]) for r in rows] == [
        (world.amy.id, 0.0, 50.0),
        (world.ben.id, 5.0, 50.0),
    ]
    assert rows[1]["comment"] == "Hm"
    only = world.client.results(world.line_item_url(), f"&user_id={world.ben.id}").json()
    assert [row["userId"] for row in only] == [world.ben.id]
    # A cleared cell: gone where coupled, listed without a score where not.
    world.score(5, gradingProgress="Pending")
    world.score(0, "Manual", scoreGiven=1)
    world.score(5, "Manual", gradingProgress="Pending")
    assert [r["userId"] for r in world.client.results(world.line_item_url()).json()] == [
        world.ben.id
    ]
    assert "resultScore" not in world.client.results(world.line_item_url("Manual")).json()[0]


def test_limit_breaks_results_unless_type_id_is_left_out(world):
    world.score(scoreGiven=1)
    answer = world.client.results(world.line_item_url(), "&limit=10")
    assert (answer.status_code, "html" in answer.headers["Content-Type"]) == (404, True)
    path = world.line_item_url().partition("?")[0]
    assert len(world.client.call("GET", f"{path}/results?limit=10").json()) == 1


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"scoreGiven": NaN}', "null"])
def test_bodies_that_are_no_scores(world, body):
    path, _, query = world.line_item_url().partition("?")
    answer = world.client.call(
        "POST",
        f"{path}/scores?{query}",
        data=body,
        content_type="application/vnd.ims.lis.v1.score+json; charset=utf-8",
    )
    assert (answer.status_code, answer.text) == (400, "[]")
    assert answer.reason.startswith("Incorrect score received")
