"""Pasted addresses: what each is good for, and that hostile ones lead nowhere."""

from urllib.parse import parse_qs, urlsplit

import pytest

from passport_lti.coursera.catalogue import CourseOffer, ProgramOffer
from passport_lti.coursera.judging import REASONS, LinkVerdict, judge
from passport_lti.coursera.links import course_url, program_url
from passport_lti.grades import Course, GradableItem

UNI = "https://www.coursera.org/programs/uni-abcde"
LAB = "https://www.coursera.org/programs/lab-fghij"
PYTHON, CHARTS, NEW = "CrsPYTHONpythonPYTHONa", "CrsCHARTSchartsCHARTSb", "CrsNEWnewNEWnewNEWnewc"


def _course(program: str, course: str, slug: str) -> CourseOffer:
    return CourseOffer(program, course, slug.title(), slug)


OFFERED = (
    ProgramOffer(
        "PrgUNI", "University", (_course("PrgUNI", PYTHON, "python"),
                                 _course("PrgUNI", CHARTS, "charts")), UNI,
    ),
    ProgramOffer(
        "PrgLAB", "Laboratory", (_course("PrgLAB", CHARTS, "charts"),
                                 _course("PrgLAB", NEW, "brand-new")), LAB,
    ),
)  # fmt: skip


def course_of(program_id: str, course_id: str) -> Course | None:
    items = () if course_id == NEW else (GradableItem("a1B2c", "Quiz"), GradableItem("Q73qz", "X"))
    return Course(program_id, course_id, "", items=items)


def judged(text: str, program_id: str = "") -> LinkVerdict:
    return judge(text, OFFERED, course_of, program_id)


W = "https://www.coursera.org"
IN_UNI = f"{UNI}?productType=course&productId={PYTHON}"


