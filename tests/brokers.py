"""A private Redis for tests that need a broker: on a free port, without files, gone in the end."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

import debian
import ports


class Broker:
    """A Redis server that can be stopped, which forgets everything, and started again."""

    def __init__(self, program: Path, folder: str) -> None:
        self._program, self._folder = program, folder
        self.port = ports.free()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, number: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self._folder],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("Redis did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """As if the machine had gone: what it held is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        with redis.Redis.from_url(self.url()) as client:
            client.flushall()

    def messages(self, queue: str) -> list[bytes]:
        """What waits in a queue and nobody has begun, as it is stored."""
        with redis.Redis.from_url(self.url()) as client:
            return list(client.lrange(queue, 0, -1))

    def repeat(self, queue: str, times: int) -> None:
        """Have every waiting message come so many times more."""
        with redis.Redis.from_url(self.url()) as client:
            for message in client.lrange(queue, 0, -1) * times:
                client.lpush(queue, message)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url()) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def broker() -> Iterator[Broker]:
    """A running broker; skips with a reason where there is no Redis."""
    program = debian.need("redis-server", "redis-server")
    with tempfile.TemporaryDirectory(prefix="passport-lti-redis-") as folder:
        server = Broker(program, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
