"""Places at Coursera by launches: how many there are, and what keeps learners from one."""

from sqlalchemy import select

from passport_lti.doctor.findings import Findings, fail, note, ok, setting
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Platform
from passport_lti.sync.reasons import SEATS
from passport_lti.sync.seats import report


def check(platform: Platform) -> Findings:
    """What the platform's setting does to seats, counted for each program that was used."""
    settings = settings_of(platform)
    what, mode = f"{platform.name} provisioning", settings.provisioning
    yield from _numbers_shared(platform)
    found = report.seats(settings.coursera, platform)
    if mode == "none" and not found:
        yield ok(what, "none: people join the program at Coursera themselves")
        return
    yield ok(what, mode)
    for row in found:
        counts = [f"{row.members} members" if row.members else "", f"{row.invited} invited"]
        if not row.invited:
            counts = [f"{row.members} members, {row.enrollments} enrollments"]
        text = ", ".join(filter(None, counts)) + " by launches"
        text += f" ({row.before} were there before)" if row.before else ""
        text += f", {row.waiting} waiting" if row.waiting else ""
        line = f"{what} in {row.program}"
        if not row.problems:
            yield ok(line, text)
            continue
        listed = ", ".join(f"{number} {reason}" for reason, number in row.problems.items())
        main = max(row.problems, key=lambda reason: (row.problems[reason], reason))
        yield note(line, f"{text}; not done: {listed}. {SEATS.get(main, '')}".rstrip())


def _numbers_shared(platform: Platform) -> Findings:
    """Every Moodle counts its users from 1: by `sub` people of two of them become one."""
    settings = settings_of(platform)
    if settings.identity.external_id != "sub":
        return
    others = [
        other.name
        for other in db.session.scalars(select(Platform).where(Platform.id != platform.id))
        if other.state == "active" and settings_of(other).coursera == settings.coursera
    ]
    if others:
        yield fail(
            f"{platform.name} external id",
            f"sub is a number of this platform only, and {', '.join(others)} uses the same "
            "Coursera organisation: two people would become one there",
            f"{setting(platform, 'identity.external_id')} to email, sourcedid or username",
        )
