"""The write test: a column of our own, made, filled, read and deleted again."""

import secrets

from passport_lti.doctor.findings import Findings, fail, note, ok
from passport_lti.doctor.privacy import launched_context
from passport_lti.errors import Gone, Rejected, ServiceError
from passport_lti.extensions import db
from passport_lti.lti import ags, nrps
from passport_lti.lti.service import PlatformService
from passport_lti.models import Context, Platform
from passport_lti.sync.services import Services

LABEL = "Passport LTI connection test"
_ADVICE = "in the tool's settings at the platform: Services, grade sync and column management"


def check(services: Services, platform: Platform) -> Findings:
    """Deletes only what it made itself, known by a resource id that nobody else has."""
    context, what = launched_context(platform), f"{platform.name} test column"
    if context is None or not context.line_items_url:
        yield note(what, "no context with a gradebook has been launched yet")
        return
    db.session.commit()
    service, url = services.platform(platform), context.line_items_url
    mark = f"passport-lti:doctor:{secrets.token_hex(8)}"
    step, is_there = "made", True
    try:
        item = ags.create(service, url, label=LABEL, maximum=1.0, resource_id=mark, tag="doctor")
        yield ok(f"{what} made", f"in {context.label or context.context_id}")
        step = "filled"
        yield from _filled(services, service, context, item.url, what)
    except ServiceError as error:
        is_there = step == "filled" or not isinstance(error, Rejected)
        yield fail(f"{what} {step}", f"{error.reason}: {error.detail}", _ADVICE)
    finally:
        leftover = _deleted(service, url, mark) if is_there else ""
    if leftover:
        yield fail(f"{what} deleted", leftover, f"nothing: delete the column {LABEL!r} by hand")
    elif is_there:
        yield ok(f"{what} deleted")


def _filled(
    services: Services, service: PlatformService, context: Context, url: str, what: str
) -> Findings:
    learner = _learner(service, context)
    if learner is None:
        yield note(f"{what} filled", "no: the roster shows no learner")
        return
    now = services.clock().timestamp() + service.clock_ahead
    ags.send_score(
        service, url, sub=learner, given=1.0, maximum=1.0, completed=True, stamp=int(now)
    )
    yield ok(f"{what} filled")
    found = ags.results(service, url, learner).get(learner)
    if found is None or found.given is None:
        yield fail(f"{what} read", "the score does not come back", _ADVICE)
    else:
        yield ok(f"{what} read")


def _learner(service: PlatformService, context: Context) -> str | None:
    if not context.memberships_url:
        return None
    people = nrps.members(service, context.memberships_url)
    return next((p.sub for p in people if p.active and p.role == "learner"), None)


def _deleted(service: PlatformService, url: str, mark: str) -> str:
    """What went wrong, or nothing. Looks for the mark: the answer to `create` may be lost."""
    try:
        for item in ags.line_items(service, url):
            if item.resource_id == mark:
                ags.delete(service, item.url)
    except Gone:
        return ""
    except ServiceError as error:
        return f"{error.reason}: {error.detail}"
    return ""
