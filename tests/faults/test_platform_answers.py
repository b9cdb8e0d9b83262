"""F22 to F34: the platform refuses, is slow, is down, conflicts, or loses its answers."""

import json
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise, product

import pytest

from passport_lti.extensions import db
from passport_lti.models import Platform
from passport_lti.sandbox.serving import serve


def graded(world, percent=90, item="Averages", number=0):
    learner = world.school.learners[number]
    world.grade(learner, "columns", item, percent)
    return learner


def posts(world):
    """How many scores arrived at the campus, whatever became of them."""
    return len(world.campus.ledger.posted)


def calls(world):
    return len(world.campus.ledger.requests)


def averages(world):
    return world.book.line_item("Averages")


# F22, F40: people


def test_f22_a_score_for_somebody_who_has_just_left_is_parked_until_the_roster_says_more(world):
    ben = graded(world, 60, number=1)
    assert world.sync().ok
    world.campus.unenrol(world.school.context, ben)
    graded(world, 61, number=1)
    world.sync()
    before = posts(world)
    refused = world.cell("Averages", ben)
    for _ in range(3):
        world.poll()
        world.deliver()
        world.later(hours=2)

    assert refused[0] in ("rejected", "held") and refused[1] in ("not_gradable", "not_enrolled")
    assert posts(world) == before
    assert world.cell("Averages", ben) == ("held", "not_enrolled")
    world.campus.enrol(world.school.context, ben, "learner")
    world.later(hours=25)
    assert world.sync().ok and world.book["Averages", ben] == 61


def test_f22_a_refusal_that_the_roster_does_not_explain_is_not_repeated_by_each_poll(world):
    amy = graded(world)
    world.campus.faults.add("scores", status=400, times=None)
    assert not world.sync().ok
    before = posts(world)
    for _ in range(4):
        world.later(minutes=70)
        world.poll()
        world.deliver()

    assert posts(world) == before
    assert world.cell("Averages", amy) == ("rejected", "not_gradable")
    world.campus.faults.clear()
    world.later(hours=25)
    world.deliver()
    assert world.book["Averages", amy] == 90


def test_f22_the_first_launch_of_somebody_else_is_no_news_of_who_was_refused(world):
    """It looks at the newcomer's cells alone: a large course has hundreds of thousands."""
    amy = graded(world)
    world.campus.faults.add("scores", status=400, times=None)
    world.sync()
    before, refused = posts(world), world.cell("Averages", amy)
    nora = world.campus.add_person("Nora", "Newcomer")
    world.campus.enrol(world.school.context, nora, "learner")
    [activity] = world.campus.activities(world.school.context)
    world.campus.browser(nora).launch(activity)
    world.deliver()

    assert refused == world.cell("Averages", amy) == ("rejected", "not_gradable")
    assert posts(world) == before
    world.campus.faults.clear()
    world.later(hours=25)
    world.deliver()


def test_f40_a_learner_who_is_suspended_and_comes_back_gets_the_grade(world):
    amy, context = world.school.learners[0], world.school.context
    world.campus.suspend(context, amy)
    graded(world)
    world.later(hours=25)
    world.sync()
    waiting = world.cell("Averages", amy)
    world.campus.suspend(context, amy, active=True)

    assert world.sync().ok
    assert waiting == ("held", "not_enrolled")
    assert world.book["Averages", amy] == 90


def test_f40_a_learner_who_is_unenrolled_in_the_middle_of_a_sync_gets_the_grade_later(world):
    amy, context = world.school.learners[0], world.school.context
    graded(world)

    def leave(method, target, body):
        world.campus.unenrol(context, amy)
        return False

    world.campus.faults.add("results", match=leave)
    world.sync()
    parked = world.cell("Averages", amy)
    world.campus.faults.clear()
    world.later(hours=1, minutes=1)
    world.sync()
    left = world.cell("Averages", amy)
    world.campus.enrol(context, amy, "learner")

    assert parked[0] == "rejected" and left == ("held", "not_enrolled")
    assert world.sync().ok and world.book["Averages", amy] == 90


# F23 to F25, F34: the tool itself is refused


