"""What a pasted Coursera address is good for here: gradable or not, where it leads, and why not.

Pure: what is offered comes as values, the items of a course by a function that looks them up.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from passport_lti.coursera.links import course_url, is_address, program_url
from passport_lti.coursera.pasted import NoLink, Pasted, read_link
from passport_lti.grades import Course
from passport_lti.words import N_

if TYPE_CHECKING:
    from passport_lti.coursera.catalogue import CourseOffer, ProgramOffer

Verdict = Literal["item", "course", "program", "ungraded", "refused"]

REASONS = {
    "item": N_("This is a graded item: it can be an activity with a column of its own."),
    "item_unverified": N_(
        "The graded items of this course are not known yet, so it can't be said whether this is "
        "one of them. They appear once its first learner has enrolled."
    ),
    "course": N_("This is a course: it can be an activity, with the course grade as its column."),
    "program": N_("This is the whole program. Choose one of its courses."),
    "ungraded": N_(
        "This is a video, a reading or practice: Coursera gives no grade for it. Choose a graded "
        "item of the course, or the course itself."
    ),
    "not_among_items": N_(
        "This is none of the graded items that the course has now: either it is practice, or the "
        "course has lost it. Choose one of its graded items."
    ),
    "empty": N_("Paste the address of a course or an item at Coursera."),
    "no_address": N_("This is not a web address. Copy it from your browser's address bar."),
    "other_host": N_("This address is not at coursera.org. Open the course there and copy it."),
    "no_course": N_(
        "This page of Coursera is neither a program, a course nor an item. Open the course and "
        "copy its address."
    ),
    "no_id": N_("This address is cut off or mistyped. Copy it once more, whole."),
    "several_courses": N_(
        "This is a specialization or certificate of several courses. Choose its courses one by "
        "one: each has a grade of its own."
    ),
    "program_not_offered": N_(
        "Your institution does not offer this program here. Choose a course from the list."
    ),
    "course_not_offered": N_(
        "None of your institution's programs offers this course, so its learners would have to "
        "pay and their grades would not be reported. Ask for it to be added, or choose another."
    ),
}
"""What to say about each reason, for people."""


@dataclass(frozen=True, slots=True)
class LinkVerdict:
    """`item` and `course` can be graded activities; `ungraded` opens, but has no grade.

    `reason` is a key of `REASONS`. `url` is the address rewritten into the program, where there
    is one; `is_elsewhere`: the program chosen (or named) lacks the course, another one has it.
    """

    verdict: Verdict
    reason: str
    program_id: str = ""
    course_id: str = ""
    item_id: str = ""
    program_name: str = ""
    course_name: str = ""
    item_name: str = ""
    url: str = ""
    is_elsewhere: bool = False

    @property
    def is_gradable(self) -> bool:
        return self.verdict in ("item", "course")

    @property
    def explanation(self) -> str:
        """A sentence for people, to be translated where it is shown."""
        return REASONS[self.reason]


CourseOf = Callable[[str, str], Course | None]
"""A course with its graded items by the ids of program and course."""


def judge(
    text: str, offered: Sequence["ProgramOffer"], course_of: CourseOf, program_id: str = ""
) -> LinkVerdict:
    """Judge an address by what is offered; a course is looked for in `program_id` first."""
    try:
        link = read_link(text, hosts=_hosts(offered))
    except NoLink as error:
        return LinkVerdict("refused", error.reason)
    named = next((p for p in offered if link.program_slug and _slug(p) == link.program_slug), None)
    if link.kind == "program":
        return _program(link, named)
    wanted = named.id if named else program_id
    for program, course in _places(link, offered, wanted):
        found = replace(
            _course(link, program, course, course_of),
            program_id=program.id, program_name=program.name,
            course_id=course.id, course_name=course.name,
            is_elsewhere=bool(link.program_slug or program_id)
            and program.id != (program_id or (named.id if named else "")),
        )  # fmt: skip
        return replace(found, url=_address(program, course.id, link))
    return LinkVerdict("refused", "course_not_offered")


def _program(link: Pasted, program: "ProgramOffer | None") -> LinkVerdict:
    if program is None:
        return LinkVerdict("refused", "program_not_offered")
    url = ""
    if is_address(program.url):
        url = program_url(program.url, collection_id=link.collection_id or None)
    return LinkVerdict(
        "program", "program", program_id=program.id, program_name=program.name, url=url
    )


def _course(
    link: Pasted, program: "ProgramOffer", course: "CourseOffer", course_of: CourseOf
) -> LinkVerdict:
    if link.kind == "course":
        return LinkVerdict("course", "course")
    if link.is_ungraded:
        return LinkVerdict("ungraded", "ungraded", item_id=link.item_id)
    known = course_of(program.id, course.id)
    item = known.item(link.item_id) if known else None
    if item is not None:
        return LinkVerdict("item", "item", item_id=item.id, item_name=item.name)
    if known is not None and known.items:
        return LinkVerdict("ungraded", "not_among_items", item_id=link.item_id)
    return LinkVerdict("item", "item_unverified", item_id=link.item_id)


def _places(
    link: Pasted, offered: Sequence["ProgramOffer"], wanted: str
) -> Iterator[tuple["ProgramOffer", "CourseOffer"]]:
    """Where the course is offered, the wanted program first."""
    for program in sorted(offered, key=lambda p: p.id != wanted):
        for course in program.courses:
            if course.id == link.course_id or (
                link.course_slug and course.slug.lower() == link.course_slug
            ):
                yield program, course


def _address(program: "ProgramOffer", course_id: str, link: Pasted) -> str:
    if not is_address(program.url):
        return ""
    return course_url(
        program.url, course_id, link.item_id or None, collection_id=link.collection_id or None
    )


def _slug(program: "ProgramOffer") -> str:
    """The last step of a program's own address."""
    return program.url.partition("?")[0].rstrip("/").rpartition("/")[2].lower()


def _hosts(offered: Sequence["ProgramOffer"]) -> set[str]:
    return {urlsplit(p.url).netloc.lower() for p in offered if is_address(p.url)}
