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


def _platform(services: Services, platform: Platform, write_test: bool) -> Findings:
    yield from platforms.check(services.tool, platform)
    yield from launches.deployments(platform)
    yield from launches.logins(platform, services.tool)
    yield from grants.check(services, platform)
    yield from privacy.check(services, platform)
    yield from seats.check(platform)
    yield from sign_on.check(services.tool, platform)
    if write_test:
        yield from writing.check(services, platform)
