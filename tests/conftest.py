"""What tests of every kind share: an application with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import databases
from passport_lti.extensions import cache, db


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=databases.KINDS, default="sqlite", help="what the tests run on"
    )


def pytest_configure(config: pytest.Config) -> None:
    databases.kind = config.getoption("--database")


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """The address of a database of its own, without tables."""
    with databases.empty(tmp_path) as url:
        yield url


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Flask]:
    """Empty tables and a cache in memory, inside an application context."""
    app = Flask("tests", root_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["CACHE_TYPE"] = "SimpleCache"
    db.init_app(app)
    cache.init_app(app)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()
