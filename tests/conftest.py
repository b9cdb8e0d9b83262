"""What tests of every kind share: an application with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from passport_lti.extensions import cache, db


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Flask]:
    """Empty tables in a SQLite file and a cache in memory, inside an application context."""
    app = Flask("tests", root_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/tests.db"
    app.config["CACHE_TYPE"] = "SimpleCache"
    db.init_app(app)
    cache.init_app(app)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()
