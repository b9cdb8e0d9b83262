"""The platform's process, seen from outside: who opens it, and what the tool answers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

from passport_lti.extensions import db
from passport_lti.models import Deployment, Platform
from passport_lti.sandbox.browser import Browser, Form
from passport_lti.sandbox.reading import read_page
from worlds import World

TESTS = Path(__file__).parents[2]
Change = Callable[[dict[str, str]], Any]


@dataclass
class OpenEdx:
    """The platform's process, seen from outside, and the tool that it launches."""

    world: World
    issuer: str
    registrations: dict[str, dict[str, str]]

    def form(
        self, role: str = "student", *, at: str = "main", user: str = "una",
        link: str = "unit-1", asking: Change | None = None, **more: str,
    ) -> tuple[Browser, Form]:  # fmt: skip
        """From the course page to the form that carries the id_token; `asking` changes the
        query of the tool's authentication request on its way."""
        browser = Browser()
        config = self.registrations[at]["config"]
        query = urlencode({"config": config, "user": user, "role": role, "link": link, **more})
        login = browser.send("GET", f"{self.issuer}/start?{query}").headers["Location"]
        answer = browser.send("GET", login)
        if answer.status_code != 302:
            raise _Refused(answer)
        url = answer.headers["Location"]
        if asking:
            parts = urlsplit(url)
            fields = dict(parse_qsl(parts.query))
            asking(fields)
            url = urlunsplit(parts._replace(query=urlencode(fields)))
        answer = browser.send("GET", url)
        page = read_page(url, answer)
        if answer.status_code != 200:
            raise _Refused(answer)
        return browser, page.form("/lti/launch")

    def launch(self, *arguments: Any, **options: Any) -> requests.Response:
        """A whole launch: the tool's raw answer (or the platform's, where it ends there)."""
        try:
            browser, form = self.form(*arguments, **options)
        except _Refused as end:
            return end.answer
        return posted(browser, form)

    def stored(self) -> dict[str, Any]:
        answer = requests.get(f"{self.issuer}/stored", timeout=30)
        assert answer.status_code == 200
        return answer.json()


class _Refused(Exception):
    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer


def posted(browser: Browser, form: Form) -> requests.Response:
    pairs = [(name, values[0]) for name, values in form.fields.items() if name]
    return browser.send("POST", form.action, pairs)


@contextmanager
def running(tool: str, folder: str) -> Iterator[dict[str, Any]]:
    """The platform in a process of its own; what it says of itself."""
    command = [sys.executable, "-m", "conformance.xblock_platform", tool, folder]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the platform did not start"
        yield json.loads(line)
    finally:
        process.kill()
        process.communicate()


def register(edx: OpenEdx, name: str, deployment: str) -> None:
    """The tool learns the values that Open edX's Studio shows for manual registration."""
    shown = edx.registrations[name]
    now = edx.world.services.clock()
    with edx.world.app.app_context():
        known = db.session.scalars(db.select(Platform)).first()
        row = Platform(
            name=f"edx-{name}", issuer=edx.issuer, client_id=shown["client_id"],
            auth_login_url=shown["auth_login_url"], auth_token_url=shown["auth_token_url"],
            key_set_url=shown["key_set_url"], source="registration", settings=known.settings,
            created_at=now,
        )  # fmt: skip
        row.deployments.append(
            Deployment(deployment_id=deployment, state="approved", first_seen_at=now)
        )
        db.session.add(row)
        db.session.commit()
