"""What Coursera offers, as remembered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import event

from passport_lti.coursera import catalogue
from passport_lti.coursera.client import CourseraClient
from passport_lti.coursera.scales import resolve_scale
from passport_lti.coursera.sweep import Sweep
from passport_lti.errors import RetryLater
from passport_lti.extensions import db
from passport_lti.grades import Course, GradableItem
from passport_lti.models import CourseItem, CourseraScale, ProgramCourse

from .conftest import NOW, Fake

LATER = NOW + timedelta(hours=2)
QUIZ = GradableItem("quiz", "Quiz", 2, 0.4, "EXAM", "Start")
EXAM = GradableItem("exam", "Exam", 1, None)


def content(course: str, *programs: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"Course~{course}",
        "contentId": course,
        "contentType": "Course",
        "name": course.title(),
        "slug": f"{course}-slug",
        "partners": [{"name": "Uni A"}, {"name": "Uni B"}],
        "programs": [
            {"programId": p, "contentUrl": f"https://c.org/{p}/{course}"} for p in programs
        ],
        **more,
    }


def listed(fake: Fake, programs: list[Any], contents: list[Any]) -> None:
    fake.answers["programs"] = {"elements": programs}
    fake.answers["contents"] = {"elements": contents}


PROGRAMS = [
    {"id": "p2", "name": "Second", "slug": "second"},
    {"id": "p1", "name": "First", "url": "https://www.coursera.org/programs/first"},
]


@pytest.fixture
def offer(fake: Fake, database: Flask) -> None:
    listed(fake, PROGRAMS, [content("python", "p1", "p2"), content("algebra", "p1")])


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is told inside the block."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def shape(found: catalogue.Catalogue) -> dict[str, list[str]]:
    return {program.id: [course.id for course in program.courses] for program in found.programs}


@pytest.mark.usefixtures("offer")
def test_programs_and_their_courses(client: CourseraClient) -> None:
    assert catalogue.known("main") == catalogue.Catalogue()
    found = catalogue.read(client, NOW)
    assert list(shape(found).items()) == [("p1", ["algebra", "python"]), ("p2", ["python"])]
    assert found.read_at == NOW
    assert found == catalogue.known("main")
    course = found.programs[0].courses[1]
    assert (course.name, course.slug, course.partner) == ("Python", "python-slug", "Uni A, Uni B")
    assert catalogue.program_url("main", "p1") == "https://www.coursera.org/programs/first"
    assert catalogue.program_url("main", "p2") == "https://www.coursera.org/programs/second"
    assert catalogue.program_url("main", "p3") == ""
    assert catalogue.known("other") == catalogue.Catalogue()


@pytest.mark.usefixtures("database")
def test_thousands_of_courses_take_as_many_statements_as_a_few(
    client: CourseraClient, fake: Fake
) -> None:
    """Each page of the picker lists the catalogue, and while it is stored nobody else can write."""
    spent = []
    for number in (2, 80):
        listed(fake, PROGRAMS, [content(f"course{n}", "p1", "p2") for n in range(number)])
        catalogue.read(client, NOW, refresh=True)
        with statements() as said:
            catalogue.read(client, LATER, refresh=True)
        spent.append(len(said))
    assert spent[0] == spent[1]
    db.session.expunge_all()
    assert len(catalogue.known("main").programs[0].courses) == 80
    assert not [one for one in db.session if isinstance(one, ProgramCourse)], "rows are enough"


@pytest.mark.usefixtures("offer")
def test_it_is_asked_once_an_hour_or_on_request(client: CourseraClient) -> None:
    catalogue.read(client, NOW)
    asked = client.requests
    assert catalogue.read(client, LATER).read_at == NOW
    assert client.requests == asked
    assert catalogue.read(client, LATER, refresh=True).read_at == LATER
    assert client.requests > asked


@pytest.mark.usefixtures("offer")
def test_only_the_programs_of_the_settings_are_offered(
    make_client: Callable[..., CourseraClient],
) -> None:
    assert set(shape(catalogue.read(make_client(), NOW))) == {"p1", "p2"}
    only = make_client(programs=["p2"])
    assert shape(catalogue.read(only, NOW)) == {"p2": ["python"]}, "an edit counts at once"
    assert shape(catalogue.read(make_client(programs=["nobody"]), NOW)) == {}


@pytest.mark.usefixtures("offer")
def test_what_is_not_listed_any_more_is_not_offered_but_known(
    client: CourseraClient, fake: Fake
) -> None:
    catalogue.read(client, NOW)
    listed(fake, PROGRAMS[1:], [content("algebra", "p1")])
    assert shape(catalogue.read(client, LATER, refresh=True)) == {"p1": ["algebra"]}
    assert catalogue.known_course("main", "p2", "python") is not None
    assert catalogue.program_url("main", "p2")
    listed(fake, PROGRAMS, [content("algebra", "p1"), content("python", "p2")])
    found = catalogue.read(client, LATER, refresh=True)
    assert shape(found) == {"p1": ["algebra"], "p2": ["python"]}


@pytest.mark.usefixtures("offer")
def test_a_listing_that_fails_changes_nothing(client: CourseraClient, fake: Fake) -> None:
    before = catalogue.read(client, NOW)
    fake.answers["contents"] = Response("", 500)
    with pytest.raises(RetryLater):
        catalogue.read(client, LATER, refresh=True)
    db.session.rollback()
    assert catalogue.known("main") == before


def test_odd_listings(client: CourseraClient, fake: Fake, database: Flask) -> None:
    programs = [
        {"name": "no id"},
        {"id": "a/b", "name": "no id either"},
        {"id": "p1", "name": "n" * 900, "contentIds": [5, {"contentId": "python"}]},
        {"id": "p2", "name": None, "contentIds": 7},
    ]
    contents = [
        content("python", description="d" * 5000, name="n" * 900, partners=5, programs=None),
        content("special", "p1", contentType="Specialization"),
        content("", "p1", id="Course~byid", name=None),
        content("", "p1", id=None),
        content("a b", "p1"),
    ]
    listed(fake, programs, contents)
    found = catalogue.read(client, NOW)
    assert shape(found) == {"p1": ["byid", "python"], "p2": []}
    python = found.programs[0].courses[1]
    assert (len(found.programs[0].name), len(python.name), len(python.description)) == (
        500,
        500,
        2000,
    )
    assert found.programs[1].name == "p2"


def store(*items: GradableItem, at: Any = NOW) -> Course:
    return catalogue.store_items("main", "p", "c", items, at, "Python")


def gone() -> dict[str, Any]:
    return {item.item_id: item.gone_at for item in db.session.query(CourseItem)}


@pytest.mark.usefixtures("database")
def test_items_are_remembered_in_course_order() -> None:
    course = store(QUIZ, EXAM)
    assert course == Course("p", "c", "Python", items=(EXAM, QUIZ))
    assert catalogue.known_course("main", "p", "c") == course
    assert catalogue.known_course("main", "p", "x") is None
    assert catalogue.known_course("other", "p", "c") is None


@pytest.mark.usefixtures("database")
def test_an_item_that_goes_is_kept_as_gone_and_may_come_back() -> None:
    store(QUIZ, EXAM)
    assert store(QUIZ, at=LATER).items == (QUIZ,)
    assert gone() == {"quiz": None, "exam": LATER}
    store(QUIZ, at=LATER + timedelta(hours=1))
    assert gone()["exam"] == LATER, "gone since the first time it was missing"
    assert store(QUIZ, EXAM, at=LATER).items == (EXAM, QUIZ)
    assert gone() == {"quiz": None, "exam": None}


@pytest.mark.usefixtures("database")
def test_an_empty_reading_takes_nothing_away() -> None:
    store(QUIZ, EXAM)
    assert store(at=LATER).items == (EXAM, QUIZ)


@pytest.mark.usefixtures("database")
def test_a_renamed_item_is_the_same_item() -> None:
    store(QUIZ)
    renamed = GradableItem("quiz", "Quiz 1", 3, 0.5, "EXAM", "Middle")
    assert store(renamed).items == (renamed,)
    assert len(gone()) == 1


@pytest.mark.usefixtures("database")
def test_a_course_that_no_listing_showed_is_known_but_not_offered() -> None:
    catalogue.store_items("main", "p", "c", (QUIZ,), NOW, "n" * 900)
    course = catalogue.known_course("main", "p", "c")
    assert course is not None and len(course.name) == 500
    assert catalogue.known("main") == catalogue.Catalogue()


REPORT = {
    "externalId": "ana",
    "courseId": "python",
    "items": [{"itemId": "quiz", "itemName": "Quiz", "itemOrder": 2, "itemGrade": 5}],
}


@pytest.mark.usefixtures("offer")
def test_an_outline_from_the_reports(client: CourseraClient, fake: Fake) -> None:
    fake.answers["courseGradebookReports"] = {"elements": [REPORT]}
    course = catalogue.outline(client, "p1", "python", NOW)
    assert course is not None
    assert (course.name, course.slug, course.items) == (
        "Python",
        "python-slug",
        (GradableItem("quiz", "Quiz", 2),),
    )
    asked = client.requests
    assert catalogue.outline(client, "p1", "python", NOW) == course
    assert client.requests == asked
    assert catalogue.outline(client, "p1", "nothing", NOW) is None


@pytest.mark.usefixtures("offer")
@pytest.mark.parametrize("answers", [True, False])
def test_an_outline_from_its_own_path(
    make_client: Callable[..., CourseraClient], fake: Fake, answers: bool
) -> None:
    """Where the path answers 404 the reports take its place."""
    client = make_client(outline_path="outline/{program_id}/{course_id}")
    outline = {"modules": [{"lessons": [{"items": [{"id": "peer", "itemType": "PEER"}]}]}]}
    fake.answers["p1/python"] = outline if answers else Response("", 404)
    fake.answers["courseGradebookReports"] = {"elements": [REPORT]}
    course = catalogue.outline(client, "p1", "python", NOW)
    assert course is not None
    assert [item.id for item in course.items] == (["peer"] if answers else ["quiz"])


def reading(*finals: float) -> Sweep:
    found = Sweep("p1", "python", NOW)
    found.add(
        [
            {"externalId": f"L{n}@x", "courseId": "python", "overallCourseGrade": final}
            for n, final in enumerate(finals)
        ]
    )
    return found


@pytest.mark.usefixtures("database")
def test_a_scale_is_remembered_until_it_is_disproved(client: CourseraClient, fake: Fake) -> None:
    fake.answers["enrollmentReports"] = {"elements": []}
    for finals, expected in [
        ((0, 1), None),
        ((0, 0.5), "unit"),
        ((0, 1), "unit"),
        ((0, 90), "percent"),
        ((0, 0.5), "percent"),
    ]:
        with reading(*finals) as found:
            assert resolve_scale(client, found) == expected
    row = db.session.get(CourseraScale, "main")
    assert row is not None and (row.scale, row.decided_at) == ("percent", NOW)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("overall", "reported", "expected"),
    [(0.5, 0.005, "percent"), (1, 0.01, "percent"), (0.5, 0.5, "unit"), (1, 1, None)],
)
def test_a_scale_by_comparing_reports(
    client: CourseraClient, fake: Fake, overall: float, reported: float, expected: str | None
) -> None:
    enrolled = {"externalId": "l0@X", "contentId": "python", "grade": reported}
    fake.answers["enrollmentReports"] = {"elements": [{**enrolled, "contentId": "x"}, enrolled]}
    with reading(overall) as found:
        assert resolve_scale(client, found) == expected


@pytest.mark.usefixtures("database")
def test_no_report_to_compare_is_no_obstacle(client: CourseraClient, fake: Fake) -> None:
    fake.answers["enrollmentReports"] = Response("", 403)
    with reading(1) as found:
        assert resolve_scale(client, found) is None
    with reading(0.5) as found:
        assert resolve_scale(client, found) == "unit"


@pytest.mark.usefixtures("database")
def test_a_scale_that_was_set_is_not_looked_for(make_client: Callable[..., CourseraClient]) -> None:
    client = make_client(grade_scale="unit")
    with reading(90) as found:
        assert resolve_scale(client, found) == "unit"
    assert client.requests == 0
    assert db.session.get(CourseraScale, "main") is None
