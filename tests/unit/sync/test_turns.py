"""Two who change many cells of PostgreSQL at once never wait for each other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import ColumnElement, func, select, text, update

from faults.processes import wait_for
from fleets import fill
from passport_lti.extensions import db
from passport_lti.models import Cell, LineItem
from passport_lti.sync import history, holds, outbox
from passport_lti.sync.delivery import claims, recording
from passport_lti.sync.delivery.claims import Claimed
from passport_lti.sync.poll.plan import Change
from worlds import World, opened

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def world() -> Iterator[World]:
    with opened("postgresql") as world:
        fill(world, SimpleNamespace(url="http://127.0.0.1:1"), 1, 4)
        with world.app.app_context():
            yield world
            db.session.remove()


def attempt(world: World, cells: list[Claimed]) -> int:
    return len(recording.attempt(cells, "ours"))


def deliver(world: World, cells: list[Claimed]) -> int:
    recording.delivered([(cell, 1) for cell in cells], "ours", world.services.clock())
    return len(cells)


def renew(world: World, cells: list[Claimed]) -> int:
    claims.renew("ours", [cell.id for cell in cells], world.services.clock())
    return len(cells)


def give_back(world: World, cells: list[Claimed]) -> int:
    claims.give_back(cells, "ours")
    return len(cells)


def plan(world: World, cells: list[Claimed]) -> int:
    now = world.services.clock()
    known = outbox.known_of([(cell.line_item_id, cell.member_id) for cell in cells])
    changes = [Change(*pair, 60.0, 100.0, True, None, now) for pair in known]
    stored = outbox.enqueue(changes[::-1], known, now, now)
    db.session.commit()
    return stored


def hold(world: World, cells: list[Claimed]) -> int:
    holds.hold_column(cells[0].line_item_id, world.services.clock())
    return changed(Cell.reason == "column_gone")


def leave(world: World, cells: list[Claimed]) -> int:
    """Nobody of them is in the context."""
    column = db.session.get_one(LineItem, cells[0].line_item_id)
    holds.follow_roster(column.context_fk, world.services.clock())
    return changed(Cell.reason == "not_enrolled")


def hurry(world: World, cells: list[Claimed]) -> int:
    earlier = world.services.clock() - timedelta(days=1)
    outbox.hurry([cells[0].line_item_id], earlier)
    return changed(Cell.due_at == earlier)


def changed(condition: ColumnElement[bool]) -> int:
    db.session.commit()
    return db.session.scalar(select(func.count()).select_from(Cell).where(condition)) or 0


@pytest.mark.parametrize("act", [attempt, deliver, renew, give_back, plan, hold, leave, hurry])
def test_cells_are_changed_in_turn(world, act: Callable[[World, list[Claimed]], int]):
    """The first cell is somebody else's for now, who goes on to the last one."""
    # By the members, as PostgreSQL finds the cells of a column, they would be taken backwards.
    db.session.execute(update(Cell).values(id=1_000 - Cell.id))
    column = db.session.scalars(select(Cell.line_item_fk)).first()
    cells = claims.claim(column, "ours", world.services.clock(), limit=9)
    cells.sort(key=lambda cell: -cell.id)
    theirs = update(Cell).values(attempts=1)
    db.session.execute(theirs.where(Cell.id == cells[-1].id))

    def acting() -> int:
        with world.app.app_context():
            try:
                return act(world, cells)
            finally:
                db.session.remove()

    with ThreadPoolExecutor() as another:
        job = another.submit(acting)
        assert wait_for(lambda: db.session.scalar(WAITING), 5)
        db.session.execute(theirs.where(Cell.id == cells[0].id))
        db.session.commit()
        assert job.result() == 4


def test_a_cell_that_gets_another_column_is_not_held_up_by_its_history(world):
    """Somebody records an outcome: a row of the history first, then the cell itself."""
    [cell, *_] = db.session.scalars(select(Cell)).all()
    other = LineItem(
        context_fk=db.session.get_one(LineItem, cell.line_item_fk).context_fk, url="other",
        resource_id="other", owner="tool", maximum=100, wanted_maximum=100,
        created_at=world.services.clock(),
    )  # fmt: skip
    db.session.add(other)
    db.session.commit()
    id, target, now = cell.id, other.id, world.services.clock()
    theirs = Cell.id == id
    history.keep("waiting", now, theirs)

    def moving() -> None:
        with world.app.app_context():
            outbox.change("merged", now, Cell.id == id, line_item_fk=target)
            db.session.commit()

    with ThreadPoolExecutor() as another:
        job = another.submit(moving)
        assert wait_for(lambda: db.session.scalar(WAITING), 5)
        db.session.execute(update(Cell).where(theirs).values(attempts=1))
        db.session.commit()
        job.result()
    assert db.session.scalar(select(Cell.line_item_fk).where(theirs)) == target
