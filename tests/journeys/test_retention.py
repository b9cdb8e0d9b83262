"""The launch log ends, but never while a message of it could pass once more."""

from datetime import timedelta
from typing import Any

from passport_lti.config.settings import Retention
from passport_lti.extensions import db
from passport_lti.models import LaunchLog
from passport_lti.scheduler import Clock


def tidied(world: Any, **ahead: float) -> int:
    """How many launches are left when the scheduler tidies up that much later."""
    services = world.services
    now = services.clock
    services.clock = lambda: now() + timedelta(**ahead)
    try:
        with world.app.app_context():
            Clock(world.app)._tidy()
            return db.session.scalar(db.select(db.func.count()).select_from(LaunchLog)) or 0
    finally:
        services.clock = now


def test_a_nonce_outlives_its_message_however_short_the_log_is(world: Any) -> None:
    [activity] = world.publish("final", "final_grade")
    world.meet(activity)
    file = world.services.config_file
    file.current = file.current.model_copy(
        update={"retention": Retention(launches=timedelta(seconds=30))}
    )
    kept = tidied(world, minutes=20)
    assert kept >= 2
    # The pages of a launch stay open for the hours of a session.
    assert tidied(world, hours=7) == kept
    assert tidied(world, hours=9) == 0