def test_f23_tokens_that_end_in_the_middle_of_a_batch_are_renewed_once(world):
    for number in range(5):
        graded(world, 60 + number, number=number)
    revoked = []

    def revoke(method, target, body):
        if not revoked:
            revoked.append(world.campus.revoke_tokens())
        return False

    world.campus.faults.add("scores", match=revoke)
    before = world.campus.ledger.count("token")

    assert world.sync().ok
    assert world.campus.ledger.count("token") - before <= 2
    assert [world.book["Averages", p] for p in world.school.learners] == [60, 61, 62, 63, 64]


@pytest.mark.parametrize(
    "status, error, reason",
    [
        (400, "invalid_scope", "scope_missing"),
        (400, "invalid_client", "token_refused"),
        (401, "", "token_refused"),
        (500, "", "platform_down"),
        (502, "", "platform_down"),
        (302, "", "platform_down"),
        (200, "", "platform_down"),
    ],
)
def test_f24_a_token_that_is_not_granted_is_named_and_costs_little(
    world, other, status, error, reason
):
    amy = graded(world)
    world.campus.revoke_tokens()
    world.campus.faults.add("token", status=status, times=None, body=json.dumps({"error": error}))
    before = calls(world)

    outcome = world.sync()
    cell = world.cell("Averages", amy)
    neighbours = other.campus.gradebook(other.context)["Averages", other.learners[0]]
    for _ in range(6):
        world.deliver()

    assert not outcome.ok and cell == ("due", reason)
    assert neighbours == 90
    assert calls(world) - before <= 24


def test_f24_a_slow_token_delays_no_other_platform(world, other):
    amy = graded(world)
    world.campus.revoke_tokens()
    world.campus.faults.add("token", times=2, delay=1)

    assert world.sync().ok
    mine = world.campus.ledger.scores[-1].at
    assert other.campus.ledger.scores[-1].at < mine
    assert world.book["Averages", amy] == 90


def test_f25_a_tool_that_was_switched_off_is_asked_once_a_column_and_said(world):
    for number in range(5):
        graded(world, 60 + number, number=number)
    world.campus.faults.add("*", status=403, times=None, match="/services.php/")
    before = calls(world)

    assert not world.sync().ok
    assert world.cell("Averages", world.school.learners[0])[1] == "forbidden"
    assert calls(world) - before <= 6
    world.campus.faults.clear()
    world.later(hours=25)
    world.deliver()
    assert [world.book["Averages", p] for p in world.school.learners] == [60, 61, 62, 63, 64]


def test_f25_a_service_that_was_switched_off_is_named_and_comes_back(world):
    amy = graded(world)
    world.tool.ags = 0
    first = world.sync()
    cell = world.cell("Averages", amy)
    world.tool.ags = 2

    assert not first.ok and cell == ("due", "scope_missing")
    assert world.sync().ok and world.book["Averages", amy] == 90


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_f34_a_redirect_is_refused_and_carries_no_token_away(world, status):
    amy = graded(world)
    seen = []

    def elsewhere(environ, start):
        seen.append(environ.get("HTTP_AUTHORIZATION"))
        start("200 OK", [])
        return [b""]

    with serve(elsewhere) as thief:
        world.campus.faults.add(
            "scores", status=status, times=None, headers={"Location": f"{thief.url}/scores"}
        )
        outcome = world.sync()

    assert not outcome.ok and seen == []
    assert world.cell("Averages", amy) == ("due", "platform_down")
    assert world.book["Averages", amy] == 80


# F26, F27: columns and courses that are gone


def test_f26_a_deleted_column_is_held_once_and_asked_for_no_more(world):
    amy = graded(world)
    world.campus.delete_column(averages(world))

    assert world.sync().ok
    assert world.cell("Averages", amy) == ("held", "column_gone")
    before = calls(world)
    graded(world, 91)
    world.sync()
    touched = {e.path for e in world.campus.ledger.requests[before:] if e.method == "POST"}
    assert "Averages" not in world.book.columns
    assert all("lineitems/" in path or "token" in path for path in touched)


