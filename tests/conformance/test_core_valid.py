"""C13 to C30: the valid launches of the certification suite, with the right role and data."""

from typing import Any

import pytest
import requests

from conformance.bench import ABSENT, ROLE, Bench

UNKNOWN = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
SYSTEM = "http://purl.imsglobal.org/vocab/lis/v2/system/person#User"
NO_NAMES = {"name": ABSENT, "given_name": ABSENT, "family_name": ABSENT}
NO_EXT = {"ext": {"lms": "other"}, "lis": ABSENT}
NAMES = {"name": "Una Usual", "given_name": "Una", "family_name": "Usual"}
EMAIL = {"email": "una@example.edu"}


def at_the_teachers_page(answer: requests.Response) -> None:
    assert answer.status_code == 303 and "/activities/" in answer.headers["Location"]


def at_coursera(answer: requests.Response) -> None:
    assert answer.status_code == 303 and "/go/" in answer.headers["Location"]


def with_least_privilege(answer: requests.Response) -> None:
    assert answer.status_code == 200 and "takes no part in grading" in answer.text
    assert "/activities/" not in answer.text and "Sync now" not in answer.text


def stored(
    bench: Bench, sub: str, claims: dict[str, Any], teaching: bool = False
) -> tuple[requests.Response, str, str, set[str]]:
    person = bench.teacher if teaching else bench.learner
    answer = bench.accepted(bench.launch({"sub": sub, **claims}, person=person))
    return answer, *bench.member(sub)


def test_c13_instructor(bench: Bench) -> None:
    answer, *kept = stored(bench, "c13", {**NAMES, **EMAIL}, teaching=True)
    at_the_teachers_page(answer)
    assert kept == ["Una Usual", "una@example.edu", {"instructor"}]
    page = bench.browser.get(bench.url + answer.headers["Location"])
    assert page.status == 200 and "Python Basics" in page.text


def test_c14_instructor_with_several_roles(bench: Bench) -> None:
    roles = {"roles": [SYSTEM, UNKNOWN, ROLE + "Instructor", ROLE + "Mentor"]}
    answer, _, _, kept = stored(bench, "c14", roles, teaching=True)
    at_the_teachers_page(answer)
    assert kept == {"instructor"}


def test_c15_instructor_with_a_short_role(bench: Bench) -> None:
    answer, _, _, kept = stored(bench, "c15", {"roles": ["Instructor"]}, teaching=True)
    at_the_teachers_page(answer)
    assert kept == {"instructor"}


def test_c16_unknown_role_of_a_teacher(bench: Bench) -> None:
    answer, _, _, kept = stored(bench, "c16", {"roles": [UNKNOWN]}, teaching=True)
    with_least_privilege(answer)
    assert kept == {"none"}


@pytest.mark.parametrize("roles", [[], [""]])
def test_c17_teacher_without_a_role(bench: Bench, roles: list[str]) -> None:
    answer, _, _, kept = stored(bench, f"c17-{len(roles)}", {"roles": roles}, teaching=True)
    with_least_privilege(answer)
    assert kept == {"none"}


def test_c18_teacher_with_an_email_only(bench: Bench) -> None:
    answer, *kept = stored(bench, "c18", {**NO_NAMES, **NO_EXT, **EMAIL}, teaching=True)
    at_the_teachers_page(answer)
    assert kept == ["", "una@example.edu", {"instructor"}]


def test_c19_teacher_with_names_only(bench: Bench) -> None:
    claims = {"email": ABSENT, "name": ABSENT, "given_name": "Una", "family_name": "Usual"}
    answer, *kept = stored(bench, "c19", claims, teaching=True)
    at_the_teachers_page(answer)
    assert kept == ["Una Usual", "", {"instructor"}]


def test_c20_teacher_without_personal_data(bench: Bench) -> None:
    claims = {**NO_NAMES, **NO_EXT, "email": ABSENT}
    answer, *kept = stored(bench, "c20", claims, teaching=True)
    at_the_teachers_page(answer)
    assert kept == ["", "", {"instructor"}]


def test_c21_teacher_without_a_context(bench: Bench) -> None:
    claims = {**NO_NAMES, **EMAIL, "context": ABSENT}
    answer, *kept = stored(bench, "c21", claims, teaching=True)
    assert answer.status_code == 200
    assert kept == ["", "una@example.edu", set()]


def test_c22_student(bench: Bench) -> None:
    answer, *kept = stored(bench, "c22", {**NAMES, **EMAIL})
    at_coursera(answer)
    assert kept == ["Una Usual", "una@example.edu", {"learner"}]


def test_c23_student_with_several_roles(bench: Bench) -> None:
    answer, _, _, kept = stored(
        bench, "c23", {"roles": [UNKNOWN, SYSTEM, ROLE + "Learner", ROLE + "Mentor"]}
    )
    at_coursera(answer)
    assert kept == {"learner"}


def test_c24_student_with_a_short_role(bench: Bench) -> None:
    answer, _, _, kept = stored(bench, "c24", {"roles": ["Learner"]})
    at_coursera(answer)
    assert kept == {"learner"}


def test_c25_unknown_role_of_a_student(bench: Bench) -> None:
    answer, _, _, kept = stored(bench, "c25", {"roles": [UNKNOWN]})
    with_least_privilege(answer)
    assert kept == {"none"}


@pytest.mark.parametrize("roles", [[], [""]])
def test_c26_student_without_a_role(bench: Bench, roles: list[str]) -> None:
    answer, _, _, kept = stored(bench, f"c26-{len(roles)}", {"roles": roles})
    with_least_privilege(answer)
    assert kept == {"none"}


def test_c27_student_with_an_email_only(bench: Bench) -> None:
    answer, *kept = stored(bench, "c27", {**NO_NAMES, **NO_EXT, **EMAIL})
    at_coursera(answer)
    assert kept == ["", "una@example.edu", {"learner"}]


def test_c28_student_with_names_only(bench: Bench) -> None:
    answer, *kept = stored(bench, "c28", {**NAMES, "email": ABSENT})
    at_coursera(answer)
    assert kept == ["Una Usual", "", {"learner"}]


def test_c29_student_without_personal_data(bench: Bench) -> None:
    answer, *kept = stored(bench, "c29", {**NO_NAMES, **NO_EXT, "email": ABSENT})
    at_coursera(answer)
    assert kept == ["", "", {"learner"}]


def test_c30_student_without_a_context(bench: Bench) -> None:
    answer, *kept = stored(bench, "c30", {**NO_NAMES, **EMAIL, "context": ABSENT})
    assert answer.status_code == 200
    assert kept == ["", "una@example.edu", set()]
