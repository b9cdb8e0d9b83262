"""The API's people: users, memberships, invitations and enrolling."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request

from passport_lti.sandbox.coursera.errors import ApiError
from passport_lti.sandbox.coursera.lookups import program_of
from passport_lti.sandbox.coursera.reports import names
from passport_lti.sandbox.coursera.state import Person, Program

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera


def add_members(coursera: "PracticeCoursera", rule: Callable[..., None]) -> None:
    """Add the paths to the API by its own `rule`."""

    def user_element(person: Person) -> dict[str, Any]:
        external_id, email = names(person, coursera.traps)
        inside = [p.id for p in coursera.programs if coursera.is_member(person, p)]
        return {
            "id": person.key,
            "externalId": external_id,
            "email": email,
            "fullName": person.name,
            "membershipProgramIds": inside,
        }

    def users() -> Any:
        return list(coursera.people.values()), user_element

    def in_program(program: Program, person: Person, moment: str, at: int) -> dict[str, Any]:
        external_id, email = names(person, coursera.traps)
        return {
            "id": f"{program.id}~{external_id}",
            "programId": program.id,
            "externalId": external_id,
            "fullName": person.name,
            "email": email,
            moment: at,
        }

    def already(code: str, message: str) -> ApiError:
        """What is there already, refused in one of the ways that were seen."""
        kind = coursera.traps.refusal
        return ApiError(409 if kind == "conflict" else 400, "" if kind == "text" else code, message)

    def expect_seat(program: Program) -> None:
        if coursera.is_full(program):
            raise ApiError(400, "SEAT_LIMIT_REACHED", "The program has no seat left")

    def memberships(program_id: str) -> Any:
        program = program_of(coursera, program_id)
        members = [
            (person, found)
            for (place, person), found in coursera.memberships.items()
            if place is program and found.deleted_at is None
        ]
        return members, lambda m: in_program(program, m[0], "joinedAt", m[1].joined_at)

    def join(program_id: str) -> Any:
        program, person = program_of(coursera, program_id), _named(coursera)
        if coursera.is_member(person, program):
            raise already("MEMBERSHIP_ALREADY_EXISTS", "This person is already a member")
        expect_seat(program)
        found = coursera.join(person, program)
        if _body().get("sendWelcomeEmail") is not False:
            coursera.mails.append(person.email)
        return in_program(program, person, "joinedAt", found.joined_at)

    def leave(program_id: str, membership_id: str) -> Any:
        program = program_of(coursera, program_id)
        person = coursera.find(membership_id.removeprefix(f"{program.id}~"))
        if person is None or not coursera.is_member(person, program):
            raise ApiError(404, "NOT_FOUND", "Unknown membership")
        coursera.remove_person(person, program)
        return {}

    def invitations(program_id: str) -> Any:
        program = program_of(coursera, program_id)
        invited = [(p, at) for (place, p), at in coursera.invitations.items() if place is program]
        return invited, lambda i: in_program(program, i[0], "createdAt", i[1])

    def invite(program_id: str) -> Any:
        program, person = program_of(coursera, program_id), _named(coursera)
        if coursera.is_member(person, program):
            raise already("MEMBERSHIP_ALREADY_EXISTS", "This person is already a member")
        if (program, person) in coursera.invitations:
            raise already("INVITATION_ALREADY_EXISTS", "This person is invited already")
        coursera.invitations[program, person] = coursera.now()
        if _body().get("sendEmail") is not False:
            coursera.mails.append(person.email)
        return in_program(program, person, "createdAt", coursera.now())

    def enrol(program_id: str) -> Any:
        program, wanted = program_of(coursera, program_id), _body()
        person = coursera.find(str(wanted.get("externalId", "")))
        course = coursera.courses.get(str(wanted.get("contentId", "")))
        if person is None or course is None or course not in program.courses:
            raise ApiError(404, "NOT_FOUND", "Unknown person or content")
        enrolled = bool(coursera.enrollments(program, course, person))
        action = wanted.get("action")
        if action == "ENROLL":
            if enrolled:
                raise already("ALREADY_ENROLLED", "This person is already enrolled")
            if not coursera.is_member(person, program):
                expect_seat(program)
            coursera.enrol(person, course, program)
        elif action == "UNENROLL":
            coursera.unenrol(person, course, program)
        else:
            raise ApiError(400, "BAD_REQUEST", "action is ENROLL or UNENROLL")
        external_id, _ = names(person, coursera.traps)
        return {
            "id": f"{external_id}~Course~{course.id}",
            "externalId": external_id,
            "contentId": course.id,
            "contentType": "Course",
            "state": "ENROLLED" if action == "ENROLL" else "AVAILABLE",
        }

    rule("/users", "users", users)
    rule("/programs/<program_id>/memberships", "memberships", memberships)
    rule("/programs/<program_id>/memberships", "memberships-join", join, "POST")
    rule("/programs/<program_id>/memberships/<membership_id>", "memberships-leave", leave, "DELETE")
    rule("/programs/<program_id>/invitations", "invitations", invitations)
    rule("/programs/<program_id>/invitations", "invitations-invite", invite, "POST")
    rule("/programs/<program_id>/programEnrollments", "enrolments", enrol, "POST")


def _body() -> dict[str, Any]:
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise ApiError(400, "BAD_REQUEST", "The body is not a JSON object")
    return found


def _named(coursera: "PracticeCoursera") -> Person:
    """The person that the body describes, made known where nobody has this e-mail.

    Who is known by the e-mail and was never called anything is called by this external id from
    now on; who has another one keeps it.
    """
    wanted = _body()
    email, external_id = str(wanted.get("email", "")), str(wanted.get("externalId", ""))
    if "@" not in email:
        raise ApiError(400, "BAD_REQUEST", "email is required")
    found = (external_id and coursera.find(external_id)) or coursera.find(email)
    if found is None:
        return coursera.add_person(external_id, email, str(wanted.get("fullName") or email))
    if external_id and not found.external_id:
        coursera.name_person(found, external_id)
    return found