def test_f27_a_course_that_was_deleted_ends_quietly(world):
    amy = graded(world)
    world.campus.delete_context(world.school.context)
    world.sync()
    world.later(hours=25)
    world.sync()
    before = calls(world)
    for _ in range(5):
        world.sync()
        world.later(minutes=5)

    assert calls(world) - before <= 1
    assert world.cell("Averages", amy) == ("held", "column_gone")
    shown = world.json("status")["activities"][0]
    assert "context_gone" in (shown["problem"], shown["roster"])


def test_f27_a_web_page_that_says_404_loses_no_column(world):
    amy = graded(world)
    page = "<!doctype html><title>Upgrading</title>"
    world.campus.faults.add("*", status=404, body=page, times=None, match="/services.php/")
    for _ in range(3):
        world.sync()
        world.later(hours=25)
    waiting = world.cell("Averages", amy)
    world.campus.faults.clear()

    assert waiting[0] == "due"
    assert world.sync().ok and world.book["Averages", amy] == 90


# F28, F29: conflicts


def test_f28_a_conflict_over_a_value_that_stands_is_settled_by_reading(world):
    amy = graded(world)
    item = averages(world)

    def stands(method, target, body):
        """Somebody else wrote the same value in the moment before."""
        if f"/{item.id}/" in target:
            grade = item.grades[amy.id]
            grade.value, grade.time = 90.0, int(world.campus.now()) + 60
        return False

    world.campus.faults.add("scores", match=stands, times=1)

    assert world.sync().ok
    assert world.cell("Averages", amy) == ("delivered", None)
    assert not [s for s in world.campus.ledger.scores if s.given == 90]


def test_f28_a_teacher_who_types_while_we_send_is_not_overwritten(world):
    amy = graded(world)
    item = averages(world)

    def typed(method, target, body):
        if f"/{item.id}/" in target:
            world.campus.override(item, amy, 11)
            item.grades[amy.id].time = int(world.campus.now()) + 1
        return False

    world.campus.faults.add("scores", match=typed, times=1)
    world.sync()
    world.campus.faults.clear()

    assert world.book["Averages", amy] == 11
    assert world.cell("Averages", amy) == ("held", "overridden")


def test_f28_a_column_that_is_a_little_ahead_of_the_clock_is_followed(world):
    amy = graded(world)
    averages(world).grades[amy.id].time = int(world.campus.now()) + 900

    assert world.sync().ok and world.book["Averages", amy] == 90


def test_f28_a_column_that_is_far_ahead_of_the_clock_gets_its_grade_when_that_has_come(world):
    amy = graded(world)
    averages(world).grades[amy.id].time = int(world.campus.now()) + 2 * 86_400

    first = world.sync()
    waiting = world.cell("Averages", amy)
    world.later(days=2, minutes=20)

    assert not first.ok and waiting == ("due", "conflict")
    assert world.sync().ok and world.book["Averages", amy] == 90


@pytest.mark.parametrize("clock", ["server", "score"])
def test_f29_two_updates_in_one_second_arrive_in_order(world, clock):
    amy = graded(world, 10)
    world.campus.coupled_clock = clock
    for percent in (10, 90, 20, 30):
        world.grade(amy, "columns", "Averages", percent)
        assert world.sync().ok
        assert world.book["Averages", amy] == percent


def test_f29_a_storm_of_conflicts_ends(world):
    amy = graded(world)
    world.campus.faults.add("scores", status=409, times=None)
    before = posts(world)

    assert not world.sync().ok
    assert posts(world) - before <= 20
    assert world.cell("Averages", amy) == ("due", "conflict")


# F30: refused for good


@pytest.mark.parametrize("status", [400, 405, 410, 413, 415, 422])
def test_f30_what_is_refused_for_good_is_sent_once_and_shown(world, status):
    amy = graded(world)
    world.campus.faults.add("scores", status=status, times=None)
    before = posts(world)

    assert not world.sync().ok and not world.sync().ok
    assert posts(world) - before == 2  # one for each of two columns
    state, reason = world.cell("Averages", amy)
    assert (state, reason) == ("rejected", "not_gradable")
    world.campus.faults.clear()
    world.later(hours=25)
    world.deliver()
    assert world.book["Averages", amy] == 90


# F31: asked to wait


