"""The practice Coursera's pages over HTTP: a learner's way, and the control room."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests

from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.serving import serve


@pytest.fixture
def coursera() -> Iterator[PracticeCoursera]:
    found = PracticeCoursera()
    with serve(found.app) as server:
        found.url = server.url
        program = found.add_program("Data skills")
        found.add_course(program, "Python Basics", [("Quiz", "EXAM", 100, "quiz1")])
        found.add_person("s1", "ana@uni.example", "Ana <b>Cruz</b>")
        yield found


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def launch(coursera: PracticeCoursera, **more: str) -> str:
    (program,), (course,) = coursera.programs, coursera.courses.values()
    query = {"attemptSSOLogin": "true", "productType": "course", "productId": course.id, **more}
    return f"{program.url}?{urlencode(query)}"


def press(http: requests.Session, page: requests.Response, action: str, **fields: str):
    """Send the first form whose action has `action`, with its hidden fields."""
    for found, inside in re.findall(
        r'<form method="post" action="(.*?)".*?>(.*?)</form>', page.text, re.S
    ):
        if action in found:
            hidden = re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', inside)
            values = {name: value.replace("&amp;", "&") for name, value in hidden}
            root = "/".join(page.url.split("/")[:3])
            return http.post(root + found, data={**values, **fields}, timeout=5)
    raise AssertionError(f"no form for {action} on {page.url}")


def test_a_learner_goes_from_the_launch_to_a_grade(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    ana, course = coursera.person("s1"), next(iter(coursera.courses.values()))
    page = http.get(launch(coursera, itemId="quiz1", authProvider="campus"), timeout=5)
    assert "sign-in of <strong>campus</strong>" in page.text
    page = press(http, page, "/signin", person=ana.key)
    assert "first visit" in page.text
    page = press(http, page, "/signin/link", choice="new")
    assert "Signed in as <strong>Ana &lt;b&gt;Cruz&lt;/b&gt;</strong>" in page.text
    page = press(http, page, "/join")
    page = press(http, page, "/enrol")
    assert page.url.endswith("/learn/python-basics/item/quiz1")
    page = press(http, page, "/item/quiz1", score="85")
    assert "Your grade is <strong>85 %</strong>" in page.text
    assert coursera.overall(ana, course) == 85
    assert [arrival.parameters["itemId"] for arrival in coursera.arrivals] == ["quiz1"]
    again = http.get(launch(coursera, itemId="quiz1"), timeout=5)
    assert again.url.endswith("/item/quiz1")
    refused = http.post(again.url, data={"score": "101"}, timeout=5)
    assert (refused.status_code, coursera.overall(ana, course)) == (400, 85)


def test_an_old_account_keeps_its_private_address(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    page = http.get(launch(coursera), timeout=5)
    page = press(http, page, "/signin", person=coursera.person("s1").key)
    page = press(http, page, "/signin/link", choice="existing", email="ana@home.example")
    assert coursera.person("s1").email == "ana@home.example"
    assert "Join Data skills" in page.text


def test_somebody_new_has_no_external_id(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    sign_in = f"{coursera.url}/signin"
    http.post(sign_in, data={"new": "1", "name": "Ben", "email": "ben@uni.example"}, timeout=5)
    assert coursera.person("ben@uni.example").external_id == ""
    twice = {"new": "1", "name": "Ben", "email": "Ben@uni.example"}
    assert "has an account already" in http.post(sign_in, data=twice, timeout=5).text
    assert len(coursera.people) == 2


def test_links_to_nowhere_are_explained(coursera: PracticeCoursera, http: requests.Session) -> None:
    ana = coursera.person("s1")
    ana.linked = True
    course = next(iter(coursera.courses.values()))
    coursera.enrol(ana, course)
    http.post(f"{coursera.url}/signin", data={"person": ana.key}, timeout=5)
    gone = http.get(launch(coursera, itemId="gone1"), timeout=5)
    strange = http.get(launch(coursera, productId="A" * 22), timeout=5)
    assert "(gone1) that this course does not have" in gone.text
    assert "does not offer" in strange.text
    assert http.get(f"{coursera.url}/programs/nowhere", timeout=5).status_code == 404


def test_signing_in_leads_to_pages_of_this_site_only(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    ana = coursera.person("s1")
    ana.linked = True
    places = []
    for wanted in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/control"):
        answer = http.post(
            f"{coursera.url}/signin",
            data={"person": ana.key, "next": wanted},
            timeout=5,
            allow_redirects=False,
        )
        places.append(answer.headers["Location"])
    assert places == ["/", "/", "/", "/control"]


def test_a_watched_video_is_progress_without_a_grade(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    ana, course = coursera.person("s1"), next(iter(coursera.courses.values()))
    ana.linked = True
    enrollment = coursera.enrol(ana, course)
    http.post(f"{coursera.url}/signin", data={"person": ana.key}, timeout=5)
    video = course.all_items[0]
    page = http.get(
        f"{coursera.url}/learn/{course.slug}/lecture/{video.id}/{video.name}", timeout=5
    )
    press(http, page, f"/item/{video.id}")
    assert enrollment.progress(enrollment.standing) == 33
    assert coursera.overall(ana, course) is None


def test_the_control_room_changes_grades_items_and_traps(
    coursera: PracticeCoursera, http: requests.Session
) -> None:
    ana, course = coursera.person("s1"), next(iter(coursera.courses.values()))
    coursera.enrol(ana, course)
    room = f"{coursera.url}/control/courses/{course.id}"

    def post(path: str, **fields: str) -> int:
        return http.post(f"{room}/{path}", data=fields, timeout=5).status_code

    assert post("grade", person=ana.key, item="quiz1", percent="40") == 200
    assert coursera.overall(ana, course) == 40
    assert post("grade", person=ana.key, item="quiz1", percent="140") == 400
    assert post("items", action="add", name="Essay", type="PEER_REVIEW", weight="100") == 200
    assert coursera.overall(ana, course) == 20
    assert post("items", action="save", item="quiz1", name="First quiz", weight="300") == 400
    assert post("items", action="save", item="quiz1", name="First quiz", weight="0") == 200
    assert [(i.name, i.weight) for i in course.items] == [("First quiz", 0), ("Essay", 100)]
    assert post("items", action="remove", item=course.item("Essay").id) == 200
    assert [item.name for item in course.items] == ["First quiz"]
    assert post("complete", person=ana.key, completed="yes") == 200
    assert "✓" in http.get(room, timeout=5).text
    page = http.get(f"{coursera.url}/control", timeout=5)
    fields = {"scale": "unit", "delay": "36", "mixed_case": "on", "largest_page": "5"}
    rest = {name: value for name, value in vars(coursera.traps).items() if isinstance(value, str)}
    press(http, page, "/control/traps", **{**rest, **fields})
    traps = coursera.traps
    assert (traps.scale, traps.delay.total_seconds(), traps.largest_page) == ("unit", 129600, 5)
    assert (traps.mixed_case, traps.outline) == (True, False)
