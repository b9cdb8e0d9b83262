"""The practice Coursera as tests and the demo hold it: state, switches, and its application."""

import threading
from datetime import UTC, datetime
from typing import NamedTuple

from flask import Flask

from passport_lti.sandbox.coursera.faults import Faults
from passport_lti.sandbox.coursera.filling import grades_of_many
from passport_lti.sandbox.coursera.ids import Ids, slug
from passport_lti.sandbox.coursera.learning import Learning
from passport_lti.sandbox.coursera.ledger import Arrival, Entry
from passport_lti.sandbox.coursera.service_provider import ServiceProvider, SignedOn
from passport_lti.sandbox.coursera.state import Course, Person, Program, Root
from passport_lti.sandbox.coursera.teaching import Teaching
from passport_lti.sandbox.coursera.traps import Traps
from passport_lti.sandbox.coursera.web import create_app


class Credentials(NamedTuple):
    """What an organisation's administrator copies from the developer portal."""

    org_id: str
    api_key: str
    api_secret: str
    refresh_token: str
    """For the old generation of tokens only."""


class Ledger(list[Entry]):
    """Every request, oldest first."""


class PracticeCoursera(Teaching, Learning):
    """One organisation at Coursera. Threads may share it; set `url` once it is served."""

    def __init__(self, name: str = "Campus University", seed: int = 1) -> None:
        self.name, self.slug = name, slug(name)
        self.lock = threading.RLock()
        self.ids = Ids(seed)
        self.credentials = Credentials(
            self.ids.long(), self.ids.secret(32), self.ids.secret(40), self.ids.secret(48)
        )
        self.traps, self.faults, self.ledger = Traps(), Faults(), Ledger()
        self.arrivals: list[Arrival] = []
        self.mails: list[str] = []
        """The addresses that were written to: none, where invitations are to be silent."""
        self.latency = 0.0
        """Seconds that every API request takes longer."""
        self.clock_offset = 0.0
        """Seconds by which time has gone ahead."""
        self.tokens: dict[str, float] = {}
        """Bearer tokens with the epoch second at which they expire."""
        self.root = Root()
        self.programs: list[Program] = []
        self.courses: dict[str, Course] = {}
        self.provider: ServiceProvider | None = None
        """Set by `trust`: people of the organisation are signed in by SAML then."""
        self.tied: dict[str, Person] = {}
        """Who signs in by which NameID."""
        self.sign_ons: list[SignedOn] = []
        Learning.__init__(self)
        self.app: Flask = create_app(self)

    @property
    def url(self) -> str:
        """The address of the server, without a slash at the end."""
        return self.root.url

    @url.setter
    def url(self, value: str) -> None:
        self.root.url = value.rstrip("/")

    @property
    def outline_path(self) -> str:
        """The template of the outline's path, for the configuration of whoever reads it."""
        return "ent/api/businesses.v1/{org_id}/programs/{program_id}/courseMaterials/{course_id}"

    def trust(self, metadata: str, **options: bool) -> ServiceProvider:
        """Let an identity provider sign people in; for the options see `ServiceProvider`.

        Raises ImportError where python3-saml is not installed.
        """
        self.provider = ServiceProvider(self.url, metadata, **options)
        return self.provider

    def now(self) -> int:
        """Epoch milliseconds."""
        return int((datetime.now(UTC).timestamp() + self.clock_offset) * 1000)

    def count(self, kind: str | None = None, status: int | None = None) -> int:
        """How many requests of a kind, or with a status, were made."""
        return sum(
            1
            for entry in list(self.ledger)
            if kind in (None, entry.kind) and status in (None, entry.status)
        )

    def revoke_tokens(self) -> None:
        """No token that was given out is good any more."""
        with self.lock:
            self.tokens.clear()

    def fill(
        self,
        course: Course,
        learners: int = 1000,
        seed: int = 1,
        email: str = "learner{n}@campus.example",
        external_id: str | None = None,
    ) -> list[Person]:
        """Enrol learners 1 to `learners` with about nine of ten items graded.

        `{n}` is the learner's number; without `external_id` that is the e-mail address. Who is
        known already is used again. The same seed gives the same grades.
        """
        people = []
        items = course.items
        for n, grades in grades_of_many(len(items), learners, seed):
            address = email.format(n=n)
            person = self.find(address) or self.add_person(
                (external_id or email).format(n=n), address, f"Learner {n}"
            )
            people.append(person)
            self.set_grades(person, course, dict(zip(items, grades, strict=True)))
        return people
