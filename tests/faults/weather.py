"""A world in which time can be moved and things go wrong, watched all the while."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from faults.invariants import Watch
from faults.truth import Seat
from passport_lti.extensions import db
from passport_lti.sandbox.story import School
from passport_lti.sync import report
from passport_lti.sync.delivery.deliver import Outcomes, deliver
from passport_lti.sync.engine import Outcome
from passport_lti.sync.poll import courses as polling
from passport_lti.sync.poll.due import due_activities
from worlds import World, second_campus

PLATFORM_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503}, {"status": 500}, {"status": 502}, {"status": 401}, {"status": 404},
    {"status": 429}, {"status": 429, "headers": {"Retry-After": "900"}}, {"status": 409},
    {"drop": "before"}, {"drop": "after"}, {"drop": "after", "status": 500},
    {"drop": "after", "status": 502}, {"status": 200, "body": "<title>Log in</title>"},
)  # fmt: skip
"""What a request to a platform can meet, and what one to Coursera."""
COURSERA_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503}, {"status": 401}, {"status": 403}, {"status": 404}, {"status": 429},
    {"status": 429, "headers": {"Retry-After": "900"}}, {"drop": True}, {"truncate": True},
)  # fmt: skip


@dataclass
class Weather(World):
    """Sleeping takes no time here: it moves the clocks of all three servers."""

    ahead: timedelta = timedelta(0)
    watch: Watch = field(default_factory=lambda: Watch([]))
    naps: list[float] = field(default_factory=list)
    others: ExitStack = field(default_factory=ExitStack)
    """What has to stay open until the end."""

    def __post_init__(self) -> None:
        self.watch.seats.append(Seat("campus", self.school))
        self.services.clock, self.services.sleep = self.now, self.nap
        self.restart()

    def restart(self) -> None:
        """What a process keeps in its memory is gone."""
        self.services._coursera.clear()
        self.services._platforms.clear()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.later(seconds=seconds)

    def later(self, **much: float) -> None:
        """Let time go by for everybody."""
        by = timedelta(**much)
        self.ahead += by
        for seat in self.watch.seats:
            seat.school.campus.clock_offset += by.total_seconds()
        self.coursera.clock_offset += by.total_seconds()

    def sync(self, **options: Any) -> Outcome:
        self.watch.look()
        try:
            return super().sync(**options)
        finally:
            self.watch.see_columns()

    def poll(self) -> None:
        """What the scheduler does every few seconds: read the courses whose time has come."""
        self.later(minutes=1)
        self.watch.look()
        with self.app.app_context():
            due = due_activities(self.services, self.now())
            polling.poll(self.services, self.app.app_context, due)
            db.session.remove()
        self.watch.see_columns()

    def deliver(self) -> Outcomes:
        """The scheduler's other job, once."""
        outcomes = Outcomes()
        with self.app.app_context():
            deliver(self.services, outcomes, self.app.app_context)
            db.session.remove()
        return outcomes

    def people(self) -> list[dict[str, Any]]:
        with self.app.app_context():
            return report.people()

    def cell(self, label: str, person: Any) -> tuple[str, str | None]:
        """State and reason of a cell of the status."""
        [found] = [
            c
            for c in self.cells()
            if c["column"]["label"] == label
            and c["member"]["sub"] == person.id
            and c["platform"] == "campus"
        ]
        return found["state"], found["reason"]

    def columns_published(self, **fields: Any) -> Any:
        """Option B, its columns made and one grade delivered."""
        [activity] = self.publish(
            "columns", "granular_auto_columns", **{"include_final": "1", **fields}
        )
        self.meet(activity)
        self.grade(self.school.learners[0], "columns", "Averages", 80)
        assert self.sync().ok
        return activity

    def recover(self, polls: int = 3) -> None:
        """The fault is over: within a few polls all is well, and then all is quiet."""
        for seat in self.watch.seats:
            seat.school.campus.faults.clear()
        self.coursera.faults.clear()
        for _ in range(polls):
            self.later(hours=1, minutes=5)
            self.sync()
        before = [len(seat.school.campus.ledger.requests) for seat in self.watch.seats]
        self.sync()
        asked = {
            entry.kind
            for seat, number in zip(self.watch.seats, before, strict=True)
            for entry in seat.school.campus.ledger.requests[number:]
        }
        # Who syncs while a double is reported may just have deleted it, and who syncs while
        # grades wait for people may just have enrolled them.
        waits = any(cell["reason"] == "not_enrolled" for cell in self.cells())
        assert self.watch.doubles or asked <= ({"members", "token"} if waits else set()), asked
        found = self.watch.violations(self.cells(), self.people())
        assert not found, "\n".join(found)


@contextmanager
def neighbour(world: Weather) -> Iterator[School]:
    """A second campus with the same first learner, where the same course is published too."""
    with second_campus(world, world.ahead.total_seconds()) as (school, tool):
        world.watch.seats.append(Seat("other", school))
        [activity] = school.publish(
            tool, course="columns", strategy="granular_auto_columns", include_final="1"
        )
        school.campus.browser(school.learners[0]).launch(activity)
        yield school
