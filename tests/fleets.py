"""Several processes of the tool on one PostgreSQL and one Redis, over the practice servers.

What several machines would run, on this one; the tests and the benchmarks play on it.
"""

import itertools
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

import ports
from brokers import Broker, broker
from faults.processes import Running, wait_for
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
            assert wait_for(lambda url=url: _is_ready(url), 180), self.running[name].said

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


def _is_ready(url: str) -> bool:
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
