"""The enterprise API: reading the organisation, its catalogue and its reports."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from passport_lti.sandbox.coursera.catalogue import (
    collection_element,
    content_element,
    outline,
    program_element,
)
from passport_lti.sandbox.coursera.errors import ApiError
from passport_lti.sandbox.coursera.lookups import course_of, program_of
from passport_lti.sandbox.coursera.members import add_members
from passport_lti.sandbox.coursera.paging import page
from passport_lti.sandbox.coursera.reports import enrollment_row, gradebook_rows
from passport_lti.sandbox.coursera.state import Enrollment
from passport_lti.sandbox.coursera.tokens import check, slow_down

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

Elements = tuple[Sequence[Any], Callable[[Any], Any]]
"""Things and how each becomes an element; only those of the page are made."""


def create_api(coursera: "PracticeCoursera", name: str) -> Blueprint:
    """The API below `businesses.v1`; it exists under the roots of both generations."""
    api = Blueprint(name, __name__)

    def rule(path: str, endpoint: str, view: Callable[..., Any], method: str = "GET") -> None:
        """Answer `path` after the token and the organisation were checked."""

        def guarded(org_id: str, **places: str) -> Response:
            slow_down(coursera.latency)
            with coursera.lock:
                try:
                    check(coursera, org_id)
                    return _response(view(**places), coursera)
                except ApiError as error:
                    return error.response()

        api.add_url_rule(f"/<org_id>{path}", endpoint, guarded, methods=[method])

    def organisation() -> Any:
        return {"id": coursera.credentials.org_id, "name": coursera.name, "slug": coursera.slug}

    def programs() -> Elements:
        without = request.args.get("excludeContent") == "true"
        return coursera.programs, lambda program: program_element(program, without)

    def contents() -> Elements:
        ids = [i for text in request.args.getlist("programIds") for i in text.split(",")]
        if _finder("byProgramIds") and not ids:
            raise ApiError(400, "BAD_REQUEST", "programIds is required")
        within = [program_of(coursera, i) for i in ids] or coursera.programs
        offered = {course.id for program in within for course in program.courses}
        found = [course for course in coursera.courses.values() if course.id in offered]
        since = _number("modifiedSinceTimestamp")
        if request.args.get("contentType", "Course") != "Course":
            found = []
        if since is not None:
            found = [course for course in found if course.changed_at > since * 1000]
        return found, lambda course: content_element(course, coursera.programs, coursera.root)

    def detail(content_id: str) -> Elements:
        course = course_of(coursera, content_id)
        return [course], lambda found: content_element(found, coursera.programs, coursera.root)

    def collections(program_id: str) -> Elements:
        return [program_of(coursera, program_id)], collection_element

    def course_materials(program_id: str, course_id: str) -> Any:
        program, course = program_of(coursera, program_id), course_of(coursera, course_id)
        if not coursera.traps.outline or course not in program.courses:
            raise ApiError(404, "NOT_FOUND", "No such resource")
        return outline(program, course)

    def chosen(cutoff: float) -> list[Enrollment]:
        """Enrollments that the query asks for and that existed at the cutoff."""
        wanted = request.args.get
        program = program_of(coursera, wanted("programId", "")) if wanted("programId") else None
        course = course_of(coursera, wanted("courseId", "")) if wanted("courseId") else None
        person, who = None, wanted("emailOrExternalId") or wanted("externalId")
        if who:
            person = coursera.find(who)
            if person is None:
                return []
        found = coursera.enrollments(program, course, person)
        if wanted("includeDeletedMembers") != "true" and coursera.anybody_deleted():
            found = [e for e in found if coursera.is_member(e.person, e.program)]
        if coursera.traps.delay:
            found = [e for e in found if e.enrolled_at <= cutoff]
        return found

    def cutoff() -> float:
        """The moment that reports show; without delay everything, whatever the clock says."""
        if not coursera.traps.delay:
            return math.inf
        return coursera.now() - int(coursera.traps.delay.total_seconds() * 1000)

    def gradebook() -> Response:
        if not _finder("search"):
            raise ApiError(400, "BAD_REQUEST", "q=search is required")
        moment = cutoff()
        found = chosen(moment)
        shown = page(request.args, len(found), 50, coursera.traps)
        some = [(e, coursera.deleted_at(e)) for e in found[shown.start : shown.stop]]
        rows = gradebook_rows(some, moment, coursera.traps)
        body = f'{{"elements":[{rows}],"paging":{json.dumps(shown.paging)},"linked":{{}}}}'
        return Response(body, mimetype="application/json")

    def enrollment_report() -> Elements:
        needed = {"byProgramId": ("programId",), "byUserProgramId": ("programId", "externalId")}
        for name in needed.get(_finder(*needed), ()):
            if not request.args.get(name):
                raise ApiError(400, "BAD_REQUEST", f"{name} is required")
        moment = cutoff()
        active, completed = _number("lastActivityAfter"), _number("completedAtAfter")
        late = coursera.now() - int(coursera.traps.enrolment_delay.total_seconds() * 1000)
        found = []
        for enrollment in chosen(moment):
            standing = enrollment.as_of(moment)
            if (
                enrollment.enrolled_at <= late
                and (active is None or standing.last_activity > active)
                and (completed is None or (standing.completed_at or 0) > completed * 1000)
            ):
                found.append(enrollment)
        return found, lambda e: enrollment_row(e, coursera.deleted_at(e), moment, coursera.traps)

    rule("", "organisation", organisation)
    rule("/programs", "programs", programs)
    rule("/contents", "contents", contents)
    rule("/contents/<content_id>/detail", "contents-detail", detail)
    rule("/programs/<program_id>/curriculumCollections", "collections", collections)
    rule("/programs/<program_id>/courseMaterials/<course_id>", "outline", course_materials)
    rule("/courseGradebookReports", "gradebook", gradebook)
    rule("/enrollmentReports", "enrollment_report", enrollment_report)
    add_members(coursera, rule)
    return api


def _finder(*known: str) -> str:
    """The finder that the query names, "" without one. Raises ApiError 400 for an unknown one."""
    name = request.args.get("q", "")
    if name and name not in known:
        raise ApiError(400, "BAD_REQUEST", f"unknown finder {name}")
    return name


def _number(name: str) -> float | None:
    """A moment: a number, or ISO text, which becomes milliseconds. Raises ApiError 400."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).timestamp() * 1000
        except ValueError:
            raise ApiError(400, "BAD_REQUEST", f"{name} is not a moment") from None


def _response(value: Any, coursera: "PracticeCoursera") -> Response:
    """A collection's page for things with a maker of elements; JSON for the rest."""
    if isinstance(value, Response):
        return value
    if isinstance(value, tuple):
        things, element = value
        shown = page(request.args, len(things), 100, coursera.traps)
        elements = [element(thing) for thing in things[shown.start : shown.stop]]
        value = {"elements": elements, "paging": shown.paging, "linked": {}}
    return Response(json.dumps(value), mimetype="application/json")
