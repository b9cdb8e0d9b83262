"""The migrations make exactly the tables that the models describe, on an empty database."""

import sqlite3
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import create_engine

from passport_lti.cli.main import cli
from passport_lti.extensions import Base

CONFIG = """\
tool: {{base_url: "https://tool.example.edu", secret_key: 0123456789abcdef-0123456789abcdef}}
database: {{url: "sqlite:///{file}"}}
cache: {{type: NullCache}}
coursera: {{main: {{org_id: y0TO1t4fEe2bIBLACu-NKQ, api_key: key, api_secret: secret}}}}
"""


def upgraded(folder: Path) -> Path:
    """A database file that `db upgrade` has made."""
    config, file = folder / "passport.yaml", folder / "migrated.db"
    config.write_text(CONFIG.format(file=file))
    answer = CliRunner().invoke(cli, ["--config", str(config), "db", "upgrade"])
    assert answer.exit_code == 0, answer.output
    return file


def indexes(file: Path) -> dict[str, str]:
    """Every named index and what it is on, without regard to layout."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_every_index_of_the_models_is_in_the_migrations(tmp_path: Path) -> None:
    file = tmp_path / "described.db"
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    engine.dispose()
    described = indexes(file)
    assert described["uq_signing_key_one_active"]
    assert indexes(upgraded(tmp_path)) == described


def test_a_newer_database_of_the_same_series_is_used_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(upgraded(tmp_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    config = str(tmp_path / "passport.yaml")
    answer = CliRunner().invoke(cli, ["--config", config, "db", "upgrade"])
    assert answer.exit_code == 0, answer.output
    with sqlite3.connect(tmp_path / "migrated.db") as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("0999",)]


def test_a_database_of_a_later_series_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(upgraded(tmp_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    answer = CliRunner().invoke(cli, ["--config", str(tmp_path / "passport.yaml"), "db", "upgrade"])
    assert answer.exit_code == 1
    assert answer.stderr == (
        "Error: The database belongs to a newer version of Passport LTI (9999). "
        "Install that version, or go back to a copy of the database.\n"
    )
