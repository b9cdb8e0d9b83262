"""E-mail addresses of a program's learners, where the gradebook report leaves them out."""

import logging
from collections.abc import Iterator

from passport_lti.coursera.client import CourseraClient, Row
from passport_lti.coursera.rows import text
from passport_lti.errors import Gone, Rejected

log = logging.getLogger(__name__)


def addresses(client: CourseraClient, program_id: str) -> dict[str, str]:
    """External id in lower case -> e-mail; nothing where the organisation may read neither list.

    The list of members has one row for each person, the enrollment report one for each course,
    so it is asked only where the first is not to be had. Raises RetryLater: to decide who is
    who without addresses that are there would lose what they had matched before.
    """
    for read in (_members, _enrollments):
        found: dict[str, str] = {}
        try:
            for row in read(client, program_id):
                external_id, email = text(row.get("externalId")), text(row.get("email"))
                if external_id and email:
                    found.setdefault(external_id.casefold(), email)
        except (Gone, Rejected) as error:
            log.info("coursera %s: no addresses (%s)", client.name, error.reason)
            continue
        if found:
            return found
    return {}


def _members(client: CourseraClient, program_id: str) -> Iterator[Row]:
    return client.memberships(program_id)


def _enrollments(client: CourseraClient, program_id: str) -> Iterator[Row]:
    for page in client.enrollment_pages(program_id):
        yield from page
