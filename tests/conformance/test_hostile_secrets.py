"""H83: no secret and nobody's name in logs, metrics, errors or on pages that are not for them."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from sqlalchemy import text

from conformance.bench import ABSENT, Bench
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import invitation, register
from passport_lti.extensions import db
from passport_lti.lti import keys
from passport_lti.sandbox.campus.registration import registration_token


class Everything(logging.Handler):
    """What any library says at any level, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@dataclass
class Run:
    """Everything that one long run left behind."""

    bench: Bench
    logs: str = ""
    public: list[str] = field(default_factory=list)
    """Answers that anybody may see: metrics, health, set-up, errors and refusals."""
    pages: list[str] = field(default_factory=list)
    """Answers to the people whom they concern."""
    tokens: set[str] = field(default_factory=set)
    outputs: str = ""
    """What commands printed on stderr."""


def _whole(answer: requests.Response) -> str:
    return f"{answer.status_code} {dict(answer.headers)} {answer.text}"


def _messages(run: Run) -> None:
    bench = run.bench
    good = [bench.launch(), bench.launch(person=bench.teacher), bench.launch(linking=True)]
    good += [bench.launch(cookies=False)]
    for answer in good:
        run.tokens.add(bench.token)
        run.pages.append(_whole(answer))
    changes: list[dict[str, Any]] = [
        {"sub": ABSENT}, {"exp": 1}, {"nonce": "x"}, {"deployment_id": "unknown"},
        {"name": {"a": "b"}}, {"version": "1"}, {"iss": "https://x.example"},
        {"roles": "Instructor"}, {"target_link_uri": "https://x.example"},
    ]  # fmt: skip
    for change in changes:
        run.public.append(_whole(bench.launch(change)))
        run.tokens.add(bench.token)
    run.public.append(_whole(bench.launch(header={"kid": "x"})))
    run.public.append(_whole(bench.launch(form={"state": "forged"})))
    for person in (bench.teacher, bench.learner):
        location = bench.launch(person=person).headers["Location"]
        run.tokens.add(location.partition("session=")[2])
        run.pages.append(_whole(bench.browser.send("GET", bench.url + location)))
        forged = location.replace("session=", "session=x")
        run.public.append(_whole(bench.browser.send("GET", bench.url + forged)))


def _syncs(run: Run) -> None:
    world = run.bench.world
    campus = world.campus
    for number, learner in enumerate(world.school.learners):
        world.coursera.enrol(world.school.accounts[learner.id], world.school.courses["final"])
        world.grade(learner, "final", "Loops quiz", 40 + number)
    for kind in ("token", "members", "lineitems", "scores", "results"):
        for fault in ({"status": 500}, {"status": 401}, {"status": 403}, {"drop": "before"},
                      {"status": 200, "body": "<html>Amy</html>"}):  # fmt: skip
            campus.faults.add(kind, **fault)
    for _ in range(4):
        world.sync()
        campus.revoke_tokens()
        world.coursera.revoke_tokens()
    campus.faults.clear()
    world.sync()
    run.tokens |= set(campus.access_tokens._issued) | set(world.coursera.tokens)


def _commands(run: Run) -> None:
    for command in (["sync", "--json"], ["config", "check"], ["keys", "list"]):
        done = run.bench.world.command(*command)
        run.outputs += done.stderr
        run.public.append(done.stderr + (done.stdout if command[0] != "sync" else ""))


