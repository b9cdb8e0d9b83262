"""Any Coursera address that somebody pasted: what it names, and nothing of it is ever followed.

Pure. Only ids and slugs are taken out, each checked; whoever goes there goes by an address that
`links` makes from the catalogue (H57 of the facts).
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from passport_lti.coursera import outline
from passport_lti.coursera.rows import is_id

LONGEST = 2000
HOSTS = frozenset(("coursera.org", "www.coursera.org"))

UNGRADED = outline.UNGRADED | {"dialogue", "ungradedquiz"}
"""Kinds of items without a grade, as they stand in addresses (facts, 3.15), without hyphens."""
_ITEM_KINDS = frozenset(
    ("exam", "quiz", "programming", "gradedprogramming", "peer", "phasedpeer", "staffgraded",
     "gradedlti", "gradedlab", "gradeddiscussionprompt", "assignmentsubmission", "assignment",
     "item", "teammate", "splitpeerreviewitem")
)  # fmt: skip
_PAGES = frozenset(
    ("home", "assignments", "info", "discussions", "resources", "classmates", "notes", "welcome",
     "module", "week", "reviews", "instructors", "faq", "certificate", "course-inbox", "updates")
)  # fmt: skip
"""Pages of a course that are no item."""
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,254})")
_ITEM = re.compile(r"[A-Za-z0-9_-]{4,64}")
_SEVERAL = ("specializations", "professional-certificates", "mastertrack", "certificates")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")
"""Categories of characters that nobody sees, or that no address has unescaped."""

Kind = Literal["program", "course", "item"]


class NoLink(ValueError):
    """An address that leads to nothing here; `reason` is a code of `judging.REASONS`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Pasted:
    """What an address names; empty: it does not say. Courses come by id or by slug."""

    kind: Kind
    program_slug: str = ""
    course_id: str = ""
    course_slug: str = ""
    item_id: str = ""
    item_kind: str = ""
    collection_id: str = ""

    @property
    def is_ungraded(self) -> bool:
        return self.item_kind in UNGRADED


def read_link(text: str, hosts: Collection[str] = ()) -> Pasted:
    """What an address names. Raises NoLink.

    `hosts` are those of the organisation's programs (with a port, if it has one), besides
    Coursera's own.
    """
    address = _tidied(text)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NoLink("no_address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise NoLink("no_address")
    if "@" in parts.netloc:
        raise NoLink("other_host")
    named = f"{host}:{port}" if port and port not in (80, 443) else host
    if named not in HOSTS and named not in {known.lower() for known in hosts}:
        raise NoLink("other_host")
    steps = [unquote(step) for step in parts.path.split("/") if step]
    query = dict(parse_qsl(parts.query, max_num_fields=50) if parts.query.count("&") < 50 else ())
    return _named(steps, query)


def _tidied(text: str) -> str:
    """The address as one would type it: no spaces or brackets around, with a scheme."""
    address = text.strip(" \t\r\n<>")
    if not address:
        raise NoLink("empty")
    if len(address) > LONGEST or "\\" in address:
        raise NoLink("no_address")
    if any(unicodedata.category(letter) in _HIDDEN for letter in address):
        raise NoLink("no_address")
    if re.match(r"(www\.)?coursera\.org(/|$)", address, re.IGNORECASE):
        address = f"https://{address}"
    return address


def _named(steps: list[str], query: dict[str, str]) -> Pasted:
    match steps:
        case ["programs", slug, "learn", course, *rest]:
            return _in_course(_slug(slug), course, rest)
        case ["programs", slug, *_]:
            return _in_program(_slug(slug), query)
        case ["learn", course, *rest]:
            return _in_course("", course, rest)
        case ["lecture", course, *rest]:
            item = rest[0].rpartition("-")[2] if rest else ""
            kind: Kind = "item" if _ITEM.fullmatch(item) else "course"
            return Pasted(kind, course_slug=_slug(course), item_id=item if kind == "item" else "",
                          item_kind="lecture" if kind == "item" else "")  # fmt: skip
        case [several, _, *_] if several in _SEVERAL:
            raise NoLink("several_courses")
        case ["projects", course, *_]:
            return Pasted("course", course_slug=_slug(course))
    raise NoLink("no_course")


def _in_program(program: str, query: dict[str, str]) -> Pasted:
    course, item = query.get("productId", "").strip(), query.get("itemId", "").strip()
    collection = query.get("collectionId", "").strip()
    if any(value and not is_id(value) for value in (course, item, collection)):
        raise NoLink("no_id")
    if not course:
        return Pasted("program", program, collection_id=collection)
    if query.get("productType", "course").lower() != "course":
        raise NoLink("several_courses")
    course_id = course.removeprefix("Course~")
    kind: Kind = "item" if item else "course"
    return Pasted(kind, program, course_id=course_id, item_id=item, collection_id=collection)


def _in_course(program: str, course: str, rest: list[str]) -> Pasted:
    slug = _slug(course)
    place = Pasted("course", program, course_slug=slug)
    if len(rest) < 2 or rest[0].lower() in _PAGES:
        return place
    kind, item = rest[0].replace("-", "").lower(), rest[1]
    if not _SLUG.fullmatch(rest[0]) or not _ITEM.fullmatch(item):
        raise NoLink("no_id")
    if kind not in UNGRADED and kind not in _ITEM_KINDS and len(item) != 5:
        # A page of the course that we do not know; items are called by five characters.
        return place
    return Pasted("item", program, course_slug=slug, item_id=item, item_kind=kind)


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise NoLink("no_id")
    return text.lower()
