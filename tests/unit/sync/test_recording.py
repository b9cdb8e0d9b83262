"""What is noted of the cells of a batch: of each as its claim and its version say."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from fleets import fill
from passport_lti.extensions import db
from passport_lti.models import Cell, CellChange
from passport_lti.sync import outbox
from passport_lti.sync.delivery import claims, recording
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.poll.plan import Change
from worlds import World, opened

STAMP = 1_800_000_000


@pytest.fixture
def world() -> Iterator[World]:
    with opened() as world:
        fill(world, SimpleNamespace(url="http://127.0.0.1:1"), 1, 4)
        with world.app.app_context():
            yield world
            db.session.remove()


@pytest.fixture
def claimed(world: World) -> list[Claimed]:
    """Four cells that hold nothing and should hold 50."""
    column = db.session.scalars(select(Cell.line_item_fk)).first()
    taken = claims.claim(column, "ours", world.services.clock(), limit=9)
    assert sorted((cell.sub, cell.given) for cell in taken) == [(f"{n}", 50.0) for n in range(4)]
    return taken


def want(world: World, cell: Claimed, given: float) -> None:
    now = world.services.clock()
    change = Change(cell.line_item_id, cell.member_id, given, 100.0, True, None, now)
    known = outbox.known_of([(cell.line_item_id, cell.member_id)])
    assert outbox.enqueue([change], known, now, now) == 1
    db.session.commit()


def lose(cell: Claimed) -> None:
    """Another process takes over what was claimed."""
    db.session.execute(update(Cell).where(Cell.id == cell.id).values(claimed_by="theirs"))
    db.session.commit()


def now_of(cell: Claimed) -> Cell:
    return db.session.get_one(Cell, cell.id, populate_existing=True)


def test_only_what_is_wanted_still_and_claimed_still_is_to_be_sent(world, claimed):
    first, newer, lost, last = claimed
    want(world, newer, 60)
    lose(lost)

    assert recording.attempt(claimed, "ours") == [first, last]
    assert [now_of(cell).attempted_given for cell in claimed] == [50.0, None, None, 50.0]


def test_what_arrived_is_recorded_for_each_cell(world, claimed):
    first, newer, lost, last = claimed
    sendable = recording.attempt(claimed, "ours")
    want(world, newer, 60)
    lose(lost)
    before = now_of(lost).claimed_until
    arrivals = [(cell, STAMP + number) for number, cell in enumerate(sendable)]
    recording.delivered(arrivals, "ours", world.services.clock())

    for cell, stamp in ((first, STAMP), (last, STAMP + 3)):
        found = now_of(cell)
        assert (found.state, found.delivered_given, found.sent_stamp) == ("delivered", 50.0, stamp)
        assert (found.due_at, found.attempted_given, found.claimed_by) == (None, None, None)
        assert found.delivered_maximum == 100.0 and found.delivered_completed is True
    found = now_of(newer)
    assert (found.state, found.wanted_given, found.delivered_given) == ("due", 60.0, 50.0)
    assert (found.due_at is None, found.attempted_given, found.claimed_by) == (False, None, None)
    assert found.sent_stamp == STAMP + 1
    found = now_of(lost)
    assert (found.state, found.delivered_given, found.sent_stamp) == ("due", None, 0)
    assert (found.claimed_by, found.claimed_until) == ("theirs", before)
    quiet = select(CellChange.cell_fk).where(CellChange.cause == "overtaken")
    assert db.session.scalars(quiet).all() == [newer.id]


def test_a_stamp_never_goes_back(world, claimed):
    db.session.execute(update(Cell).values(sent_stamp=STAMP, claimed_until=None))
    db.session.commit()
    column = claimed[0].line_item_id
    again = claims.claim(column, "ours", world.services.clock(), limit=9)
    recording.delivered([(cell, 7) for cell in again], "ours", world.services.clock())
    assert {now_of(cell).sent_stamp for cell in again} == {STAMP}


def test_only_what_is_left_is_given_back(world, claimed):
    first, *others = claimed
    recording.delivered([(first, STAMP)], "ours", world.services.clock())
    lose(others[0])
    claims.give_back(others, "ours")
    claims.give_back([], "ours")
    holders = [now_of(cell).claimed_by for cell in claimed]
    assert holders == [None, "theirs", None, None]
