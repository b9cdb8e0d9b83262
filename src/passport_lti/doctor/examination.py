"""The order of the checks: ourselves, each platform, each Coursera connection."""

from sqlalchemy import select

from passport_lti.doctor import (
    connections,
    grants,
    here,
    launches,
    platforms,
    privacy,
    seats,
    sign_on,
    writing,
)
from passport_lti.doctor.findings import Findings, note, safely
from passport_lti.extensions import db
from passport_lti.lti.platforms import settings_of
from passport_lti.models import Platform
from passport_lti.sync.services import Services


def examine(services: Services, name: str | None = None, *, write_test: bool = False) -> Findings:
    """All findings, yielded as they are made; of one platform where `name` is given.

    Needs an application context and a database with the present schema. Changes nothing, except
    that `write_test` makes, fills and deletes a column of its own in one context a platform.
    """
    _hold_nothing()
    yield from safely("this tool", here.check(services.tool))
    yield from safely("launches", launches.check(services.clock()))
    wanted = select(Platform).order_by(Platform.name)
    if name is None:
        wanted = wanted.where(Platform.state == "active")
    else:
        wanted = wanted.where(Platform.name == name)
    found = db.session.scalars(wanted).all()
    if not found:
        yield note("platforms", "none is registered yet: passport-lti platform invite NAME")
    for platform in found:
        yield from safely(platform.name, _platform(services, platform, write_test))
    used = {settings_of(platform).coursera for platform in found}
    for connection in services.config.coursera:
        if name is None or connection in used:
            part = connections.check(services, connection)
            yield from safely(f"coursera.{connection}", part)


def examine_alone(services: Services, platform: Platform) -> Findings:
    """The findings that a platform's own administrators may read: of no other one, and as above."""
    _hold_nothing()
    yield from safely("this tool", here.check(services.tool))
    yield from safely("launches", launches.check(services.clock(), platform))
    yield from safely(platform.name, _platform(services, platform, write_test=False))
    connection = settings_of(platform).coursera
    yield from safely(f"coursera.{connection}", connections.check(services, connection))


def _platform(services: Services, platform: Platform, write_test: bool) -> Findings:
    parts = [
        platforms.check(services.tool, platform),
        launches.deployments(platform),
        launches.logins(platform, services.tool),
        grants.check(services, platform),
        privacy.check(services, platform),
        seats.check(platform),
        sign_on.check(services.tool, platform),
    ]
    if write_test:
        parts.append(writing.check(services, platform))
    for part in parts:
        db.session.commit()
        yield from part


def _hold_nothing() -> None:
    """No transaction stays open while others answer, and what was read needs no other one."""
    db.session().expire_on_commit = False
    db.session.commit()
