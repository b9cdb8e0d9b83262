"""SQLite would give the highest number again once its row is gone; a plan at work has it still."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from passport_lti.extensions import db
from passport_lti.models import Cell, Match, Member
from passport_lti.sync import outbox
from passport_lti.sync.people import personal
from passport_lti.sync.poll import planned
from passport_lti.sync.poll.plan import Change
from worlds import World, opened


@pytest.fixture
def world() -> Iterator[World]:
    """The member who came last has a grade in a column of option B."""
    with opened() as world:
        [activity] = world.publish("columns", "granular_auto_columns")
        world.meet(activity)
        world.grade(world.school.learners[-1], "columns", "Averages", 22)
        assert world.sync().ok
        yield world


def elsewhere(world: World, act: Callable[[], object]) -> None:
    """What another process does meanwhile."""

    def done() -> None:
        with world.app.app_context():
            act()
            db.session.remove()

    with ThreadPoolExecutor() as another:
        another.submit(done).result()


def erase(world: World, email: str) -> None:
    personal.erase(personal.find(email), world.services.tool, world.services.clock())


def test_who_comes_after_an_erased_person_gets_none_of_their_grades(world, monkeypatch):
    """One goes and the other comes after a plan has read who is there, before its first cell."""
    [activity] = world.campus.activities(world.school.context)
    last, unmarked = world.school.learners[-1], planned.unmarked
    newcomer = world.campus.add_person("New", "Comer", email="new@school.example")

    def after_that(*place):
        monkeypatch.setattr(planned, "unmarked", unmarked)
        elsewhere(world, lambda: erase(world, last.email))
        world.campus.enrol(world.school.context, newcomer, "learner")
        world.campus.browser(newcomer).launch(activity)
        return unmarked(*place)

    with world.app.app_context():
        assert db.session.scalars(db.select(Member.sub).order_by(Member.id)).all()[-1] == last.id
    monkeypatch.setattr(planned, "unmarked", after_that)
    world.grade(last, "columns", "Averages", 33)
    world.sync()
    assert world.sync().ok
    assert not [cell for cell in world.cells() if cell["member"]["sub"] == newcomer.id]
    assert newcomer.id not in world.book.line_item("Averages").grades


def test_the_id_of_a_match_is_not_given_again(world):
    """Or the mark of what was planned from it would hide what another one brings."""
    with world.app.app_context():
        ids = db.session.scalars(db.select(Match.id).order_by(Match.id)).all()
        values = db.session.execute(
            db.select(Match.__table__).where(Match.id == ids[-1])
        ).one()._asdict()  # fmt: skip
        db.session.execute(db.delete(Match).where(Match.id == ids[-1]))
        again = {name: value for name, value in values.items() if name != "id"}
        made = db.session.execute(db.insert(Match.__table__).values(again))
        assert made.inserted_primary_key[0] > ids[-1]


def test_a_cell_that_has_the_id_of_one_that_is_gone_keeps_its_value(world):
    now = world.services.clock()
    with world.app.app_context():
        cell = db.session.scalars(db.select(Cell)).first()
        pair, wanted = (cell.line_item_fk, cell.member_fk), cell.wanted_given
        known = outbox.known_of([pair])
        gone = pair[0], pair[1] + 1
        change = Change(*gone, wanted + 1, 100.0, True, None, now)
        assert outbox.enqueue([change], {gone: known[pair]}, now, now) == 0
        db.session.expire_all()
        assert cell.wanted_given == wanted
