"""People, contexts, tools and activities: the campus without its wires."""

import itertools
import secrets
import string
import threading
from typing import Any

from passport_lti.sandbox.campus.state import (
    Activity,
    Context,
    Enrolment,
    LineItem,
    Person,
    Tool,
)

_ALPHABET = string.ascii_letters + string.digits


def random_client_id() -> str:
    """Fifteen characters, as Moodle makes them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(15))


class School:
    """Everything in memory, guarded by `lock`."""

    url: str

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.contexts: dict[str, Context] = {}
        self.tools: dict[str, Tool] = {}
        self.line_items: dict[str, LineItem] = {}
        self._person_ids = itertools.count(2)
        self._context_ids = itertools.count(2)
        self._tool_ids = itertools.count(1)
        self._activity_ids = itertools.count(1)
        self._module_ids = itertools.count(11)  # never equal to the activity's id
        self._line_item_ids = itertools.count(3)

    def add_person(
        self,
        given: str,
        family: str,
        username: str | None = None,
        email: str | None = None,
        idnumber: str = "",
        admin: bool = False,
    ) -> Person:
        """Username and e-mail are made from the name unless given."""
        username = username or f"{given}.{family}".lower().replace(" ", "")
        email = f"{username}@campus.example" if email is None else email
        with self.lock:
            number = str(next(self._person_ids))
            person = Person(number, username, given, family, email, idnumber, admin)
            self.people[number] = person
        return person

    def delete_person(self, person: Person) -> None:
        with self.lock:
            person.deleted = True
            for context in self.contexts.values():
                context.enrolments.pop(person.id, None)

    def add_context(self, shortname: str, fullname: str) -> Context:
        with self.lock:
            context = Context(str(next(self._context_ids)), shortname, fullname)
            self.contexts[context.id] = context
        return context

    def delete_context(self, context: Context) -> None:
        """The context with everything in it; its services answer 404 from then on."""
        with self.lock:
            for item in list(context.line_items):
                self.delete_column(item)
            context.activities.clear()
            self.contexts.pop(context.id, None)

    def enrol(self, context: Context, person: Person, role: str = "learner") -> Enrolment:
        """`role` is "learner" or "instructor"."""
        if role not in ("learner", "instructor"):
            raise ValueError(f"no such role: {role}")
        with self.lock:
            context.enrolments[person.id] = place = Enrolment(person, role)
        return place

    def suspend(self, context: Context, person: Person, active: bool = False) -> None:
        """The enrolment stays but sleeps; `active=True` wakes it again."""
        with self.lock:
            context.enrolments[person.id].active = active

    def unenrol(self, context: Context, person: Person) -> None:
        with self.lock:
            context.enrolments.pop(person.id, None)

    def add_tool(self, base_url: str, name: str = "Coursera", **settings: Any) -> Tool:
        """Register a tool by hand. `settings` are fields of Tool; URLs default to /lti/... ."""
        base = base_url.rstrip("/")
        defaults: dict[str, Any] = {
            "client_id": random_client_id(),
            "launch_url": f"{base}/lti/launch",
            "login_url": f"{base}/lti/login",
            "redirect_urls": [f"{base}/lti/launch"],
            "jwks_url": f"{base}/lti/jwks.json",
            "deep_link_url": f"{base}/lti/launch",
        }
        with self.lock:
            number = str(next(self._tool_ids))
            fields = {"deployment_id": number, **defaults, **settings}
            tool = self.tools[number] = Tool(campus=self, name=name, **fields)  # type: ignore[arg-type]
        return tool

    def delete_tool(self, tool: Tool) -> None:
        with self.lock:
            self.tools.pop(tool.deployment_id, None)

    def tool_by_client(self, client_id: str) -> Tool | None:
        return next((t for t in list(self.tools.values()) if t.client_id == client_id), None)

    def add_activity(
        self,
        context: Context,
        tool: Tool,
        title: str,
        url: str | None = None,
        custom: str = "",
        description: str = "",
        line_item: dict[str, Any] | None = None,
    ) -> Activity:
        """Make an activity; `line_item` {scoreMaximum, resourceId, tag} gives it a column."""
        with self.lock:
            activity = Activity(
                id=str(next(self._activity_ids)),
                cmid=str(next(self._module_ids)),
                context=context,
                tool=tool,
                title=title,
                url=url or tool.launch_url,
                description=description,
                custom=custom,
                accepts_grades=line_item is not None,
            )
            context.activities.append(activity)
            if line_item is not None:
                item = self.add_line_item(
                    context,
                    tool,
                    title,
                    float(line_item.get("scoreMaximum", 100)),
                    resource_id=str(line_item.get("resourceId") or ""),
                    tag=str(line_item.get("tag") or ""),
                    resource_link_id=activity.id,
                    activity=activity,
                )
                item.submission_review = line_item.get("submissionReview")
        return activity

    def add_line_item(
        self, context: Context, tool: Tool, label: str, maximum: float, **fields: Any
    ) -> LineItem:
        """A new column at the right end; coupled if `activity` is among the fields."""
        with self.lock:
            number = str(next(self._line_item_ids))
            item = LineItem(number, context, tool, label, maximum, **fields)
            self.line_items[number] = item
            context.line_items.append(item)
        return item

    def delete_column(self, item: LineItem) -> None:
        """The column and its grades are gone; an activity of it stays."""
        with self.lock:
            self.line_items.pop(item.id, None)
            if item in item.context.line_items:
                item.context.line_items.remove(item)

    def activities(self, context: Context) -> list[Activity]:
        with self.lock:
            return list(context.activities)

    def activity(self, cmid: str) -> Activity | None:
        """By the number that Moodle's pages use."""
        for context in list(self.contexts.values()):
            for activity in context.activities:
                if activity.cmid == cmid:
                    return activity
        return None

    def instance(self, number: str) -> Activity | None:
        """By the number of its resource link, which Moodle's pages take as `l`."""
        every = (x for context in list(self.contexts.values()) for x in context.activities)
        return next((activity for activity in every if activity.id == number), None)

    def columns_of(self, activity: Activity) -> list[LineItem]:
        """Columns that point to this resource link: its own and those a tool attached."""
        return [
            item
            for item in activity.context.line_items
            if item.activity is activity or item.resource_link_id == activity.id
        ]
