"""The documentation keeps up with the code: no code unexplained, no link or picture missing."""

import ast
import re
from pathlib import Path

import pytest

import passport_lti
from passport_lti.lti.explanations import EXPLANATIONS
from passport_lti.sync.reasons import REMEDIES, SEATS

ROOT = Path(__file__).parents[2]
SOURCE = Path(passport_lti.__file__).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LARGEST = 100_000
"""Bytes of a picture."""


def explained() -> set[str]:
    """The codes that begin a row of the troubleshooting page and are followed by something."""
    text = (ROOT / "docs/troubleshooting.md").read_text()
    return set(re.findall(r"^\| `(\w+)` \| .*\w.* \|$", text, re.MULTILINE))


def refused() -> set[str]:
    """The codes that a LaunchRefused is made with, as far as they are written out."""
    found = set[str]()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LaunchRefused":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
    return found


def test_every_code_of_a_refused_message_is_explained() -> None:
    assert {"keyset", "session", "malformed"} <= refused()
    assert refused() | set(EXPLANATIONS) <= explained()
    assert refused() <= set(EXPLANATIONS)


def test_every_reason_is_explained() -> None:
    assert set(REMEDIES) | set(SEATS) <= explained()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        place, _, part = target.partition("#")
        there = page.parent / place if place else page
        assert there.exists(), f"{page.name} links to {target}"
        if part:
            titles = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert part in anchors, f"{page.name} links to {target}"


def test_pictures_are_small_and_all_of_them_are_shown() -> None:
    texts = "".join(page.read_text() for page in PAGES)
    pictures = sorted((ROOT / "docs/pictures").glob("*.png"))
    assert len(pictures) >= 8
    for picture in pictures:
        assert picture.stat().st_size < LARGEST, picture.name
        assert f"pictures/{picture.name}" in texts, picture.name
