"""The frame of `make bench`: which figures are measured, and how they are judged."""

import json
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import __main__ as bench
from benchmarks import burst, day, delivery, picking, planning, syncing
from benchmarks.figures import Figure, LeftOut, Load
from benchmarks.senders import Peer, pylti1p3_naive

from faults.weather import Weather
from worlds import opened

PROMISED = (
    "platform_requests_per_changed_grade idle_poll_platform_requests platform_limit_share"
    " cpu_ms_per_score plan_seconds_4m_sqlite plan_seconds_4m_postgresql plan_rss_mb"
    " cpu_ms_per_launch jwks_requests_per_1000_launches cpu_ms_per_deep_link four_workers_ratio"
    " slow_tenant_delay_ratio kill9_lost kill9_doubled web_rss_growth_mb"
)
"""The names of the figures, for programs: no others, and none under another name."""


def modules():
    return bench.measuring().values()


def figure(name="small", ours=1.0, target=1.5, *, at_least=False):
    return Figure(name, "ms", ours, target, at_least=at_least)


@pytest.mark.parametrize(
    ("ours", "at_least", "met"),
    [(1.4, False, True), (1.5, False, True), (1.6, False, False),
     (1.4, True, False), (1.5, True, True), (1.6, True, True)],
)  # fmt: skip
def test_a_target_is_at_most_or_at_least(ours, at_least, met):
    shown = figure(ours=ours, at_least=at_least).as_dict()
    assert shown["met"] is met
    assert list(shown) == ["name", "unit", "ours", "target", "floor", "peers", "met"]


def test_what_can_not_be_measured_is_left_out_with_a_reason(capsys):
    def figures():
        yield figure("one")
        yield LeftOut("two", "no PostgreSQL here")
        pytest.skip("no Redis here")

    module = SimpleNamespace(figures=figures)
    found = list(bench.measured(module, {"one", "two", "three"}))
    assert [f.name for f in found] == ["one"]
    said = capsys.readouterr().err
    assert "Left out: two: no PostgreSQL here" in said and "Left out: three: no Redis here" in said


def test_no_more_is_measured_than_was_asked_for():
    def figures():
        yield figure("one")
        yield figure("two")
        raise AssertionError("measured too much")

    found = bench.measured(SimpleNamespace(figures=figures), {"two"})
    assert [f.name for f in found] == ["two"]


def test_programs_find_the_promised_figures_and_no_others_in_their_list():
    names = [name for module in modules() for name in getattr(module, "NAMES", ())]
    assert sorted(names) == sorted(PROMISED.split())


def test_a_load_stands_beside_the_figures_with_its_workload(monkeypatch, capsys):
    def figures():
        yield figure("cpu_ms_per_launch")
        yield Load("burst_refused", "requests", 1, 0, "W7", {"postgresql": 1})
        yield Load("seen", "s", 3, None, "W7")

    names = ("cpu_ms_per_launch", "burst_refused", "seen")
    module = SimpleNamespace(NAMES=names[:1], LOADS={"W7": names[1:]}, figures=figures)
    monkeypatch.setattr(bench, "measuring", lambda: {"launches": module})
    assert bench.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["figures"]] == ["cpu_ms_per_launch"]
    refused, seen = found["workloads"]
    assert refused == {
        "name": "burst_refused", "unit": "requests", "ours": 1, "target": 0, "workload": "W7",
        "peers": {"postgresql": 1}, "met": False,
    }  # fmt: skip
    assert seen["target"] is None and seen["met"] is None
    assert bench.main(["W7"]) == 0
    shown = capsys.readouterr().out
    assert "burst_refused" in shown and "cpu_ms_per_launch" not in shown


def test_each_workload_shows_something_beside_the_figures():
    found = {workload for module in modules() for workload in getattr(module, "LOADS", {})}
    # W3 and W5 are two of the figures.
    assert found == {"W1", "W2", "W4", "W6", "W7", "W8", "W9"}
    figures = {workload for module in modules() for workload in getattr(module, "WORKLOADS", {})}
    assert figures >= {"W3", "W5"}


def test_an_unknown_name_is_refused(capsys):
    assert bench.main(["cpu_ms_per_lunch"]) == 2
    assert "cpu_ms_per_launch" in capsys.readouterr().err


def test_each_figure_belongs_to_one_module():
    names = [x for name, module in bench.measuring().items() for x in bench._words(name, module)]
    assert len(names) == len(set(names)) and {"kill9_lost", "day_lost"} <= set(names)


def test_every_request_of_a_delivery_is_counted(monkeypatch):
    for name, value in {"LEARNERS": 20, "ITEMS": 2, "ONE_IN": 10}.items():
        monkeypatch.setattr(delivery, name, value)
    # Four scores, a reading of each column, and a token for scores and one for readings.
    assert delivery.requests_per_changed_grade() == (4 + 2 + 2) / 4


def test_a_peer_s_requests_are_counted_and_its_time_is_taken():
    peer = Peer(pylti1p3_naive, 2, 2, 1, sends_all=True)
    spent, requests = peer.cost()
    assert requests == 2 and spent > 0
    assert peer.rate(0.05) <= 1 / 0.1


def test_a_small_course_arrives_whole(monkeypatch):
    for module in (delivery, syncing):
        for name, value in {"CLASS": 3, "CLASS_ITEMS": 2, "POLLS": 2}.items():
            monkeypatch.setattr(module, name, value)
    with opened() as world:
        first, poll = syncing.synced(world)
    assert first > 0 and poll > 0


def test_each_share_of_the_grades_is_planned():
    found = planning.in_a_process("sqlite", 100, [0.1])
    assert len(found.others) == 1 and 10 < found.changed < 80 and found.bytes > 50


def test_a_class_that_starts_is_counted(monkeypatch):
    for name, value in {"LEARNERS": 12, "SECONDS": 0.5, "ROUND": 12, "WARM": 4}.items():
        monkeypatch.setattr(burst, name, value)
    with opened() as world, burst.serving(world) as port:
        ours = burst.measured(world, burst.class_of(world), port)
    assert len(ours.minute.logins) == len(ours.minute.launches) == 12
    # The key is new: each of the two processes asks once.
    assert 1 <= ours.key_sets <= 2 and ours.rate > 0 and not ours.minute.refused


def test_a_pick_that_does_not_reach_the_platform_is_no_figure(monkeypatch):
    for name, value in {"COURSES": 70, "PICKS": 10, "WARM": 1}.items():
        monkeypatch.setattr(picking, name, value)
    with opened() as world:
        spent = picking.picked(world)
        assert {step: len(each.walls) for step, each in spent.items()} == dict.fromkeys(
            picking.STEPS, 10
        )
    monkeypatch.setattr(picking, "received", lambda *_: SimpleNamespace(drafts=[]))
    with opened() as world, pytest.raises(AssertionError):
        picking.picked(world)


def test_a_day_ends_with_every_grade_in_its_place(monkeypatch):
    monkeypatch.setattr(day, "CLEAR", 3)
    monkeypatch.setattr(day, "SHARE", 0.3)
    toll = day.day(6)
    assert (toll.lost, toll.doubled) == (0, 0)


def test_a_day_that_loses_or_doubles_a_grade_says_so():
    with opened(kind=Weather) as world:
        day.published(world)
        day.regrade(world, Random(1))
        world.watch.look()
        assert day.judged(world) == (1, 0)
        world.sync()
        assert day.judged(world) == (0, 0)
        scores = world.campus.ledger.scores
        scores.append(scores[-1]._replace(timestamp="2100-01-01T00:00:00.000000+00:00"))
        assert day.judged(world) == (0, 1)
