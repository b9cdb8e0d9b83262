"""Several processes of the tool on one PostgreSQL and one Redis, over the practice servers.

What several machines would run, on this one; the tests and the benchmarks play on it.
"""

import itertools
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import insert

import ports
from brokers import Broker, broker
from faults.processes import Running, wait_for
from passport_lti.extensions import db
from passport_lti.models import Cell, Context, Deployment, LineItem, Member, Platform
from receivers import Apart, Receiver
from worlds import World, opened

PROGRAM = ("-m", "passport_lti")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}


@dataclass
class Cluster:
    """A world, its broker, and the processes that work on it by name, such as `worker 1`."""

    world: World
    broker: Broker
    config: Path
    running: dict[str, Running] = field(default_factory=dict)
    webs: dict[str, str] = field(default_factory=dict)
    """Addresses of the web processes by name."""
    lines: list[str] = field(default_factory=list)
    """What those have logged that were killed."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, kind: str, *options: str, program: Sequence[str] = PROGRAM) -> str:
        """Start a `web`, `worker` or `scheduler`; returns its name at once."""
        name = f"{kind} {next(self._numbers)}"
        arguments = [kind, *options]
        if kind == "web":
            port = ports.free()
            self.webs[name] = f"http://127.0.0.1:{port}"
            arguments = ["serve", "--workers", "1", "--port", str(port), *options]
        self.running[name] = Running(self.world, *arguments, config=self.config, program=program)
        return name

    def await_webs(self) -> None:
        for name, url in self.webs.items():
            assert wait_for(lambda url=url: is_ready(url), 180), self.running[name].said

    def kill(self, name: str) -> None:
        """SIGKILL: nothing is cleaned up, nothing given back."""
        process = self.running.pop(name)
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        # Gunicorn's own workers end when they see that their parent is gone.
        self.webs.pop(name, None)
        self.lines += process.lines

    @property
    def said(self) -> str:
        """All that the processes have logged, those that are gone included."""
        return "".join([*self.lines, *(p.said for p in self.running.values())])

    def balance(self) -> None:
        """Have the tool's public address answered by the web processes in turn."""
        turn = itertools.count()
        lock = threading.Lock()

        def balanced(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            with lock:
                urls = list(self.webs.values())
                first = next(turn) % max(len(urls), 1)
            for url in urls[first:] + urls[:first]:
                try:
                    answer = _forwarded(url, environ)
                except requests.ConnectionError as error:
                    if "refused" in str(error):
                        continue
                    break
                headers = [
                    (k, v) for k, v in answer.raw.headers.items() if k.lower() not in HOP_BY_HOP
                ]
                start_response(f"{answer.status_code} {answer.reason}", headers)
                return [answer.content]
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [b"no web process answered"]

        self.world.app.wsgi_app = balanced  # type: ignore[method-assign]

    def end(self) -> None:
        """Ask all processes to end, side by side, and wait for them."""
        for process in self.running.values():
            if process.process.poll() is None:
                process.was_ended = True
                process.process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            process.end()


def is_ready(url: str) -> bool:
    """Whether a web process takes requests."""
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _forwarded(url: str, environ: dict[str, Any]) -> requests.Response:
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in ("HTTP_CONNECTION", "HTTP_HOST")
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    return requests.request(
        environ["REQUEST_METHOD"],
        f"{url}{environ['PATH_INFO']}{query}",
        headers=headers,
        data=body,
        allow_redirects=False,
        timeout=60,
    )


@contextmanager
def cluster(engine: str = "celery", **sync: Any) -> Iterator[Cluster]:
    """A world on PostgreSQL whose processes share a Redis; all of them end with the block.

    Skips with a reason where there is no PostgreSQL or Redis.
    """
    with opened("postgresql") as world, broker() as queue:

        def edit(values: dict[str, Any]) -> None:
            values["cache"] = {"type": "RedisCache", "url": queue.url(1)}
            values["log"] = {"level": "info"}
            values["sync"] = {"poll_every": "2s", "deliver_every": "1s", "engine": engine, **sync}
            if engine == "celery":
                values["sync"]["broker_url"] = queue.url()

        found = Cluster(world, queue, world.configure(edit))
        own = world.app.wsgi_app
        try:
            yield found
        finally:
            world.app.wsgi_app = own  # type: ignore[method-assign]
            found.end()


def fill(
    world: World,
    receiver: Receiver | Apart,
    platforms: int,
    cells: int,
    *,
    first: int = 0,
    columns: int = 1,
    connections: int = 4,
) -> None:
    """So many platforms, each with columns whose cells are due. Straight into the tables.

    Each allows so many calls at the same time.
    """
    now = datetime.now(UTC)
    with world.app.app_context():
        for number in range(first, first + platforms):
            url = f"{receiver.url}/p{number}"
            platform = Platform(
                name=f"p{number}", issuer=url, client_id="bench", auth_login_url=f"{url}/auth",
                auth_token_url=f"{url}/token", key_set_url=f"{url}/keys", source="registration",
                settings={"coursera": "practice", "connections": connections}, created_at=now,
            )  # fmt: skip
            deployment = Deployment(
                platform=platform, deployment_id="1", state="approved", first_seen_at=now
            )
            context = Context(deployment=deployment, context_id="1", created_at=now)
            items = [
                LineItem(
                    context=context, url=f"{url}/{n}/lineitem", resource_id=f"coursera:bench:{n}",
                    owner="tool", maximum=100.0, wanted_maximum=100.0, created_at=now,
                )
                for n in range(columns)
            ]  # fmt: skip
            db.session.add_all([platform, deployment, context, *items])
            db.session.flush()
            members = [
                Member(platform_id=platform.id, sub=f"{n}", seen_at=now) for n in range(cells)
            ]
            db.session.add_all(members)
            db.session.flush()
            for item in items:
                db.session.execute(
                    insert(Cell),
                    [
                        {"line_item_fk": item.id, "member_fk": member.id, "wanted_given": 50.0,
                         "wanted_maximum": 100.0, "state": "due", "due_at": now, "read_at": now}
                        for member in members
                    ],
                )  # fmt: skip
        db.session.commit()
        db.session.remove()
