"""W8: 500 instructors each pick one of the 10,000 courses that their organisation offers.

Each opens the picker from the platform, searches in it, opens the options of a course, and adds it
by option A. Timed is the server's part, at the door of the application (`benchmarks.door`) on each
database; the slower one's is the figure: `open` is the login and the message, up to the page with
the first courses; `search` the page with what was found, one in ten of them mistyped; `answer` the
page with the signed response. Coursera is asked for outlines only between them.

PyLTI1p3 signs a response with as many items; it has no picker.
"""

import gc
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from statistics import mean

import pytest
from pylti1p3.deep_link import DeepLink
from pylti1p3.deep_link_resource import DeepLinkResource

import databases
from benchmarks.burst import middle_and_tail
from benchmarks.door import Answer, Burst, Door
from benchmarks.figures import LeftOut, Load
from benchmarks.launches import logging
from benchmarks.senders import registration
from passport_lti.coursera import catalogue
from passport_lti.extensions import db
from passport_lti.sandbox.campus import claims
from passport_lti.sandbox.campus.deep_linking import received
from passport_lti.sandbox.coursera.state import Course
from worlds import World, opened

STEPS = ("open", "search", "answer")
LOADS = {
    "W8": tuple(f"picker_{x}_{what}" for x in STEPS for what in ("p50_ms", "p99_ms", "cpu_ms"))
}
TARGETS = {"picker_open_p99_ms": 500, "picker_search_p99_ms": 500, "picker_answer_p99_ms": 500}
"""What a page of an instructor may take (`benchmarks.pages`)."""
COURSES, PICKS, WARM = 10_000, 500, 10
ONE_IN = 10
"""So many searches one is mistyped."""
ITEMS = ("First quiz", "Second quiz", "Project")
ABOUT = ("Practical", "Applied", "Modern", "Essential", "Advanced", "Everyday", "Visual", "Open")
WHAT = ("Statistics", "Chemistry", "Marketing", "Databases", "Genetics", "Writing", "Finance",
        "Robotics", "Ethics", "Photography", "Calculus", "Nursing")  # fmt: skip
SIGNATURES = 30


@dataclass
class Spent:
    """What one step took, each time: ms, and ms of CPU."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)


@dataclass
class Picking:
    """Instructors at the door of the tool, one after the other."""

    world: World
    door: Door
    burst: Burst
    spent: dict[str, Spent] = field(default_factory=lambda: {step: Spent() for step in STEPS})

    def pick(self, course: Course, is_mistyped: bool) -> None:
        """One pick. Raises where a page does not show, or the platform not get, what it should."""
        search = course.name[1:] if is_mistyped else course.name
        session = self._session(self._timed("open", self._come))
        fields = {"session": session, "q": search, "step": "search"}
        page = self._timed("search", lambda: self._post(fields))
        place = f"{self.world.school.program.id}/{course.id}"
        shown = re.findall(rb'name="open" value="([^"]+)"', page.body)
        assert shown and (is_mistyped or place.encode() in shown), (search, shown)
        session = self._session(self._post({"session": session, "open": place}))
        fields = {
            "session": session, "program": self.world.school.program.id, "course": course.id,
            "strategy": "granular_deep_linked", "all_items": "1", "points": "100",
        }  # fmt: skip
        page = self._timed("answer", lambda: self._post(fields))
        [token] = re.findall(rb'name="JWT" value="([^"]+)"', page.body)
        tool, context = self.burst.activity.tool, self.burst.activity.context
        drafts = received(self.world.campus, tool, context, token.decode()).drafts
        assert len(drafts) == len(ITEMS) and course.id in drafts[0].custom, drafts

    def _come(self) -> Answer:
        campus, school, tool = self.world.campus, self.world.school, self.burst.activity.tool
        back = f"{campus.url}/mod/lti/contentitem_return.php"
        message = claims.deep_linking(campus, tool, school.context, school.teacher, back)
        return self.burst.say(self.door, message, tool.deep_link_url)

    def _post(self, fields: dict[str, str]) -> Answer:
        return self.door.post("/deep-linking", fields)

    def _session(self, page: Answer) -> str:
        found = re.search(rb'name="session" value="([^"]+)"', page.body)
        assert page.status == 200 and found, (page.status, page.body[:500])
        return found[1].decode()

    def _timed(self, step, ask):  # type: ignore[no-untyped-def]
        cpu, wall = self.door.cpu(), self.door.wall()
        answer = ask()
        self.spent[step].cpus.append((self.door.cpu() - cpu) * 1000)
        self.spent[step].walls.append((self.door.wall() - wall) * 1000)
        return answer


def figures() -> Iterator[Load | LeftOut]:
    found: dict[str, dict[str, Spent]] = {}
    for kind in databases.KINDS:
        try:
            with opened(kind) as world:
                found[kind] = picked(world)
        except pytest.skip.Exception as missing:
            yield LeftOut(f"the picker on {kind}", str(missing))
    for step in STEPS:
        spent = {kind: each[step] for kind, each in found.items()}
        cpus = {f"ours_{kind}": mean(each.cpus) for kind, each in spent.items()}
        tails = {f"ours_{kind}": middle_and_tail(each.walls) for kind, each in spent.items()}
        for number, what in enumerate(("p50_ms", "p99_ms")):
            name, both = f"picker_{step}_{what}", {kind: t[number] for kind, t in tails.items()}
            yield Load(name, "ms", max(both.values()), TARGETS.get(name), "W8", both)
        peers = {"pylti1p3_signature": pylti1p3_signature()} if step == "answer" else {}
        yield Load(f"picker_{step}_cpu_ms", "ms", max(cpus.values()), None, "W8", cpus | peers)


def picked(world: World) -> dict[str, Spent]:
    """All picks of one database, by step."""
    school, dice = world.school, Random(8)
    courses = [
        school.coursera.add_course(
            school.program, f"{dice.choice(ABOUT)} {dice.choice(WHAT)} {number}",
            [(item, "EXAM", 1) for item in ITEMS],
        )
        for number in range(COURSES)
    ]  # fmt: skip
    with world.app.app_context():
        client = world.services.coursera("practice")
        catalogue.read(client, world.services.clock(), refresh=True)
        db.session.remove()
    [activity] = world.publish("final", "final_grade")
    door = Door(world.app.wsgi_app, world.services.config.tool.base_url)
    burst = Burst(school.campus, activity, [school.teacher])
    # The practice Coursera lives here too: its thousands of objects are not what is measured.
    gc.collect()
    gc.freeze()
    try:
        with logging():
            for count in (WARM, PICKS):
                picking = Picking(world, door, burst)
                for number, course in enumerate(dice.sample(courses, count)):
                    picking.pick(course, number % ONE_IN == 0)
    finally:
        gc.unfreeze()
    return picking.spent


def pylti1p3_signature() -> float:
    """CPU ms of PyLTI1p3 for a signed response with as many items."""
    link = DeepLink(registration("https://campus.example"), "1", {})
    items = [DeepLinkResource().set_url("https://tool.example").set_title(x) for x in ITEMS]
    began = time.thread_time()
    for _ in range(SIGNATURES):
        link.get_response_jwt(items)
    return (time.thread_time() - began) * 1000 / SIGNATURES
