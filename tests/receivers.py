"""A platform of which only the services answer, after a fixed time: what workers are timed against.

One thread, no framework: it must not be the bound of what is measured.
"""

import asyncio
import json
import multiprocessing
import selectors
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import Queue
from typing import Any

TOKEN = json.dumps({"access_token": "bench", "token_type": "bearer", "expires_in": 3600}).encode()


@dataclass
class Receiver:
    """Scores by `(path, userId)`, with the time of each; `at_once` is the most calls in flight."""

    latency: float
    slow: dict[str, float] = field(default_factory=dict)
    """Seconds that calls below a path take, instead of `latency`."""
    results: bytes = b"[]"
    """What each column answers when its results are read."""
    asked: Counter[str] = field(default_factory=Counter)
    """All requests by kind, the last word of their paths: `token`, `scores`, `results`, ..."""
    scores: list[tuple[str, str, float]] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)
    at_once: dict[str, int] = field(default_factory=dict)
    url: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode("latin-1").split("\r\n")
                method, target, _ = line.split(" ", 2)
                length = next(
                    (int(h.split(":")[1]) for h in headers if h.lower().startswith("content-len")),
                    0,
                )
                body = await reader.readexactly(length) if length else b""
                answer = await self._answer(method, target.split("?")[0], body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + str(len(answer)).encode() + b"\r\n\r\n" + answer
                )  # fmt: skip
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other side is done, or was killed
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> bytes:
        platform, kind = path.split("/")[1], path.rpartition("/")[2]
        self.asked[kind] += 1
        self.in_flight[platform] = self.in_flight.get(platform, 0) + 1
        self.at_once[platform] = max(self.at_once.get(platform, 0), self.in_flight[platform])
        try:
            await asyncio.sleep(self.slow.get(platform, self.latency))
        finally:
            self.in_flight[platform] -= 1
        if kind == "token":
            return TOKEN
        if kind == "scores":
            user = json.loads(body)["userId"]
            self.scores.append((path, user, time.monotonic()))
            return b""
        return self.results if kind == "results" else b"[]"


@dataclass(frozen=True)
class Seen:
    """What a receiver was asked until now: requests by kind, and the most at once by platform."""

    asked: Counter[str]
    at_once: dict[str, int]


@dataclass(frozen=True)
class Apart:
    """A receiver in a process of its own: its CPU is not that of whoever asks it."""

    url: str
    _pipe: Connection

    def seen(self) -> Seen:
        self._pipe.send(True)
        return self._pipe.recv()


@contextmanager
def receiving_apart(latency: float, results: bytes = b"[]") -> Iterator[Apart]:
    """A receiver in a process of its own, which ends with the block."""
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe()
    process = processes.Process(target=_tell, args=[there, latency, results], daemon=True)
    process.start()
    there.close()
    try:
        yield Apart(here.recv(), here)
    finally:
        here.close()
        process.join()


def _tell(pipe: Connection, latency: float, results: bytes) -> None:
    """Say the address, then what was seen as often as the other side asks, until it hangs up."""
    with receiving(latency, results) as receiver:
        pipe.send(receiver.url)
        try:
            while pipe.recv():
                pipe.send(Seen(receiver.asked, receiver.at_once))
        except EOFError:
            pass  # the other side is done, or was killed


@contextmanager
def receiving(latency: float, results: bytes = b"[]") -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    receiver, begun = Receiver(latency, results=results), Queue[asyncio.AbstractEventLoop]()
    # A loop of its own thread: a browser's may be running in this one.
    thread = threading.Thread(target=_run, args=[_serve(receiver, begun)], daemon=True)
    thread.start()
    loop = begun.get(timeout=30)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(receiver.ended.set)
        thread.join()


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """Run it on `select`, which waits to the microsecond: epoll adds up to a millisecond."""
    with asyncio.Runner(loop_factory=_exact_loop) as runner:
        runner.run(serving)


def _exact_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _serve(receiver: Receiver, begun: Queue[asyncio.AbstractEventLoop]) -> None:
    """Answer until `ended`, then hang up on whoever is still connected."""
    async with await asyncio.start_server(receiver.serve_one, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        begun.put(asyncio.get_running_loop())
        await receiver.ended.wait()
        await _hang_up()


async def _hang_up() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
