"""What the campus remembers. Ids are small decimal strings, as in Moodle."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


@dataclass(eq=False)
class Person:
    """Somebody with an account. `id` is the `sub` that tools see."""

    id: str
    username: str
    given: str
    family: str
    email: str
    idnumber: str = ""
    admin: bool = False
    language: str = "en"  # as in their profile
    suspended: bool = False
    deleted: bool = False

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass(eq=False)
class Enrolment:
    """A person's place in a context; `role` is "learner" or "instructor"."""

    person: Person
    role: str
    active: bool = True


@dataclass(eq=False)
class Tool:
    """A registered tool: one client id, one deployment, as Moodle does it."""

    campus: "Campus" = field(repr=False)
    deployment_id: str
    client_id: str
    name: str
    launch_url: str
    login_url: str
    redirect_urls: list[str]
    jwks_url: str
    deep_link_url: str = ""  # empty: no "Select content"
    description: str = ""
    ags: int = 2  # 0 off, 1 scores only, 2 columns too
    nrps: bool = True
    share_name: bool = True
    share_email: bool = True
    accept_grades: str = "always"  # always | delegate | never
    custom: str = ""  # one name=value per line
    container: str = "window"  # window | iframe
    state: str = "active"  # active | pending
    in_chooser: bool = True

    @property
    def issuer(self) -> str:
        return self.campus.url

    @property
    def auth_login_url(self) -> str:
        return f"{self.campus.url}/mod/lti/auth.php"

    @property
    def auth_token_url(self) -> str:
        return f"{self.campus.url}/mod/lti/token.php"

    @property
    def key_set_url(self) -> str:
        return f"{self.campus.url}/mod/lti/certs.php"


@dataclass(eq=False)
class Context:
    """A Moodle course. `history` holds the ids it was copied from, nearest first."""

    id: str
    shortname: str
    fullname: str
    idnumber: str = ""
    history: list[str] = field(default_factory=list)
    enrolments: dict[str, Enrolment] = field(default_factory=dict, repr=False)
    activities: list["Activity"] = field(default_factory=list, repr=False)
    line_items: list["LineItem"] = field(default_factory=list, repr=False)

    def instructor(self, person: Person) -> bool:
        """May this person manage activities here?"""
        place = self.enrolments.get(person.id)
        return person.admin or (place is not None and place.active and place.role == "instructor")

    def learners(self) -> list[Person]:
        """Active learners by family name."""
        people = [e.person for e in self.enrolments.values() if e.active and e.role == "learner"]
        return sorted(people, key=lambda p: (p.family, p.given, int(p.id)))


@dataclass(eq=False)
class Activity:
    """One resource link. `id` is what tools see, `cmid` what Moodle's pages use."""

    id: str
    cmid: str
    context: Context = field(repr=False)
    tool: Tool = field(repr=False)
    title: str
    url: str
    description: str = ""
    custom: str = ""
    accepts_grades: bool = False
    deleting: bool = False  # deletion queued until cron runs


@dataclass(eq=False)
class Grade:
    """One cell of the gradebook; `value` is what people see, `raw` what the tool sent last."""

    value: float | None = None
    raw: float | None = None
    maximum: float = 100.0
    time: int | None = None  # seconds; what the next score's timestamp must exceed
    overridden: bool = False
    locked: bool = False
    comment: str = ""


@dataclass(eq=False)
class LineItem:
    """A gradebook column; coupled when it belongs to an activity itself."""

    id: str
    context: Context = field(repr=False)
    tool: Tool = field(repr=False)
    label: str
    maximum: float
    resource_id: str = ""
    tag: str = ""
    resource_link_id: str = ""
    activity: Activity | None = field(default=None, repr=False)  # set: coupled
    submission_review: dict[str, object] | None = None
    locked: bool = False
    grades: dict[str, Grade] = field(default_factory=dict, repr=False)

    @property
    def coupled(self) -> bool:
        return self.activity is not None
