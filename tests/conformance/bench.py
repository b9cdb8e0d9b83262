"""One world and many launches: what a conformance test does with a message."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import requests

import databases
from conformance.changes import ABSENT, Changes, changed, long_name
from conformance.lines import Before, Lines
from conformance.tokens import signed
from passport_lti.extensions import db
from passport_lti.models import Deployment, Member, Membership, Platform
from passport_lti.sandbox.campus.state import Activity, Person, Tool
from passport_lti.sandbox.campus.visitor import Visitor
from worlds import World

__all__ = ["ABSENT", "ROLE", "Bench"]

ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SERVICES = {"token", "lineitems", "lineitem", "scores", "results", "members"}


@dataclass
class Bench:
    """The practice campus's hooks, one activity, and the tool's raw answers."""

    world: World
    activity: Activity
    lines: Lines = field(default_factory=Lines)
    before: Before | None = None
    token: str = ""
    """The id_token of the last launch."""
    browser: Any = None
    """The browser of the last launch."""

    @property
    def campus(self) -> Any:
        return self.world.campus

    @property
    def url(self) -> str:
        return self.world.tool.launch_url.removesuffix("/lti/launch")

    @property
    def teacher(self) -> Person:
        return self.world.school.teacher

    @property
    def learner(self) -> Person:
        return self.world.school.learners[0]

    def launch(
        self,
        claims: Changes | None = None,
        header: Changes | None = None,
        key: Any = None,
        form: Changes | None = None,
        cookies: bool | Mapping[str, str] = True,
        *,
        token: Callable[[dict[str, Any], dict[str, Any], Any], str] | None = None,
        login: Changes | None = None,
        person: Person | None = None,
        activity: Activity | None = None,
        linking: bool = False,
        tool: Tool | None = None,
    ) -> requests.Response:
        """The whole flow over HTTP; the tool's raw answer to the posted message.

        Changes are a mapping (names of LTI claims may be short, ABSENT removes) or a function of
        the whole. `key` signs in the place of the campus's key; `token` makes the id_token from
        header, claims and key. `cookies`: False for a browser that returns none, a mapping for
        what another one returns. A refusal at the login is the answer, too.
        """
        browser = self.campus.browser(person or (self.teacher if linking else self.learner))
        with self.changed(claims, header, key, token, login):
            posted = self.form_of(browser, activity, linking, tool)
        if isinstance(posted, requests.Response):
            return posted
        fields = {name: values[0] for name, values in posted.fields.items()}
        return self.post(browser, posted.action, changed(fields, form), cookies)

    def post(
        self,
        browser: Visitor,
        url: str,
        fields: Mapping[str, str],
        cookies: bool | Mapping[str, str] = True,
    ) -> requests.Response:
        """Post a message as it stands, with the cookies of this browser or with others."""
        jar = browser.cookies(self.url)
        if cookies is not True:
            jar.clear()
            for name, value in (cookies or {}).items():
                jar.set(name, value)
        self.token = fields.get("id_token", "")
        self.look(browser.person)
        self.browser = browser
        return browser.send("POST", url, list(fields.items()))

    def form_of(
        self,
        browser: Visitor,
        activity: Activity | None = None,
        linking: bool = False,
        tool: Tool | None = None,
    ) -> Any:
        """The form that would post the message; or the tool's answer where the login ends."""
        if linking:
            tool = tool or self.world.tool
            browser._enter(framed=True)
            path = f"/mod/lti/contentitem.php?course={self.world.school.context.id}"
            browser.get(f"{self.campus.url}{path}&id={tool.deployment_id}")
        else:
            browser._start_launch(activity or self.activity)
        start = browser.page.auto_form
        assert start is not None
        self.look(browser.person)
        answer = browser.send("POST", start.action, [(k, v[0]) for k, v in start.fields.items()])
        if answer.status_code != 302:
            self.browser = browser
            return answer
        browser.page.url = start.action
        browser.get(answer.headers["Location"])
        return browser._until_tool()

    def look(self, person: Person | None = None) -> None:
        """Remember what stands before a message."""
        secret = [person.given, person.family, person.email, person.username] if person else []
        self.lines.kept.clear()
        self.before = Before(self.tables(), self.calls(), secret)

    def tables(self) -> dict[str, list[str]]:
        """The content of the database without the launch log and waiting deployments."""
        tables = databases.content(self.world.environ["DEMO_DATABASE"])
        tables["deployment"] = [row for row in tables["deployment"] if "'waiting'" not in row]
        return {name: rows for name, rows in tables.items() if "launch" not in name}

    def calls(self) -> int:
        """Service requests that the tool has made at the campus."""
        return sum(entry.kind in SERVICES for entry in list(self.campus.ledger.requests))

    def accepted(self, answer: requests.Response) -> requests.Response:
        """The answer of a message that passed: a page or the way on, and one line `ok`."""
        assert "X-LTI-Error" not in answer.headers, (answer.headers["X-LTI-Error"], answer.text)
        assert answer.status_code in (200, 302, 303), answer.status_code
        [line] = [line for line in self.lines.kept if "verdict=" in line]
        assert "verdict=ok" in line and self._harmless(line)
        return answer

    def refused(self, answer: requests.Response, code: str) -> str:
        """Check everything that a refusal owes; returns the page's text."""
        assert answer.headers.get("X-LTI-Error") == code, (answer.status_code, answer.headers)
        assert 400 <= answer.status_code < 500
        page = answer.text
        assert "text/html" in answer.headers["Content-Type"]
        title = re.search(r"<title>([^<]+)</title>", page)
        what = re.search(r"<h1[^>]*>([^<]+)</h1>\s*<p[^>]*>([^<]+)</p>", page)
        assert title and what and all(len(unescape(text)) > 15 for text in what.groups())
        assert re.search(r"\b(go back|open|ask|show|sign in|start again)\b", what[2], re.I)
        assert "Set-Cookie" not in answer.headers and "session=" not in page
        assert "Traceback" not in page and "<form" not in page
        reference = re.search(r"Reference <code>(\w+)</code>", page)
        assert reference
        [line] = [line for line in self.lines.kept if reference[1] in line]
        assert f"verdict={code}" in line and self._harmless(line)
        assert self._harmless(page)
        assert self.before is not None
        assert self.tables() == self.before.tables
        assert self.calls() == self.before.calls
        assert not any(thread.name.startswith("sync-") for thread in threading.enumerate())
        return page

    def member(self, sub: str) -> tuple[str, str, set[str]]:
        """(name, e-mail, roles in contexts) that the tool stored for a `sub` of this campus."""
        with self.world.app.app_context():
            row = db.session.scalars(db.select(Member).where(Member.sub == sub)).one()
            roles = db.session.scalars(
                db.select(Membership.role).where(Membership.member_fk == row.id)
            )
            return row.name, row.email, set(roles)

    def _harmless(self, text: str) -> bool:
        assert self.before is not None
        secret = [*self.before.secret, *(self.token.split(".")[1:] if self.token else [])]
        return not any(part and part in text for part in secret)

    @contextmanager
    def changed(
        self,
        claims: Changes | None = None,
        header: Changes | None = None,
        key: Any = None,
        token: Callable[..., str] | None = None,
        login: Changes | None = None,
    ) -> Iterator[None]:
        """The campus sends other messages for a while."""

        def made(head: dict[str, Any], body: dict[str, Any], own: Any) -> Any:
            head, body = changed(head, header), changed(body, claims, long_name)
            if token is not None:
                return token(head, body, own)
            return signed(head, body, key or own)

        self.campus.on_id_token = made
        self.campus.on_login = (lambda found: changed(found, login)) if login else None
        try:
            yield
        finally:
            self.campus.on_id_token = self.campus.on_login = None

    def register(self, tool: Tool, name: str, *deployments: str) -> None:
        """The tool knows one more registration of this campus."""
        now = self.world.services.clock()
        with self.world.app.app_context():
            known = db.session.scalars(db.select(Platform)).first()
            row = Platform(
                name=name, issuer=known.issuer, client_id=tool.client_id,
                auth_login_url=known.auth_login_url, auth_token_url=known.auth_token_url,
                key_set_url=known.key_set_url, source="registration", settings=known.settings,
                created_at=now,
            )  # fmt: skip
            for one in deployments:
                row.deployments.append(
                    Deployment(deployment_id=one, state="approved", first_seen_at=now)
                )
            db.session.add(row)
            db.session.commit()
