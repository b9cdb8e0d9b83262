"""A world of one test's own, with the same eyes on it as the shared one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.bench import Bench
from passport_lti.extensions import db
from passport_lti.logs import ROOT
from passport_lti.models import Platform
from worlds import opened


@contextmanager
def fresh_bench(launched: bool = True) -> Iterator[Bench]:
    """A bench on a new world; `launched`: the tool knows the campus's key already."""
    with opened() as world:
        [activity] = world.publish("final", "final_grade")
        bench = Bench(world, activity)
        logger = logging.getLogger(ROOT)
        level = logger.level
        logger.addHandler(bench.lines)
        logger.setLevel(logging.INFO)
        try:
            if launched:
                world.meet(activity)
            else:
                _forget_keys(bench)
            yield bench
        finally:
            logger.removeHandler(bench.lines)
            logger.setLevel(level)


def _forget_keys(bench: Bench) -> None:
    """The campus's key set has moved: nothing is known of the new address."""
    with bench.world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        platform.key_set_url += "?moved=1"
        platform.key_set = platform.key_set_read_at = None
        db.session.commit()
