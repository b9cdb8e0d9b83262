"""Migrations only add, so that the program before them goes on working (docs/decisions, 9)."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.base import AbstractOperations
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateTableOp,
    ExecuteSQLOp,
    MigrateOperation,
)

import passport_lti
from passport_lti.cli.main import series

VERSIONS = sorted((Path(passport_lti.__file__).parent / "migrations" / "versions").glob("*.py"))
Upgrade = Callable[[], None]


def operations(upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch) -> list[MigrateOperation]:
    """What a migration would do, without a database to do it to."""
    found: list[MigrateOperation] = []
    monkeypatch.setattr(AbstractOperations, "invoke", lambda _, operation: found.append(operation))
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    with Operations.context(context):
        upgrade()
    return found


def narrowing(found: list[MigrateOperation]) -> list[str]:
    """Those that the program before could stumble over, by name and table."""
    made = {o.table_name for o in found if isinstance(o, CreateTableOp)}
    return [
        f"{type(o).__name__} {getattr(o, 'table_name', '')}".strip()
        for o in found
        if not _only_adds(o, made)
    ]


def _only_adds(operation: MigrateOperation, made: set[str]) -> bool:
    if isinstance(operation, CreateTableOp) or getattr(operation, "table_name", None) in made:
        return True
    if getattr(operation, "source_table", None) in made:
        return True
    match operation:
        case AddColumnOp(column=column):
            # The program before doesn't know it, and makes rows without it.
            optional = column.nullable or column.server_default is not None
            return bool(optional and not column.foreign_keys and not column.unique)
        case CreateIndexOp():
            return not operation.unique
        case AlterColumnOp():
            changed = {
                "type": operation.modify_type is not None,
                "name": operation.modify_name is not None,
                "strict": operation.modify_nullable is False,
                "lost default": operation.modify_server_default is None,
            }
            return not any(changed.values())
        case ExecuteSQLOp():
            return str(operation.sqltext).split()[0].upper() in ("INSERT", "UPDATE")
    return False


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_every_migration_only_adds_or_begins_a_series(path, monkeypatch):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert path.stem.split("_")[0] == module.revision and len(module.revision) == 4

    found = operations(module.upgrade, monkeypatch)

    assert found
    begins = module.down_revision and series(module.revision) != series(module.down_revision)
    assert begins or narrowing(found) == []


def adds() -> None:
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True), sa.Column("cell_fk"))
    op.create_foreign_key("fk_note_cell", "note", "cell", ["cell_fk"], ["id"])
    op.create_index("uq_note_cell", "note", ["cell_fk"], unique=True)
    op.create_index("ix_cell_state", "cell", ["state"])
    op.execute("UPDATE cell SET attempts = 0")
    with op.batch_alter_table("cell") as batch:
        batch.add_column(sa.Column("note", sa.String(16), nullable=True))
        batch.add_column(sa.Column("size", sa.Integer, nullable=False, server_default="0"))
        batch.alter_column("reason", nullable=True)


def in_batch(change: Callable[..., object]) -> Upgrade:
    def upgrade() -> None:
        with op.batch_alter_table("cell") as batch:
            change(batch)

    return upgrade


NARROWING: dict[str, tuple[Upgrade, str]] = {
    "a dropped column": (lambda: op.drop_column("cell", "reason"), "DropColumnOp cell"),
    "the same in a batch": (in_batch(lambda b: b.drop_column("reason")), "DropColumnOp cell"),
    "a dropped table": (lambda: op.drop_table("match"), "DropTableOp match"),
    "a renamed table": (lambda: op.rename_table("match", "who"), "RenameTableOp match"),
    "a renamed column": (
        in_batch(lambda b: b.alter_column("reason", new_column_name="why")),
        "AlterColumnOp cell",
    ),
    "another type": (
        in_batch(lambda b: b.alter_column("reason", type_=sa.Integer())),
        "AlterColumnOp cell",
    ),
    "no null any more": (
        in_batch(lambda b: b.alter_column("reason", nullable=False)),
        "AlterColumnOp cell",
    ),
    "no default any more": (
        in_batch(lambda b: b.alter_column("reason", server_default=None)),
        "AlterColumnOp cell",
    ),
    "a column that must be filled": (
        lambda: op.add_column("cell", sa.Column("size", sa.Integer, nullable=False)),
        "AddColumnOp cell",
    ),
    "a unique column": (
        lambda: op.add_column("cell", sa.Column("size", sa.Integer, unique=True)),
        "AddColumnOp cell",
    ),
    "rows that must be unique": (
        lambda: op.create_index("uq_cell_state", "cell", ["state"], unique=True),
        "CreateIndexOp cell",
    ),
    "a new constraint": (
        in_batch(lambda b: b.create_check_constraint("state", "state <> ''")),
        "CreateCheckConstraintOp cell",
    ),
    "a lost constraint": (
        in_batch(lambda b: b.drop_constraint("ck_cell_state")),
        "DropConstraintOp cell",
    ),
    "a statement": (lambda: op.execute("ALTER TABLE cell DROP COLUMN reason"), "ExecuteSQLOp"),
    "deleted rows": (lambda: op.execute("DELETE FROM cell"), "ExecuteSQLOp"),
}


def test_what_only_adds_is_let_through(monkeypatch):
    found = operations(adds, monkeypatch)
    assert len(found) == 8 and narrowing(found) == []


@pytest.mark.parametrize("upgrade, named", NARROWING.values(), ids=NARROWING.keys())
def test_what_the_program_before_could_stumble_over_is_named(upgrade, named, monkeypatch):
    assert narrowing(operations(upgrade, monkeypatch)) == [named]