@pytest.mark.parametrize("wait", ["600", "date", "1e400", "1000000000"])
def test_f31_a_wish_to_wait_is_kept_to_by_everybody(world, other, wait):
    amy = graded(world)
    if wait == "date":
        wait = format_datetime(world.now() + timedelta(seconds=600), usegmt=True)
    world.campus.faults.add("scores", status=429, times=None, headers={"Retry-After": wait})
    first = world.sync()
    before = calls(world)
    for _ in range(4):
        world.sync()
        world.deliver()
        world.later(minutes=2)

    assert not first.ok and calls(world) == before
    assert world.cell("Averages", amy) == ("due", "rate_limited")
    assert other.campus.gradebook(other.context)["Averages", other.learners[0]] == 90
    world.campus.faults.clear()
    world.later(hours=1, minutes=15)
    world.deliver()
    assert world.book["Averages", amy] == 90


@pytest.mark.parametrize("wait", ["1", "-5", "0", "soon", None])
def test_f31_a_short_wish_is_met_in_the_same_sync(world, wait):
    amy = graded(world)
    headers = {} if wait is None else {"Retry-After": wait}
    world.campus.faults.add("scores", status=429, times=2, headers=headers)
    before = posts(world)

    assert world.sync().ok
    assert posts(world) - before <= 6
    assert world.book["Averages", amy] == 90


def test_f31_too_many_requests_without_a_time_stop_the_round(world):
    for number in range(5):
        for item in ("Averages", "Chance", "Case study"):
            graded(world, 60 + number, item, number)
    world.campus.faults.add("scores", status=429, times=None)
    before = posts(world)
    world.poll()
    world.deliver()

    assert posts(world) - before <= 4


# F32, F33: lost answers


LOST = [{"drop": "after"}, {"drop": "after", "status": 500}, {"drop": "after", "status": 502},
        {"drop": "after", "status": 504}, {"drop": "after", "status": 503}]  # fmt: skip


@pytest.mark.parametrize("fault", LOST, ids=str)
@pytest.mark.parametrize("times", [1, 4])
def test_f32_a_score_whose_answer_is_lost_is_not_sent_twice(world, fault, times):
    for number in range(3):
        graded(world, 60 + number, number=number)
    world.campus.faults.add("scores", times=times, **fault)

    assert world.sync().ok or times > 1
    assert world.sync().ok
    assert [world.book["Averages", p] for p in world.school.learners[:3]] == [60, 61, 62]


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 500}, {"status": 504}], ids=str)
def test_f32_a_score_that_was_not_taken_is_sent_again(world, fault):
    amy = graded(world)
    world.campus.faults.add("scores", times=2, **fault)

    world.sync()
    world.later(minutes=15)
    assert world.sync().ok
    assert world.book["Averages", amy] == 90


def test_f32_a_lost_score_is_not_taken_for_a_teachers_grade_later(world):
    ben = graded(world, 30, number=1)
    world.campus.faults.add("scores", drop="after", times=1)
    world.campus.faults.add("results", status=503, times=None, match="user_id")
    world.sync()
    world.campus.faults.clear()
    world.campus.faults.add("scores", status=503, times=None)
    graded(world, 40, number=1)
    world.sync()
    world.campus.faults.clear()

    assert world.sync().ok
    assert world.book["Averages", ben] == 40


def test_f32_tokens_whose_answer_is_lost_are_asked_for_again(world):
    amy = graded(world)
    world.campus.revoke_tokens()
    world.campus.faults.add("token", drop="after", times=2)

    world.sync()
    assert world.sync().ok and world.book["Averages", amy] == 90


HTML = "<!doctype html><title>Log in to the site</title>"


BODIES = (HTML, '{"error": "maintenance"}', "[]")
KINDS = ("scores", "results", "token", "lineitems", "members")
ANSWERS = {("scores", "[]"), ("results", "[]"), ("lineitems", "[]")}
"""An empty list is one that these could give."""


