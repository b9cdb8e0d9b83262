"""The practice Coursera's API over HTTP: shapes, paging, refusals, oddities."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from passport_lti.sandbox.coursera import Course, PracticeCoursera, Program
from passport_lti.sandbox.serving import serve


class Organisation:
    """An organisation with one program, one course and two learners, and its API."""

    def __init__(self, coursera: PracticeCoursera) -> None:
        self.coursera = coursera
        self.program: Program = coursera.add_program("Data skills")
        self.course: Course = coursera.add_course(
            self.program,
            "Python Basics",
            [("Quiz", "EXAM", 20, "quiz1"), ("Essay", "PEER_REVIEW", 30), ("Test", "EXAM", 50)],
        )
        self.ana = coursera.add_person("s1", "ana@uni.example", "Ana Cruz")
        self.ben = coursera.add_person("", "ben@uni.example", "Ben Doe")
        for person in (self.ana, self.ben):
            coursera.enrol(person, self.course)
        self.http = requests.Session()
        self.base = f"{coursera.url}/ent/api/businesses.v1/{coursera.credentials.org_id}"
        self.sign_in()

    def token(self, **options: object) -> requests.Response:
        return requests.post(
            f"{self.coursera.url}/oauth2/client_credentials/token", timeout=5, **options
        )

    def sign_in(self) -> None:
        keys = self.coursera.credentials
        answer = self.token(
            data={"grant_type": "client_credentials"}, auth=(keys.api_key, keys.api_secret)
        )
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, **query: object) -> requests.Response:
        return self.http.get(f"{self.base}{path}", params=query, timeout=5)

    def rows(self, **query: object) -> list[dict]:
        whole = {"q": "search", "programId": self.program.id, "courseId": self.course.id, **query}
        answer = self.get("/courseGradebookReports", **whole)
        assert answer.status_code == 200, answer.text
        return answer.json()["elements"]

    def row(self, number: int = 0) -> dict:
        return self.rows()[number]


@pytest.fixture
def org() -> Iterator[Organisation]:
    coursera = PracticeCoursera()
    with serve(coursera.app) as server:
        coursera.url = server.url
        found = Organisation(coursera)
        yield found
        found.http.close()


def test_a_token_is_given_for_the_right_key_only(org: Organisation) -> None:
    keys, grant = org.coursera.credentials, {"grant_type": "client_credentials"}
    in_body = {**grant, "client_id": keys.api_key, "client_secret": keys.api_secret}
    value = org.token(data=in_body).json()
    refused = org.token(data=grant, auth=(keys.api_key, "wrong"))
    assert (value["expires_in"], value["token_type"]) == (1799, "Bearer")
    assert (refused.status_code, refused.text) == (401, "invalid_client")
    assert org.token(data={}, auth=(keys.api_key, keys.api_secret)).status_code == 400


def test_old_tokens_open_the_old_tree(org: Organisation) -> None:
    keys = org.coursera.credentials
    answer = requests.post(
        f"{org.coursera.url}/oauth2/v1/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": keys.refresh_token,
            "client_id": keys.api_key,
            "client_secret": keys.api_secret,
        },
        timeout=5,
    )
    old = requests.get(
        f"{org.coursera.url}/api/businesses.v1/{keys.org_id}/programs",
        headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
        timeout=5,
    )
    assert [program["id"] for program in old.json()["elements"]] == [org.program.id]


def test_requests_without_a_good_token_are_refused(org: Organisation) -> None:
    assert requests.get(org.base, timeout=5).status_code == 401
    org.coursera.clock_offset = 1800
    assert org.get("").status_code == 401
    org.sign_in()
    assert org.get("").json()["id"] == org.coursera.credentials.org_id
    org.coursera.revoke_tokens()
    assert org.get("").status_code == 401


def test_a_slug_is_a_bad_request_and_a_strange_id_is_unknown(org: Organisation) -> None:
    tree = f"{org.coursera.url}/ent/api/businesses.v1"
    assert org.http.get(f"{tree}/{org.coursera.slug}/programs", timeout=5).status_code == 400
    assert org.http.get(f"{tree}/{'A' * 22}/programs", timeout=5).status_code == 404
    assert org.get(f"/programs/{org.program.slug}/memberships").status_code == 400
    refused = org.get("/programs/nowhere/memberships")
    assert (refused.status_code, refused.json()["errorCode"]) == (404, "NOT_FOUND")
    assert org.get("/courseGradebookReports").status_code == 400
    assert org.get("/enrollmentReports", q="byProgramId").status_code == 400


def test_the_catalogue_names_programs_courses_and_outline(org: Organisation) -> None:
    (program,) = org.get("/programs").json()["elements"]
    (content,) = org.get("/contents").json()["elements"]
    path = f"/programs/{org.program.id}/courseMaterials/{org.course.id}"
    outline = org.get(path).json()
    types = [
        item["itemType"]
        for module in outline["modules"]
        for lesson in module["lessons"]
        for item in lesson["items"]
    ]
    assert program["url"] == f"{org.coursera.url}/programs/{org.program.slug}"
    assert program["contentIds"] == [{"contentId": org.course.id, "contentType": "Course"}]
    assert content["id"] == f"Course~{org.course.id}"
    assert content["programs"][0]["contentUrl"].startswith(program["url"])
    assert [kind for kind in types if kind not in ("VIDEO", "SUPPLEMENT")] == [
        "EXAM",
        "PEER_REVIEW",
        "EXAM",
    ]
    assert len(types) == 9
    assert "contentIds" not in org.get("/programs", excludeContent="true").json()["elements"][0]
    assert org.get("/contents", contentType="Specialization").json()["elements"] == []
    org.coursera.traps.outline = False
    assert org.get(path).status_code == 404


def test_a_gradebook_row_weighs_what_was_graded(org: Organisation) -> None:
    org.coursera.grade(org.ana, org.course, "Quiz", 90)
    org.coursera.grade(org.ana, org.course, "Test", 70.5)
    row, other = org.row(), org.row(1)
    graded = {item["itemName"]: item["itemGrade"] for item in row["itemGradebooks"]}
    assert graded == {"Quiz": 90, "Essay": None, "Test": 70.5}
    assert [item["isItemPassed"] for item in row["itemGradebooks"]] == [True, False, False]
    assert row["overallCourseGrade"] == 53.25 == org.coursera.overall(org.ana, org.course)
    assert (row["externalId"], other["externalId"]) == ("s1", "ben@uni.example")
    assert (row["overallProgress"], row["isCompleted"]) == (22, False)
    assert [item["itemOrder"] for item in row["itemGradebooks"]] == [3, 6, 9]
    assert row["itemGradebooks"][0]["itemId"] == "quiz1"
    assert other["overallCourseGrade"] is None


def test_the_enrollment_report_has_fractions_whatever_the_scale(org: Organisation) -> None:
    org.coursera.grade(org.ana, org.course, "Test", 70)
    query = {"q": "byUserProgramId", "programId": org.program.id, "externalId": "s1"}
    (row,) = org.get("/enrollmentReports", **query).json()["elements"]
    later = {"lastActivityAfter": row["lastActivityAt"]}
    assert (row["grade"], row["contentId"]) == (0.35, org.course.id)
    assert org.get("/enrollmentReports", **query, **later).json()["elements"] == []
    assert "grade" not in org.get("/enrollmentReports").json()["elements"][1]


def test_passing_every_item_completes_and_later_regrades_do_not_undo_it(
    org: Organisation,
) -> None:
    for name in ("Quiz", "Essay", "Test"):
        org.coursera.grade(org.ana, org.course, name, 80)
    assert org.row()["isCompleted"] is True
    org.coursera.grade(org.ana, org.course, "Test", 10)
    assert (org.row()["isCompleted"], org.row()["overallProgress"]) == (True, 100)
    org.coursera.complete(org.ana, org.course, completed=False)
    assert org.row()["isCompleted"] is False


def test_scale_gaps_and_spelling_are_switches(org: Organisation) -> None:
    org.coursera.grade(org.ana, org.course, "Quiz", 90)
    traps = org.coursera.traps
    traps.scale, traps.items_key, traps.missing_grade = "unit", "items", "absent"
    row = org.row()
    assert row["items"][0]["itemGrade"] == 0.9
    assert row["items"][0]["itemWeight"] == 0.2
    assert row["overallCourseGrade"] == 0.18
    assert "itemGrade" not in row["items"][1]
    assert "completedAt" not in row
    traps.reset()
    traps.numbers_as_text, traps.ungraded_overall = True, "zero"
    assert org.row()["itemGradebooks"][0]["itemGrade"] == "90"
    assert org.row(1)["overallCourseGrade"] == "0"
    with pytest.raises(ValueError, match="scale"):
        traps.scale = "fraction"
    with pytest.raises(AttributeError, match="skale"):
        traps.skale = "unit"


def test_people_are_named_as_the_switches_say(org: Organisation) -> None:
    traps = org.coursera.traps
    traps.external_id_empty = traps.mixed_case = True
    assert (org.row()["externalId"], org.row()["email"]) == ("Ana@Uni.Example",) * 2
    traps.email_absent = True
    assert "email" not in org.row()
    traps.reset()
    org.coursera.change_email(org.ana, "ana.private@mail.example")
    assert org.row()["email"] == "ana.private@mail.example"
    assert len(org.rows(emailOrExternalId="ANA.PRIVATE@mail.example")) == 1


def walk(org: Organisation, limit: int = 2, most: int = 6) -> list[tuple[object, int]]:
    """(next, number of rows) of the pages that following `next` visits."""
    seen: list[tuple[object, int]] = []
    start: object = "0"
    while start is not None and len(seen) < most:
        value = org.get(
            "/courseGradebookReports", q="search", courseId=org.course.id, start=start, limit=limit
        ).json()
        start = value["paging"].get("next")
        seen.append((start, len(value["elements"])))
    return seen


def test_pages_end_or_go_round_as_the_switch_says(org: Organisation) -> None:
    org.coursera.fill(org.course, 3)
    traps = org.coursera.traps
    assert walk(org) == [("2", 2), ("4", 2), (None, 1)]
    traps.next_kind = "number"
    assert walk(org) == [(2, 2), (4, 2), (None, 1)]
    traps.next_kind = "opaque"
    assert walk(org) == [("pg.9", 2), ("pg.11", 2), (None, 1)]
    traps.next_kind = "repeat"
    assert walk(org, most=3) == [("2", 2), ("2", 2), ("2", 2)]
    traps.next_kind = "cycle"
    assert walk(org, most=4) == [("2", 2), ("4", 2), ("0", 1), ("2", 2)]
    traps.reset()
    traps.empty_last_page = traps.omit_total = True
    assert walk(org) == [("2", 2), ("4", 2), ("6", 1), (None, 0)]
    assert "total" not in org.get("/users").json()["paging"]
    traps.largest_page = 1
    assert walk(org, limit=50, most=1) == [("1", 1)]
    assert org.get("/users", start="later").status_code == 400
    assert org.get("/users", limit="0").status_code == 400


def test_delayed_reports_show_the_past(org: Organisation) -> None:
    coursera = org.coursera
    coursera.grade(org.ana, org.course, "Quiz", 60)
    coursera.clock_offset = 1000
    coursera.grade(org.ana, org.course, "Quiz", 90)
    coursera.enrol(coursera.add_person("s3", "cy@uni.example", "Cy"), org.course)
    assert (org.row()["itemGradebooks"][0]["itemGrade"], len(org.rows())) == (90, 3)
    coursera.traps.delay = timedelta(seconds=500)
    assert (org.row()["itemGradebooks"][0]["itemGrade"], len(org.rows())) == (60, 2)
    coursera.traps.reset()
    coursera.traps.enrolment_delay = timedelta(seconds=500)
    assert len(org.get("/enrollmentReports").json()["elements"]) == 2
    assert len(org.rows()) == 3


def test_deleted_members_come_on_demand(org: Organisation) -> None:
    org.coursera.remove_person(org.ana)
    assert [row["externalId"] for row in org.rows()] == ["ben@uni.example"]
    first, second = org.rows(includeDeletedMembers="true")
    assert first["deletedAt"] > 0
    assert "deletedAt" not in second


def test_a_changing_course_shows_at_once(org: Organisation) -> None:
    coursera, course = org.coursera, org.course
    coursera.grade(org.ana, course, "Quiz", 90)
    coursera.rename_item(course, "Quiz", "First quiz")
    coursera.set_weight(course, "First quiz", 50)
    coursera.remove_item(course, "Test")
    coursera.add_item(course, "Exam", weight=20, id="final")
    row = org.row()
    listed = [(i["itemId"], i["itemName"], i["itemWeight"]) for i in row["itemGradebooks"]]
    assert listed[0] == ("quiz1", "First quiz", 50)
    assert listed[-1] == ("final", "Exam", 20)
    assert (len(listed), row["overallCourseGrade"]) == (3, 45)
    coursera.new_version(course)
    assert [item["itemGrade"] for item in org.row()["itemGradebooks"]] == [None] * 3


def test_somebody_in_two_programs_has_two_rows(org: Organisation) -> None:
    second = org.coursera.add_program("More skills")
    org.coursera.share_course(org.course, second)
    org.coursera.enrol(org.ana, org.course, second)
    org.coursera.grade(org.ana, org.course, "Quiz", 50)
    org.coursera.grade(org.ana, org.course, "Quiz", 75, program=second)
    rows = org.get("/courseGradebookReports", q="search", emailOrExternalId="s1").json()["elements"]
    found = {row["programId"]: row["itemGradebooks"][0]["itemGrade"] for row in rows}
    assert found == {org.program.id: 50, second.id: 75}


def test_people_are_invited_made_members_enrolled_and_removed(org: Organisation) -> None:
    place = f"{org.base}/programs/{org.program.id}"
    cy = {"externalId": "s9", "email": "cy@uni.example", "fullName": "Cy", "sendEmail": False}

    def post(path: str, body: object) -> requests.Response:
        return org.http.post(f"{place}/{path}", json=body, timeout=5)

    assert post("invitations", cy).json()["id"] == f"{org.program.id}~s9"
    assert post("invitations", cy).json()["errorCode"] == "INVITATION_ALREADY_EXISTS"
    assert post("memberships", cy).status_code == 200
    assert post("memberships", cy).json()["errorCode"] == "MEMBERSHIP_ALREADY_EXISTS"
    enrol = {"externalId": "s9", "contentType": "Course", "contentId": org.course.id}
    assert post("programEnrollments", {**enrol, "action": "ENROLL"}).json()["state"] == "ENROLLED"
    again = post("programEnrollments", {**enrol, "action": "ENROLL"})
    assert (again.status_code, again.json()["errorCode"]) == (400, "ALREADY_ENROLLED")
    assert [row["externalId"] for row in org.rows()][-1] == "s9"
    gone = org.http.delete(f"{place}/memberships/{org.program.id}~s9", timeout=5)
    assert gone.status_code == 200
    assert len(org.get(f"/programs/{org.program.id}/memberships").json()["elements"]) == 2
    assert len(org.get("/users").json()["elements"]) == 3
    assert post("memberships", {"email": "nobody"}).status_code == 400


def test_faults_happen_as_often_as_asked_and_the_ledger_knows(org: Organisation) -> None:
    faults = org.coursera.faults
    org.coursera.ledger.clear()
    faults.add("/programs", status=429, times=2, headers={"Retry-After": "1"}, body="slow down")
    first = org.get("/programs")
    assert (first.status_code, first.headers["Retry-After"], first.text) == (429, "1", "slow down")
    assert [org.get("/programs").status_code for _ in range(2)] == [429, 200]
    faults.add("GET", truncate=True)
    with pytest.raises(requests.JSONDecodeError):
        org.get("/programs").json()
    dropped = faults.add("/contents", drop=True)
    with pytest.raises(requests.ConnectionError):
        org.get("/contents")
    assert (dropped.hits, dropped.remaining) == (1, 0)
    assert org.coursera.count("programs") == 4
    assert org.coursera.count("programs", status=429) == 2
    assert org.coursera.count(status=0) == 1


def test_the_same_seed_fills_the_same_grades(org: Organisation) -> None:
    people = org.coursera.fill(org.course, 20)
    other = PracticeCoursera()
    course = other.add_course(other.add_program("Data skills"), "Python Basics")
    alike = other.fill(course, 20)
    assert people[4].email == "learner5@campus.example"
    assert len(org.rows()) == 22
    first = [
        list(e.standing.grades.values()) for e in org.coursera.enrollments(course=org.course)[2:]
    ]
    assert first == [list(e.standing.grades.values()) for e in other.enrollments(person=None)]
    assert org.coursera.fill(org.course, 20)[0] is people[0]
    assert len(alike) == 20
