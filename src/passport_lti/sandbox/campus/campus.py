"""The campus as tests, the demo and people use it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passport_lti.sandbox.campus import copies, gradebook
from passport_lti.sandbox.campus.faults import Faults
from passport_lti.sandbox.campus.gradebook import Gradebook, Rows
from passport_lti.sandbox.campus.keys import SigningKey, ToolKeys
from passport_lti.sandbox.campus.ledger import Edit, Ledger
from passport_lti.sandbox.campus.school import School
from passport_lti.sandbox.campus.state import Activity, Context, Grade, LineItem, Person
from passport_lti.sandbox.campus.tokens import AccessTokens
from passport_lti.sandbox.campus.visits import Visits
from passport_lti.sandbox.campus.wsgi import application

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.visitor import Visitor

IdToken = str | tuple[dict[str, Any], dict[str, Any]] | None


class Campus(School):
    """An LTI 1.3 platform. Serve `campus.app`, then set `campus.url` to the server's URL."""

    def __init__(self, name: str = "Practice campus") -> None:
        super().__init__()
        self.name = name
        self.url = "http://127.0.0.1"
        self.clock_offset = 0.0  # seconds that the campus is ahead of this machine
        self.latency = 0.0  # seconds added to every service request
        self.coupled_clock = "server"  # Moodle 4.1-4.5; "score": newer Moodle
        self.grade_point_max = 100  # the site's setting; Moodle's default
        self.page_size: int | None = None  # longest NRPS page; Moodle has no cap
        self.column_page: int | None = None  # the same for line items
        self.ledger = Ledger()
        self.faults = Faults()
        self.tool_keys = ToolKeys(self.ledger)
        self.access_tokens = AccessTokens()
        self.visits = Visits()
        self._key = SigningKey()
        # Hooks: what a hostile or broken platform would send, in the true order of events.
        self.on_login: Callable[[dict[str, str]], dict[str, str]] | None = None
        self.on_id_token: (
            Callable[[dict[str, Any], dict[str, Any], RSAPrivateKey], IdToken] | None
        ) = None
        self.on_auth_response: Callable[[dict[str, str]], dict[str, str]] | None = None
        self.app = application(self)

    # clock and keys

    def now(self) -> float:
        """Seconds since 1970 on the campus's clock."""
        return time.time() + self.clock_offset

    @property
    def kid(self) -> str:
        return self._key.kid

    @property
    def private_key(self) -> RSAPrivateKey:
        return self._key.private

    def public_keys(self) -> dict[str, Any]:
        return {"keys": [self._key.public_jwk()]}

    def rotate_key(self) -> None:
        """Moodle has one key and no overlap: the old one is gone at once."""
        self._key = SigningKey()

    def revoke_tokens(self) -> None:
        """Every access token handed out so far is refused from now on."""
        self.access_tokens.clear()

    # gradebook

    def gradebook(self, context: Context) -> Gradebook:
        return Gradebook(context)

    def table(self, context: Context) -> tuple[list[str], Rows]:
        """(headers, rows) for printing; empty cells are None."""
        with self.lock:
            return Gradebook(context).table()

    def override(self, item: LineItem, person: Person, value: float | None) -> None:
        """A teacher types `value` into a cell."""
        with self.lock:
            gradebook.override(item, person, value, int(self.now()))
            before = len(self.ledger.scores)
            self.ledger.edits.append(Edit(item.id, person.id, value, before))

    def set_maximum(self, item: LineItem, maximum: float) -> None:
        with self.lock:
            gradebook.set_maximum(item, maximum)

    def rename_column(self, item: LineItem, label: str) -> None:
        with self.lock:
            item.label = label

    def lock_column(self, item: LineItem, locked: bool = True) -> None:
        with self.lock:
            item.locked = locked

    def lock_grade(self, item: LineItem, person: Person, locked: bool = True) -> None:
        with self.lock:
            grade = item.grades.setdefault(person.id, Grade(maximum=item.maximum))
            grade.locked = locked

    # activities

    def copy_context(
        self, context: Context, shortname: str | None = None, fullname: str | None = None
    ) -> Context:
        """A course copy, without people and grades."""
        return copies.copy_context(self, context, shortname, fullname)

    def restore_elsewhere(
        self, context: Context, shortname: str | None = None, fullname: str | None = None
    ) -> Context:
        """A context of another campus, restored here from its backup."""
        return copies.restore_elsewhere(self, context, shortname, fullname)

    def restore_activity(self, activity: Activity) -> Activity:
        """Delete an activity and take it out of the recycle bin again."""
        return copies.restore_activity(self, activity)

    def duplicate_activity(self, activity: Activity) -> Activity:
        return copies.duplicate_activity(self, activity)

    def delete_activity(self, activity: Activity, queued: bool = False) -> None:
        """`queued`: as with Moodle's recycle bin, until `run_cron()`."""
        copies.delete_activity(self, activity, queued)

    def run_cron(self) -> None:
        """Finish the queued deletions."""
        for context in list(self.contexts.values()):
            for activity in [a for a in context.activities if a.deleting]:
                copies.delete_activity(self, activity, queued=False)

    def save_activity(self, activity: Activity) -> None:
        """A teacher opens the activity's form and saves it unchanged."""
        copies.save_activity(self, activity)

    # people at their browsers

    def browser(self, person: Person, third_party_cookies: bool = True) -> "Visitor":
        """A scripted browser in which `person` has signed in."""
        from passport_lti.sandbox.campus.visitor import Visitor

        return Visitor(self, person, third_party_cookies)
