"""Giving a person a place at Coursera: invited, or a member who is enrolled (facts, 3.5 to 3.7).

Each step may be taken again at any time: what is there already counts as done. Nobody is mailed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from passport_lti.coursera.client import CourseraClient, Row
from passport_lti.coursera.rows import text
from passport_lti.errors import Conflict, Gone, Rejected

Outcome = Literal["created", "existed"]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom Coursera is told of, by the external id that it is to use."""

    external_id: str
    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """`external_id` is what Coursera calls the person, which may not be what it was told."""

    outcome: Outcome
    external_id: str


def invite(client: CourseraClient, program_id: str, person: Person) -> Done:
    """Invite to a program: the person takes a seat by opening its link. Raises as the client."""
    body = {**_described(person), "sendEmail": False}
    try:
        return Done("created", _called(client.invite(program_id, body), person))
    except Conflict:
        return Done("existed", person.external_id)


def join(client: CourseraClient, program_id: str, person: Person) -> Done:
    """Make the person a member of a program, which takes a seat. Raises as the client."""
    body = {**_described(person), "sendWelcomeEmail": False}
    try:
        return Done("created", _called(client.join(program_id, body), person))
    except Conflict:
        return Done("existed", person.external_id)


def enroll(client: CourseraClient, program_id: str, course_id: str, person: Person) -> Done:
    """Enrol a member in a course.

    Somebody whom Coursera knew before, by the same e-mail, may have another external id there:
    where it does not know ours, it is asked for its own. Raises as the client.
    """
    try:
        return _enroll(client, program_id, course_id, person.external_id)
    except (Gone, Rejected) as error:
        if error.reason not in ("coursera_gone", "coursera_bad_request"):
            raise
        known = known_as(client, program_id, person.email)
        if known is None or known == person.external_id:
            raise
    return _enroll(client, program_id, course_id, known)


def known_as(client: CourseraClient, program_id: str, email: str) -> str | None:
    """What Coursera calls the one member of a program with this address; None: nobody, or two."""
    wanted = email.strip().casefold()
    found = set(_ids(client, program_id, wanted)) if wanted else set()
    return found.pop() if len(found) == 1 else None


def _ids(client: CourseraClient, program_id: str, email: str) -> Iterator[str]:
    for row in client.memberships(program_id):
        external_id = text(row.get("externalId"))
        if external_id and text(row.get("email")).casefold() == email:
            yield external_id


def _enroll(client: CourseraClient, program_id: str, course_id: str, external_id: str) -> Done:
    body = {
        "externalId": external_id, "contentType": "Course", "contentId": course_id,
        "action": "ENROLL",
    }  # fmt: skip
    try:
        client.enroll(program_id, body)
    except Conflict:
        return Done("existed", external_id)
    return Done("created", external_id)


def _described(person: Person) -> dict[str, str]:
    """A name that the platform hides is left out: it is optional, and Coursera asks for it."""
    body = {"externalId": person.external_id, "email": person.email}
    return {**body, "fullName": person.name} if person.name else body


def _called(row: Row, person: Person) -> str:
    return text(row.get("externalId"), 320) or person.external_id
