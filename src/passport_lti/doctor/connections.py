"""A connection to Coursera: key, organisation, programs, courses, grade scale, outline."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.outline import gradable_items
from passport_lti.doctor.findings import Finding, Findings, fail, note, ok
from passport_lti.errors import Gone, ServiceError
from passport_lti.extensions import db
from passport_lti.models import CourseraScale
from passport_lti.sync.services import Services

Row = Mapping[str, Any]


def check(services: Services, name: str) -> Findings:
    client, where = services.coursera(name), f"coursera.{name}"
    try:
        client.organisation()
    except ServiceError as error:
        yield _refused(client, where, error)
        return
    yield ok(f"{where} token")
    yield ok(f"{where} organisation", client.connection.org_id)
    programs = list(client.programs())
    yield from _programs(client, where, programs)
    offered = [p for p in programs if _is_offered(client, p)]
    courses = [c for c in client.contents() if c.get("contentType", "Course") == "Course"]
    if not courses:
        yield fail(
            f"{where} courses", "the organisation's catalogue is empty",
            "the programs' content at Coursera",
        )  # fmt: skip
        return
    yield ok(f"{where} courses", str(len(courses)))
    place = _place(offered, courses)
    if place is not None:
        yield from _reports(client, where, *place)


def _refused(client: CourseraClient, where: str, error: ServiceError) -> Finding:
    """The reason that the first question gives, as the setting that is wrong."""
    base, detail = client.connection.api_base, error.detail
    if "api.coursera.org" in base:
        return fail(
            f"{where} token", f"{base} is the host of the old keys ({detail})",
            f"{where}.api_base to https://api.coursera.com",
        )  # fmt: skip
    settings = {
        "coursera_refused": ("token", "the key or its secret is wrong", "api_key or {}.api_secret"),
        "coursera_forbidden": (
            "organisation", "the key may not read it", "org_id, or the app's entitlement"
        ),
        "coursera_gone": ("organisation", "there is none with this id", "org_id"),
        "coursera_bad_request": (
            "organisation", "org_id is not an id; is it the slug?",
            "org_id to the 22-character id of the organisation, not its slug",
        ),
    }  # fmt: skip
    part, problem, key = settings.get(
        error.reason, ("token", "Coursera does not answer as it should", "api_base")
    )
    return fail(f"{where} {part}", f"{problem} ({detail})", f"{where}.{key.format(where)}")


def _programs(client: CourseraClient, where: str, programs: list[Row]) -> Findings:
    ids = {str(program.get("id")) for program in programs}
    slugs = {str(program.get("slug")): str(program.get("id")) for program in programs}
    missing = [wanted for wanted in client.connection.programs if wanted not in ids]
    for wanted in missing:
        if wanted in slugs:
            yield fail(
                f"{where} program {wanted}", "this is a program's slug",
                f"{where}.programs to the id {slugs[wanted]}",
            )  # fmt: skip
        else:
            known = ", ".join(f"{p.get('id')} ({p.get('name')})" for p in programs[:10]) or "none"
            yield fail(
                f"{where} program {wanted}", "the organisation has no such program",
                f"{where}.programs; it has: {known}",
            )  # fmt: skip
    if not programs:
        yield fail(
            f"{where} programs", "the organisation has none", f"{where}.org_id, or add a program"
        )
    elif not missing:
        yield ok(f"{where} programs", str(len(client.connection.programs) or len(programs)))


def _is_offered(client: CourseraClient, program: Row) -> bool:
    allowed = client.connection.programs
    return not allowed or program.get("id") in allowed


def _place(programs: list[Row], courses: list[Row]) -> tuple[str, str, str] | None:
    """A program and a course in it (id and slug) to ask the reports about."""
    ids = [str(program.get("id")) for program in programs]
    for course in courses:
        within = course.get("programs")
        named = within if isinstance(within, list) else []
        places = {str(p.get("programId")) for p in named if isinstance(p, dict)}
        for program_id in ids:
            if program_id in places:
                course_id = course.get("contentId") or str(course.get("id")).rpartition("~")[2]
                return program_id, str(course_id), str(course.get("slug") or "")
    return None


def _reports(
    client: CourseraClient, where: str, program_id: str, course_id: str, slug: str
) -> Findings:
    what = f"{where} gradebook report"
    try:
        list(islice(client.gradebook_pages(program_id, course_id), 1))
        yield ok(what)
    except ServiceError as error:
        yield fail(what, error.detail, "the app's entitlement to the reports at Coursera")
    yield _scale(client, where)
    yield _outline(client, where, program_id, course_id, slug)


def _scale(client: CourseraClient, where: str) -> Finding:
    setting = client.connection.grade_scale
    if setting != "auto":
        return ok(f"{where} grade scale", f"{setting}, by {where}.grade_scale")
    row = db.session.get(CourseraScale, client.name)
    if row is None:
        return note(f"{where} grade scale", "not known before the first grades were read")
    return ok(f"{where} grade scale", f"{row.scale}, as found in the reports")


def _outline(
    client: CourseraClient, where: str, program_id: str, course_id: str, slug: str
) -> Finding:
    what, setting = f"{where} outline", f"{where}.outline_path"
    if not client.connection.outline_path:
        return note(what, "none: the items of a course appear once its first learner has enrolled")
    try:
        items = gradable_items(client.outline(program_id, course_id, slug))
    except Gone:
        return fail(what, "nothing is at this path", f"{setting}, or take it away")
    except ServiceError as error:
        return fail(what, error.detail, setting)
    return ok(what, f"{len(items)} graded items in {slug or course_id}")
