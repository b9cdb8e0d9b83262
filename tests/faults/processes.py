"""The tool's own processes in a test: what they say, and how they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from passport_lti.cli.demo import CONFIG
from worlds import World

SLOW = "poll_every: 15s, deliver_every: 5s"
PACE = "poll_every: 1s, deliver_every: 1s"
ITEMS = ("Averages", "Chance", "Case study")


class Running:
    """A process of the tool, and the lines that it has said on stderr until now."""

    def __init__(
        self, world: World, *arguments: str, config: Path = CONFIG, source: Path | None = None
    ) -> None:
        """`source`: the folder of another version of the package."""
        self.lines: list[str] = []
        self.was_ended = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "passport_lti", "--config", str(config), *arguments],
            env={**os.environ, **world.environ, **of(source)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def end(self) -> int:
        """Ask it to end, and wait for that; its exit code."""
        if self.process.poll() is None:
            self.was_ended = True
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        finally:
            self.process.kill()
        self._reader.join(10)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self.lines.append(line)


def brisk(world: World) -> Path:
    """The configuration with less waiting in it."""
    path = Path(world.environ["DEMO_FOLDER"]) / "brisk.yaml"
    slow = CONFIG.read_text()
    assert SLOW in slow
    path.write_text(slow.replace(SLOW, PACE))
    return path


def of(source: Path | None) -> dict[str, str]:
    """What makes Python take the package from a folder."""
    return {"PYTHONPATH": str(source)} if source else {}


@contextmanager
def running(world: World, *arguments: str, **options: Any) -> Iterator[Running]:
    """A process that lives as long as the block, ends well, and never shows a traceback."""
    process = Running(world, *arguments, **options)
    try:
        yield process
        alive = process.was_ended or process.process.poll() is None
    except BaseException:
        sys.stderr.write(process.said[-5000:])
        raise
    finally:
        code = process.end()
    assert alive and code == 0, process.said[-5000:]
    assert "Traceback" not in process.said, process.said[-5000:]


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether a condition comes true within a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def filled(world: World) -> None:
    """Option B with a grade in every cell: 5 learners, 3 items and the course. Nothing is read."""
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    regrade(world, 50)


def regrade(world: World, points: int) -> None:
    for number, learner in enumerate(world.school.learners):
        for item in ITEMS:
            world.grade(learner, "columns", item, points + number)


def shows(world: World, points: int) -> bool:
    """Whether the gradebook shows what `regrade` gave, in each column and for each learner."""
    book = world.book
    return set(ITEMS) <= set(book.columns) and all(
        book[item, learner] == points + number
        for item in ITEMS
        for number, learner in enumerate(world.school.learners)
    )
