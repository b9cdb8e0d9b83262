"""The frame of `make bench`: which figures are measured, and how they are judged."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import __main__ as bench
from benchmarks import delivery
from benchmarks.figures import Figure, LeftOut
from benchmarks.senders import Peer, pylti1p3_naive


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


def test_an_unknown_name_is_refused(capsys):
    assert bench.main(["cpu_ms_per_lunch"]) == 2
    assert "cpu_ms_per_launch" in capsys.readouterr().err


def test_each_figure_belongs_to_one_module():
    names = [name for module in bench.measuring().values() for name in module.NAMES]
    assert len(names) == len(set(names)) and "kill9_lost" in names


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
