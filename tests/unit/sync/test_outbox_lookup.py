"""Cells of a large course are found by their index, whatever the database knows of its tables."""

from types import SimpleNamespace

from sqlalchemy import select

from fleets import fill
from passport_lti.extensions import db
from passport_lti.models import Cell
from passport_lti.sync import outbox
from worlds import opened

COLUMNS, CELLS = 20, 2_000


def test_postgresql_does_not_read_a_whole_column_for_some_of_its_cells():
    with opened("postgresql") as world, world.app.app_context():
        fill(world, SimpleNamespace(url="https://campus.example"), 1, CELLS, columns=COLUMNS)
        named = db.session.execute(select(Cell.line_item_fk, Cell.member_fk).limit(50)).all()
        [some] = outbox._named([(line_item, member) for line_item, member in named])
        query = select(Cell.id).where(*some)
        assert len(db.session.scalars(query).all()) == 50
        asked = query.compile(db.engine, compile_kwargs={"render_postcompile": True})
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asked.params.items()
        }
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN {asked}", values)
        lines = [row[0] for row in plan]
        db.session.rollback()
    [condition] = [line for line in lines if "Index Cond" in line]
    assert "line_item_fk" in condition and "member_fk" in condition, lines
    assert not [line for line in lines if "Filter" in line], lines