@pytest.mark.parametrize(
    "kind, body", [pair for pair in product(KINDS, BODIES) if pair not in ANSWERS]
)
def test_f33_a_page_in_the_place_of_an_answer_is_no_success(world, kind, body):
    amy = graded(world)
    world.coursera.add_item(world.school.courses["columns"], "Bonus", weight=10)
    graded(world, 50, "Bonus")
    world.later(hours=25)
    world.campus.revoke_tokens()
    world.campus.faults.add(kind, status=200, body=body, times=None)

    first = world.sync()
    values = (world.book["Averages", amy], world.cell("Averages", amy)[0])
    world.campus.faults.clear()

    assert not first.ok
    assert values == ((90, "delivered") if kind in ("lineitems", "members") else (80, "due"))
    assert world.sync().ok and world.book["Bonus", amy] == 50


# a platform that is down: the circuit


def everything(world, percent):
    for number in range(5):
        for item in ("Averages", "Chance", "Case study"):
            graded(world, percent + number, item, number)


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 502}, {"status": 500},
                                   {"drop": "before"}], ids=str)  # fmt: skip
def test_f31_after_six_hours_each_cell_gets_its_newest_value_only(world, fault):
    everything(world, 10)
    assert world.sync().ok
    sent, before = len(world.campus.ledger.scores), calls(world)
    world.campus.faults.add("*", times=None, **fault)
    for minute in range(0, 360, 10):
        everything(world, 10 + minute / 10)
        world.poll()
        for _ in range(4):
            world.deliver()
            world.later(minutes=2.5)
    down = calls(world) - before
    states = {world.cell("Averages", p) for p in world.school.learners}
    world.campus.faults.clear()
    world.later(hours=1, minutes=15)
    for _ in range(3):
        world.deliver()
        world.later(minutes=1)

    assert {state for state, _ in states} == {"due"}
    assert down < 150
    news = world.campus.ledger.scores[sent:]
    assert len(news) == len({(s.line_item_id, s.user_id) for s in news}) == 20
    assert [world.book["Averages", p] for p in world.school.learners] == [45, 46, 47, 48, 49]


def test_f31_after_four_days_nobody_has_to_do_anything(world):
    """A delivery is never given up: about an hour after each try the platform is asked again."""
    everything(world, 10)
    before = calls(world)
    world.campus.faults.add("*", times=None, status=503)
    world.poll()
    for _ in range(4 * 24):
        world.deliver()
        world.later(hours=1)
    tries = calls(world) - before
    states = {world.cell("Averages", person) for person in world.school.learners}
    world.campus.faults.clear()
    world.later(hours=1, minutes=15)
    for _ in range(3):
        world.deliver()
        world.later(minutes=1)

    assert states == {("due", "platform_down")} and tries > 60
    assert [world.book["Averages", p] for p in world.school.learners] == [10, 11, 12, 13, 14]


def test_f31_a_platform_that_may_be_back_is_probed_by_one_call_at_a_time(world):
    everything(world, 10)
    world.campus.faults.add("*", status=503, times=None)
    world.poll()
    world.deliver()
    world.later(hours=3)
    before = calls(world)
    world.deliver()
    probes = calls(world) - before
    world.campus.faults.clear()
    world.later(hours=3)
    world.deliver()

    assert probes == 1
    assert [world.book["Chance", p] for p in world.school.learners] == [10, 11, 12, 13, 14]


def test_f31_polls_ask_nothing_of_a_platform_that_is_paused(world):
    world.coursera.add_item(world.school.courses["columns"], "Bonus", weight=10)
    amy = graded(world, 50, "Bonus")
    world.campus.faults.add("*", status=503, times=None, headers={"Retry-After": "3000"})
    world.poll()
    before = calls(world)
    for percent in range(60, 80):
        graded(world, percent, "Bonus")
        world.poll()
    asked = calls(world) - before
    world.campus.faults.clear()
    world.later(hours=1)
    world.poll()
    world.deliver()

    assert asked == 0
    assert world.book["Bonus", amy] == 79