@pytest.mark.parametrize(
    ("address", "verdict", "reason", "course", "item"),
    [
        # items
        (f"{W}/learn/python/exam/a1B2c/module-1-quiz", "item", "item", PYTHON, "a1B2c"),
        (f"{W}/learn/python/exam/a1B2c", "item", "item", PYTHON, "a1B2c"),
        (f"{W}/learn/python/exam/a1B2c/module-1-quiz/view-attempt", "item", "item", PYTHON,
         "a1B2c"),
        (f"{W}/learn/python/item/Q73qz", "item", "item", PYTHON, "Q73qz"),
        (f"{W}/learn/python/assignment-submission/Q73qz/x", "item", "item", PYTHON, "Q73qz"),
        (f"{W}/learn/python/gradedLti/Q73qz/x?authMode=login#top", "item", "item", PYTHON,
         "Q73qz"),
        (f"{W}/learn/python/somethingNew/Q73qz/x", "item", "item", PYTHON, "Q73qz"),
        (f"{UNI}/learn/python/peer/Q73qz/project", "item", "item", PYTHON, "Q73qz"),
        (f"{IN_UNI}&itemId=a1B2c&showMiniModal=true&attemptSSOLogin=true", "item", "item", PYTHON,
         "a1B2c"),
        (f"{W}/learn/brand-new/exam/a1B2c/quiz", "item", "item_unverified", NEW, "a1B2c"),
        # items without a grade
        (f"{W}/learn/python/lecture/zz9zz/welcome", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/learn/python/supplement/zz9zz/read", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/learn/python/discussionPrompt/zz9zz/x", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/learn/python/ungradedLab/zz9zz/x", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/learn/python/ungraded-widget/zz9zz/x", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/lecture/python/a-fine-video-zz9zz", "ungraded", "ungraded", PYTHON, "zz9zz"),
        (f"{W}/learn/python/quiz/zz9zz/practice", "ungraded", "not_among_items", PYTHON, "zz9zz"),
        (f"{IN_UNI}&itemId=zz9zz", "ungraded", "not_among_items", PYTHON, "zz9zz"),
        # courses
        (f"{W}/learn/python", "course", "course", PYTHON, ""),
        (f"{W}/learn/python/", "course", "course", PYTHON, ""),
        (f"{W}/learn/Python?specialization=x", "course", "course", PYTHON, ""),
        (f"{W}/learn/python/home/welcome", "course", "course", PYTHON, ""),
        (f"{W}/learn/python/home/week/1", "course", "course", PYTHON, ""),
        (f"{W}/learn/python/home/module/1", "course", "course", PYTHON, ""),
        (f"{W}/learn/python/discussions/forums/abcdeABCDE", "course", "course", PYTHON, ""),
        (f"{UNI}/learn/python", "course", "course", PYTHON, ""),
        (IN_UNI, "course", "course", PYTHON, ""),
        (f"{UNI}?productId=Course~{PYTHON}&productType=course", "course", "course", PYTHON, ""),
        (f"{IN_UNI}&collectionId=fac3r", "course", "course", PYTHON, ""),
        (f"{W}/projects/python", "course", "course", PYTHON, ""),
        ("www.coursera.org/learn/python", "course", "course", PYTHON, ""),
        ("coursera.org/learn/python", "course", "course", PYTHON, ""),
        (f"  <{W}/learn/python>\n", "course", "course", PYTHON, ""),
        ("http://coursera.org/learn/python", "course", "course", PYTHON, ""),
        ("https://www.coursera.org:443/learn/python", "course", "course", PYTHON, ""),
        ("HTTPS://WWW.Coursera.ORG/learn/python", "course", "course", PYTHON, ""),
        # programs
        (UNI, "program", "program", "", ""),
        (f"{UNI}?collectionId=fac3r", "program", "program", "", ""),
        (f"{UNI}/browse", "program", "program", "", ""),
        # what can't be used, and why
        ("", "refused", "empty", "", ""),
        ("   \n", "refused", "empty", "", ""),
        (f"{W}/programs/other-zzzzz", "refused", "program_not_offered", "", ""),
        (f"{W}/learn/juggling", "refused", "course_not_offered", "", ""),
        (f"{UNI}?productId=CrsUNKNOWN&productType=course", "refused", "course_not_offered", "",
         ""),
        (f"{UNI}?productId=x1&productType=s12n", "refused", "several_courses", "", ""),
        (f"{W}/specializations/data-science", "refused", "several_courses", "", ""),
        (f"{W}/professional-certificates/google-it", "refused", "several_courses", "", ""),
        (W, "refused", "no_course", "", ""),
        (f"{W}/search?query=python", "refused", "no_course", "", ""),
        (f"{W}/degrees/bachelor", "refused", "no_course", "", ""),
        (f"{W}/learn", "refused", "no_course", "", ""),
        (f"{W}/learn/python/exam/a1/quiz", "refused", "no_id", "", ""),
        ("python course", "refused", "no_address", "", ""),
        ("https://www.edx.org/learn/python", "refused", "other_host", "", ""),
        ("https://moodle.example.edu/mod/lti/view.php?id=1", "refused", "other_host", "", ""),
    ],
)  # fmt: skip
def test_what_an_address_is_good_for(
    address: str, verdict: str, reason: str, course: str, item: str
) -> None:
    found = judged(address)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert (found.course_id, found.item_id) == (course, item)
    assert found.is_gradable == (verdict in ("item", "course"))
    assert found.explanation
    assert found.url.startswith(UNI if "new" not in address else LAB) == (verdict != "refused")
    if item:
        assert parse_qs(urlsplit(found.url).query)["itemId"] == [item]


HOSTILE = [
    "javascript:alert(1)",
    "javascript://www.coursera.org/learn/python%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "//www.coursera.org.evil.example/learn/python",
    "https://evil.example/https://www.coursera.org/learn/python",
    "https://www.coursera.org@evil.example/learn/python",
    "https://evil.example@www.coursera.org/learn/python",
    "https://user:secret@www.coursera.org/learn/python",
    "https://www.coursera.org.evil.example/learn/python",
    "https://evilcoursera.org/learn/python",
    "https://www.coursera.org%2eevil.example/learn/python",
    "https://www.coursera.org\\@evil.example/learn/python",
    "https:\\\\www.coursera.org\\learn\\python",
    "https://www。coursera。org/learn/python",
    "https://www.cour\u0455era.org/learn/python",
    "https://www.coursera.org\u200b/learn/python",
    "https://www.coursera\u202e.org/learn/python",
    "https://www.coursera.org:8443/learn/python",
    "https://www.coursera.org:99999/learn/python",
    "https://www.coursera.org:x/learn/python",
    "https://[::1/learn/python",
    "https://www.coursera.org/learn/py\r\nSet-Cookie: a=b",
    "https://www.coursera.org/learn/python\x00",
    "https://www.coursera.org/learn/..%2f..%2fevil",
    "https://www.coursera.org/learn/%2e%2e/evil",
    "https://www.coursera.org/learn/../../evil?x=//evil.example",
    "https://www.coursera.org/learn/python%0d%0aSet-Cookie:a=b",
    "https://www.coursera.org/learn/pyth%00on",
    "https://www.coursera.org/learn/python/exam/..%2f..%2fevil/x",
    "https://www.coursera.org/learn/python/exam/a1B2c%0d%0a/x",
    "https://www.coursera.org/learn/python/%6a%61vascript:x/a1B2c",
    f"{UNI}?productType=course&productId=../../evil?x=//evil.example",
    f"{UNI}?productType=course&productId={PYTHON}&itemId=a1B2c%26next=//evil.example",
    f"{UNI}?productType=course&productId={PYTHON}&itemId=%0d%0a",
    f"{UNI}?productType=course&productId={PYTHON}&collectionId=//evil.example",
    f"{UNI}%2f..%2f..?productType=course&productId={PYTHON}",
    "https://www.coursera.org/learn/" + "p" * 3000,
    "https://www.coursera.org/learn/python?" + "&".join("a=b" for _ in range(5000)),
    "<script>alert(1)</script>",
    "'; DROP TABLE activity; --",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_hostile_addresses_lead_nowhere(address: str) -> None:
    found = judged(address)
    assert (found.verdict, found.url, found.course_id) in (
        ("refused", "", ""),
        # What is harmless in it may count; whatever else it had is gone.
        ("course", course_url(UNI, PYTHON), PYTHON),
    )
    assert found.verdict == "refused" or "evil" not in address


@pytest.mark.parametrize(
    ("address", "chosen", "program", "elsewhere"),
    [
        (f"{W}/learn/charts", "", "PrgUNI", False),
        (f"{W}/learn/charts", "PrgLAB", "PrgLAB", False),
        (f"{W}/learn/python", "PrgLAB", "PrgUNI", True),
        (f"{LAB}/learn/charts", "", "PrgLAB", False),
        (f"{LAB}/learn/charts", "PrgUNI", "PrgLAB", True),
        (f"{LAB}/learn/python", "", "PrgUNI", True),
        (f"{W}/programs/foreign-zzzzz/learn/python", "", "PrgUNI", True),
        (f"{W}/programs/foreign-zzzzz?productId={NEW}", "PrgUNI", "PrgLAB", True),
    ],
)
def test_the_program_that_has_the_course(
    address: str, chosen: str, program: str, elsewhere: bool
) -> None:
    found = judged(address, chosen)
    assert found.verdict == "course"
    assert (found.program_id, found.is_elsewhere) == (program, elsewhere)
    assert found.url.startswith(UNI if program == "PrgUNI" else LAB)


def test_the_rewritten_address_signs_in_through_the_program() -> None:
    found = judged(f"{W}/learn/python/exam/a1B2c/quiz")
    assert found.url == course_url(UNI, PYTHON, "a1B2c")
    assert found.item_name == "Quiz" and found.course_name == "Python"
    assert judged(f"{UNI}?collectionId=fac3r").url == program_url(UNI, collection_id="fac3r")


def test_a_program_at_another_address_is_its_own_host() -> None:
    here = "http://127.0.0.1:8002/programs/uni-abcde"
    offered = [ProgramOffer("PrgUNI", "U", (_course("PrgUNI", PYTHON, "python"),), here)]
    assert judge("http://127.0.0.1:8002/learn/python", offered, course_of).verdict == "course"
    assert judge("http://127.0.0.1:8003/learn/python", offered, course_of).verdict == "refused"
    nowhere = [ProgramOffer("PrgUNI", "U", (_course("PrgUNI", PYTHON, "python"),))]
    found = judge(f"{W}/learn/python", nowhere, course_of)
    assert (found.verdict, found.url) == ("course", "")


def test_every_reason_says_what_to_do() -> None:
    assert all(text.endswith(".") and len(text) < 260 for text in REASONS.values())
