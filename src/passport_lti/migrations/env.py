"""Alembic's entry: migrate the database of the running Flask app."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


def render_item(type_: str, value: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write our column type by its import, so that migrations stay readable."""
    if type_ == "type" and isinstance(value, Moment):
        autogen_context.imports.add("from passport_lti.models.types import Moment")
        return "Moment()"
    return False


engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