@pytest.mark.parametrize("status", [500, 502, 504])
def test_f32_a_column_that_cannot_be_read_is_tried_for_days_and_stops_no_other(world, status):
    amy, item = graded(world), averages(world)
    world.campus.faults.add("results", status=status, times=None, match=f"/{item.id}/")
    for hour in range(80):
        if hour == 20:
            graded(world, 70, "Chance")
        world.poll()
        world.deliver()
        world.later(hours=1)
    waiting = world.cell("Averages", amy)
    world.campus.faults.clear()
    world.later(hours=1, minutes=15)
    world.deliver()

    assert waiting == ("due", {502: "bad_gateway"}.get(status, "platform_down"))
    assert (world.book["Chance", amy], world.book["Averages", amy]) == (70, 90)


def test_f31_pauses_grow_and_differ(world):
    everything(world, 10)
    world.campus.faults.add("*", status=503, times=None)
    world.poll()
    pauses = []
    for _ in range(9):
        world.deliver()
        with world.app.app_context():
            platform = db.session.query(Platform).one()
            assert platform.paused_until and platform.paused_reason == "platform_down"
            wait = (platform.paused_until - world.now()).total_seconds()
            db.session.remove()
        pauses.append(wait)
        world.later(seconds=wait + 1)

    assert pauses[0] < 10 and 1000 < pauses[-1] < 5000
    assert all(later > before / 2 for before, later in pairwise(pauses))


def test_f31_delivery_is_tried_for_three_days_and_longer_without_a_person(world):
    amy = graded(world)
    world.campus.faults.add("*", status=503, times=None)
    world.poll()
    tries = []
    for _ in range(80):
        before = calls(world)
        world.deliver()
        tries.append(calls(world) - before)
        assert world.cell("Averages", amy) == ("due", "platform_down")
        world.later(hours=1)
    world.campus.faults.clear()
    world.later(hours=1, minutes=15)
    world.deliver()

    assert sum(map(bool, tries[-24:])) >= 12
    assert world.book["Averages", amy] == 90


@pytest.mark.parametrize("status", [500, 502])
def test_f32_one_cell_that_the_platform_fails_on_stops_no_other(world, status):
    for number in range(5):
        graded(world, 60 + number, number=number)
    ben = world.school.learners[1]
    mark = f'"userId": "{ben.id}"'.encode()
    world.campus.faults.add(
        "scores", status=status, times=None, match=lambda method, target, body: mark in body
    )
    for _ in range(6):
        world.sync()
        world.later(minutes=1)

    assert [world.book["Averages", p] for p in world.school.learners] == [60, None, 62, 63, 64]
    state, reason = world.cell("Averages", ben)
    assert (state, reason) == ("rejected", {500: "locked", 502: "bad_gateway"}[status])
    world.campus.faults.clear()
    world.later(hours=25)
    world.deliver()
    assert world.book["Averages", ben] == 61


def test_f36_columns_that_are_all_locked_are_said_to_be_locked(world):
    for number in range(5):
        for item in ("Averages", "Chance", "Case study"):
            graded(world, 60 + number, item, number)
    for column in world.book.line_items:
        world.campus.lock_column(column)
    for _ in range(4):
        world.sync()
        world.later(minutes=5)

    labels = ("Averages", "Chance", "Case study")
    cells = {world.cell(label, p) for label in labels for p in world.school.learners}
    assert cells == {("rejected", "locked")}
    for column in world.book.line_items:
        world.campus.lock_column(column, locked=False)


def test_f36_a_locked_column_costs_a_handful_of_calls(world):
    crowd = []
    for number in range(30):
        person = world.campus.add_person("Zoe", f"Z{number}")
        world.campus.enrol(world.school.context, person, "learner")
        account = world.coursera.add_person(person.email, person.email, person.name)
        world.coursera.grade(account, world.school.courses["columns"], "Chance", number)
        crowd.append(person)
    world.campus.lock_column(world.book.line_item("Chance"))
    world.later(hours=25)
    before = posts(world)
    world.sync()
    chance = world.book.line_item("Chance").id
    vain = [p for p in world.campus.ledger.posted[before:] if p.line_item_id == chance]

    assert len(vain) <= 20
    assert {world.cell("Chance", p) for p in crowd} == {("rejected", "locked")}
    world.campus.lock_column(world.book.line_item("Chance"), locked=False)
    for _ in range(4):
        world.later(hours=25)
        world.deliver()
    assert [world.book["Chance", p] for p in crowd] == list(range(30))
