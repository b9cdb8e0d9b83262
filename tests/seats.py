"""What tests of places at Coursera share: a platform's settings, launches to the very end, rows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from faults.processes import running, wait_for
from passport_lti.extensions import db
from passport_lti.lti.registration import invite
from passport_lti.models import Context, Member, Platform, Provision
from passport_lti.sandbox.browser import Page
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.state import Activity, Person
from passport_lti.sandbox.serving import serve
from passport_lti.sync.people import roster
from passport_lti.sync.seats import report, wishes, work
from passport_lti.sync.seats.report import Seats
from worlds import World

__all__ = ["running", "wait_for", "wishes"]


def settle(world: World, name: str = "campus", **settings: Any) -> None:
    """Other settings for a platform, as its entry in the configuration would have them."""
    with world.app.app_context():
        row = db.session.scalars(db.select(Platform).filter_by(name=name)).one()
        row.settings = {**row.settings, **settings}
        db.session.commit()


def newcomer(world: World, given: str = "Nora", **fields: Any) -> Person:
    """A learner whom Coursera has never heard of."""
    person = world.campus.add_person(given, "Newman", **fields)
    world.campus.enrol(world.school.context, person, "learner")
    return person


def launch(world: World, person: Person, activity: Activity) -> Page:
    """The page at Coursera where the person has to act next."""
    page = world.campus.browser(person).launch(activity)
    assert page.url.startswith(world.coursera.url), page.text[:500]
    return page


def rows(world: World, person: Person | None = None) -> list[tuple[str, str, str | None]]:
    """Step, state, and outcome or reason, in the order of their making."""
    with world.app.app_context():
        query = db.select(Provision).join(Member).order_by(Provision.id)
        if person is not None:
            query = query.where(Member.sub == person.id)
        found = db.session.scalars(query).all()
        return [(row.step, row.state, row.outcome or row.reason) for row in found]


def counted(world: World) -> Seats:
    """The seats of the one program of the world."""
    with world.app.app_context():
        [found] = report.seats()
        return found


def drain(world: World, **later: float) -> None:
    """What the scheduler does, at a later time."""
    clock = world.services.clock
    world.services.clock = lambda: datetime.now(UTC) + timedelta(**later)
    try:
        with world.app.app_context():
            work.drain(world.services)
            db.session.remove()
    finally:
        world.services.clock = clock


def asked(world: World, kind: str) -> int:
    """How many requests that change something were answered: invitations, memberships, ...."""
    return sum(1 for entry in world.coursera.ledger if entry.kind == kind and entry.status == 200)


@contextmanager
def holding(world: World, path: str) -> Iterator[threading.Event]:
    """Coursera does not answer these requests before the block ends, or the event is set."""
    event = threading.Event()
    world.coursera.faults.add(path, times=None, hold=event)
    try:
        yield event
    finally:
        world.coursera.faults.clear()
        event.set()


def crew_is_idle(world: World) -> bool:
    crews = world.app.extensions.get("passport_lti_seats", {})
    return not any(crew.at_work for crew in crews.values())


def finish(world: World) -> None:
    """Wait until the threads of the web process have nothing before them."""
    assert wait_for(lambda: crew_is_idle(world))


def read_roster(world: World) -> None:
    """The tool reads who is in the context now."""
    with world.app.app_context():
        context = db.session.scalars(db.select(Context)).first()
        assert context is not None
        roster.refresh(world.services, context)
        db.session.remove()


@dataclass
class SecondCampus:
    """Another Moodle of the same organisation, with an activity for the same course."""

    campus: Campus
    context: Any
    activity: Activity

    def learner(self, sub: str) -> tuple[Person, Activity]:
        """Somebody whose number there is the same, and the activity."""
        for number in range(int(sub)):
            person = self.campus.add_person("Otto", "Other", username=f"otto{number}")
            if person.id == sub:
                self.campus.enrol(self.context, person, "learner")
                return person, self.activity
        raise AssertionError("the second campus has more people than the first one")


@contextmanager
def second_campus(world: World) -> Iterator[SecondCampus]:
    campus = Campus()
    with serve(campus.app) as server:
        campus.url = server.url
        admin = campus.add_person("Ada", "Admin", username="admin", admin=True)
        teacher = campus.add_person("Tom", "Teacher", username="tom")
        context = campus.add_context("STAT", "Statistics")
        campus.enrol(context, teacher, "instructor")
        school = replace(
            world.school, campus=campus, admin=admin, teacher=teacher, learners=(), context=context
        )
        with world.app.app_context():
            address = invite(world.services.tool, "other", "practice", timedelta(hours=1))
        tool = school.register(address)
        [activity] = school.publish(tool, course="linked", strategy="final_grade")
        yield SecondCampus(campus, context, activity)