def _break_database(run: Run) -> None:
    """The worst case: an unexpected error in the middle of storing a person."""
    bench = run.bench
    with bench.world.app.app_context():
        db.session.execute(text("ALTER TABLE member RENAME COLUMN seen_at TO broken"))
        db.session.commit()
    for person in (bench.learner, bench.teacher):
        answer = bench.launch({"sub": f"new-{person.id}"}, person=person)
        assert answer.status_code == 500
        run.tokens.add(bench.token)
        run.public.append(_whole(answer))


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    everything, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    logging.getLogger("passport_lti").setLevel(logging.DEBUG)
    try:
        with fresh_bench() as bench:
            found = Run(bench)
            _messages(found)
            _syncs(found)
            url, token = invitation(bench, "canary"), registration_token(bench.campus)
            found.tokens |= {url.partition("invite=")[2], token}
            found.public.append(_whole(register(url, bench.campus, token)))
            found.public.append(_whole(register(url, bench.campus, token)))
            _commands(found)
            _break_database(found)
            for path in ("/metrics", "/healthz", "/readyz", "/lti/setup", "/lti/jwks.json", "/x"):
                found.public.append(_whole(requests.get(f"{bench.url}{path}", timeout=30)))
            own = bench.url.removeprefix("http://")
            said = [line for line in everything.said if not _is_of_practice(line, own)]
            found.logs = "\n".join([*said, *bench.lines.kept]) + found.outputs
            yield found
    finally:
        root.removeHandler(everything)
        root.setLevel(level)


def _is_of_practice(line: str, own: str) -> bool:
    """Lines of the practice servers, and of the browsers that visit them and the tool."""
    visit = line.startswith("urllib3") and (own in line or "/mod/lti/auth.php" in line)
    return visit or line.startswith("passport_lti.sandbox")


def secrets_of(run: Run) -> dict[str, str]:
    """Each secret with the name under which a failing test calls it."""
    world = run.bench.world
    with world.app.app_context():
        own = keys.active_key(world.services.tool).private_key.private_numbers()
    found = {name: world.environ[name] for name in ("DEMO_SECRET", "DEMO_API_SECRET", "DEMO_KEY")}
    found |= {"d": str(own.d), "p": str(own.p), "pem": "PRIVATE KEY", "d-hex": f"{own.d:x}"}
    for number, token in enumerate(sorted(run.tokens)):
        # Of a signed token the payload and the signature count, not the public header.
        for at, part in enumerate(token.split(".")[1:] or [token]):
            if len(part) > 8:
                found[f"token-{number}-{at}"] = part
    return found


def people_of(run: Run) -> list[str]:
    school = run.bench.world.school
    people = [school.teacher, *school.learners]
    words = [word for p in people for word in (p.name, p.email, p.family)]
    return [word for word in words if word]


def test_h83_no_secret_in_any_log(run: Run) -> None:
    assert len(run.logs) > 5000, "the run was heard"
    assert [name for name, value in secrets_of(run).items() if value in run.logs] == []


def test_h83_nobody_in_any_log(run: Run) -> None:
    assert "Traceback" in run.logs, "the broken database was heard"
    found = {word for word in people_of(run) if re.search(rf"\b{re.escape(word)}\b", run.logs)}
    assert found == set()


def test_h83_no_secret_on_any_page(run: Run) -> None:
    world = run.bench.world
    seen = "\n".join([*run.public, *run.pages])
    fixed = ("DEMO_SECRET", "DEMO_API_SECRET", "DEMO_KEY", "d", "p", "pem", "d-hex")
    found = secrets_of(run)
    assert [name for name in fixed if found[name] in seen] == []
    issued = set(world.campus.access_tokens._issued) | set(world.coursera.tokens)
    assert [token for token in issued if token in seen] == []


def test_h83_no_token_and_nobody_on_public_pages(run: Run) -> None:
    for page in run.public:
        assert [name for name, value in secrets_of(run).items() if value in page] == [], page
        assert [word for word in people_of(run) if word in page] == [], page


def test_h83_a_page_names_nobody_else(run: Run) -> None:
    """A learner's pages hold no other person."""
    bench = run.bench
    others = [p.name for p in bench.world.school.learners if p is not bench.learner]
    learners = [page for page in run.pages if "/activities/" not in page]
    assert learners
    assert not [name for page in learners for name in others if name in page]
