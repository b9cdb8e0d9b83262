"""The scale of a connection's grades, remembered once it is known."""

import logging

from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.rows import number
from passport_lti.coursera.scale import Scale, compare, decide
from passport_lti.coursera.sweep import Sweep
from passport_lti.errors import ServiceError
from passport_lti.extensions import db
from passport_lti.models import CourseraScale

log = logging.getLogger(__name__)


def resolve_scale(client: CourseraClient, sweep: Sweep) -> Scale | None:
    """Decide by setting, by what was found before, by this sweep, and by comparing reports.

    Flushes a new decision into the open session; the caller commits. Must be called without an
    open write: comparing takes its time.
    """
    setting = client.connection.grade_scale
    row = db.session.get(CourseraScale, client.name)
    stored: Scale | None = row.scale if row else None  # type: ignore[assignment]
    db.session.commit()
    undecided = setting == "auto" and stored is None and not sweep.evidence.above_one
    compared = _compared(client, sweep) if undecided and sweep.sample else None
    scale = decide(setting, stored, sweep.evidence, compared)
    if setting == "auto" and scale is not None and scale != stored:
        if row is None:
            row = CourseraScale(connection=client.name)
            db.session.add(row)
        else:
            log.warning("coursera %s: grades above 1 appeared, scale is percent", client.name)
        row.scale, row.decided_at = scale, sweep.read_at
        row.evidence = "enrollment report" if compared else "values"
        db.session.flush()
    return scale


def _compared(client: CourseraClient, sweep: Sweep) -> Scale | None:
    """What the first pages of the enrollment report say of the learners in the sample."""
    sample = dict(sweep.sample)
    try:
        for count, page in enumerate(client.enrollment_pages(sweep.program_id)):
            for row in page:
                overall = sample.get(str(row.get("externalId", "")).casefold())
                reported = number(row.get("grade"))
                if overall and reported and row.get("contentId") == sweep.course_id:
                    scale = compare(overall, reported)
                    if scale:
                        return scale
            if count == 4:
                break
    except ServiceError as error:
        log.info("coursera %s: no enrollment report to compare (%s)", client.name, error.reason)
    return None
