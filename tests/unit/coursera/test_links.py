"""Addresses into Coursera's pages."""

from urllib.parse import parse_qs, urlsplit

import pytest

from passport_lti.coursera.links import course_url, program_url

PROGRAM = "https://www.coursera.org/programs/uni-abcde"


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def test_a_course_in_its_program() -> None:
    url = course_url(PROGRAM, "crs")
    assert url.startswith(PROGRAM + "?")
    assert query(url) == {
        "showMiniModal": ["true"],
        "attemptSSOLogin": ["true"],
        "productType": ["course"],
        "productId": ["crs"],
    }


def test_an_item_and_an_identity_provider() -> None:
    found = query(course_url(PROGRAM, "crs", "it~1", "my idp&x"))
    assert found["itemId"] == ["it~1"]
    assert found["authProvider"] == ["my idp&x"]
    assert found["authMode"] == ["login"]


def test_the_programs_own_query_and_host_stay() -> None:
    url = course_url("http://127.0.0.1:8002/programs/uni?lang=en#top", "crs")
    assert urlsplit(url).netloc == "127.0.0.1:8002"
    assert urlsplit(url).fragment == ""
    assert query(url)["lang"] == ["en"]
    assert query(url)["productId"] == ["crs"]


@pytest.mark.parametrize(
    ("program", "course", "item"),
    [
        ("", "crs", None),
        ("javascript:alert(1)", "crs", None),
        ("/programs/x", "crs", None),
        ("https://", "crs", None),
        ("https://www.coursera.org@evil.example/programs/x", "crs", None),
        ("https://www.coursera.org\\@evil.example/", "crs", None),
        ("https://www.coursera.org/programs/x\r\nSet-Cookie: a=b", "crs", None),
        ("https://[::1/programs/x", "crs", None),
        (PROGRAM, "", None),
        (PROGRAM, "../../evil?x=//evil.example", None),
        (PROGRAM, "crs", "..\u3002/evil"),
        (PROGRAM, "a/b", None),
        (PROGRAM, "a&x=y", None),
        (PROGRAM, "crs\n", None),
        (PROGRAM, "crs", "a b"),
        (PROGRAM, "crs", "a" * 65),
    ],
)
def test_what_is_no_address(program: str, course: str, item: str | None) -> None:
    with pytest.raises(ValueError):
        course_url(program, course, item)


def test_a_program_and_a_collection_of_it() -> None:
    assert query(program_url(PROGRAM)) == {"attemptSSOLogin": ["true"]}
    found = query(program_url(PROGRAM, "idp", "fac3r"))
    assert found["collectionId"] == ["fac3r"] and found["authProvider"] == ["idp"]
    assert query(course_url(PROGRAM, "crs", collection_id="fac3r"))["collectionId"] == ["fac3r"]
    with pytest.raises(ValueError):
        program_url(PROGRAM, collection_id="a/b")
