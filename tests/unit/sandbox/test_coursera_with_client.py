"""The product's own client against the practice Coursera."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from passport_lti.config import CourseraConnection
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.sweep import sweep
from passport_lti.errors import Gone, Rejected, RetryLater
from passport_lti.http import Session
from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.serving import serve


@pytest.fixture
def coursera() -> Iterator[PracticeCoursera]:
    found = PracticeCoursera()
    with serve(found.app) as server:
        found.url = server.url
        yield found


def client_of(coursera: PracticeCoursera, http: Session, **options: object) -> CourseraClient:
    keys = coursera.credentials
    connection = CourseraConnection.model_validate(
        {
            "api_base": coursera.url,
            "org_id": keys.org_id,
            "api_key": keys.api_key,
            "api_secret": keys.api_secret,
            "outline_path": coursera.outline_path,
            **options,
        }
    )
    return CourseraClient(
        "main", connection, http, lambda: datetime.now(UTC), sleep=lambda seconds: None
    )


@pytest.fixture
def http() -> Iterator[Session]:
    with Session() as session:
        yield session


@pytest.mark.parametrize("next_kind", ["string", "number", "opaque"])
@pytest.mark.parametrize("scale", ["percent", "unit"])
def test_a_sweep_reads_every_grade(
    coursera: PracticeCoursera, http: Session, next_kind: str, scale: str
) -> None:
    coursera.traps.next_kind, coursera.traps.scale = next_kind, scale
    program = coursera.add_program("Data skills")
    course = coursera.add_course(program, "Python Basics")
    people = coursera.fill(course, 25)
    client = client_of(coursera, http, page_size=10)
    with sweep(client, program.id, course.id, datetime.now(UTC)) as found:
        rows = {row.email: row for row in found.rows(scale)}
    for person in people:
        (enrollment,) = coursera.enrollments(course=course, person=person)
        read = {key: grade.fraction for key, grade in rows[person.email].items.items()}
        assert read == pytest.approx(enrollment.standing.grades)
    assert coursera.count("gradebook") == 3


def test_endless_pages_are_noticed(coursera: PracticeCoursera, http: Session) -> None:
    program = coursera.add_program("Data skills")
    course = coursera.add_course(program, "Python Basics")
    coursera.fill(course, 5)
    client = client_of(coursera, http, page_size=2)
    for kind in ("repeat", "cycle"):
        coursera.traps.next_kind = kind
        with pytest.raises(RetryLater, match="circles"):
            list(client.gradebook_pages(program.id, course.id))
    assert coursera.count("gradebook") == 5


def test_refusals_have_the_right_names(coursera: PracticeCoursera, http: Session) -> None:
    program = coursera.add_program("Data skills")
    client = client_of(coursera, http)
    assert client.organisation()["id"] == coursera.credentials.org_id
    coursera.revoke_tokens()
    assert [row["id"] for row in client.programs()] == [program.id]
    coursera.faults.add("/programs", status=502, body="<html>Bad gateway", times=2)
    assert [row["id"] for row in client.programs()] == [program.id]
    coursera.faults.add("/programs", truncate=True, times=4)
    with pytest.raises(RetryLater, match="not JSON"):
        list(client.programs())
    coursera.faults.add("/programs", status=403)
    with pytest.raises(Rejected, match="entitled"):
        list(client.programs())
    with pytest.raises(Gone):
        client.outline(program.id, "A" * 22, "")
    with pytest.raises(Rejected, match="api_key"):
        client_of(coursera, http, api_secret="wrong").organisation()


def test_outline_and_enrollments_are_read(coursera: PracticeCoursera, http: Session) -> None:
    program = coursera.add_program("Data skills")
    course = coursera.add_course(program, "Python Basics")
    coursera.fill(course, 3)
    coursera.traps.delay = timedelta(0)
    client = client_of(coursera, http, page_size=2)
    outline = client.outline(program.id, course.id, course.slug)
    assert [module["id"] for module in outline["modules"]] == [m.id for m in course.modules]
    assert [len(page) for page in client.enrollment_pages(program.id)] == [2, 1]
