"""Things that go wrong in the API on purpose."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Change = Callable[[Any], Any]
"""From the document of an answer to the one that is sent instead."""


@dataclass(eq=False)
class Fault:
    """With `status` that is the answer and nothing is done; `delay` alone only makes it slow.

    `change` sends another document in the place of the true one. `hold` keeps the request from
    being handled until it is set; with `lose` all is done, but its answer never arrives.
    """

    path_contains: str
    status: int | None = None
    remaining: int | None = 1  # None: for ever
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes = ""
    delay: float = 0
    truncate: bool = False
    drop: bool = False
    change: Change | None = None
    drip: float = 0
    hold: threading.Event | None = None
    lose: bool = False
    hits: int = 0


class Faults:
    """The list of faults; the first that concerns a request happens."""

    def __init__(self) -> None:
        self._list: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        path_contains: str,
        status: int | None = None,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = "",
        delay: float = 0,
        truncate: bool = False,
        drop: bool = False,
        change: Change | None = None,
        drip: float = 0,
        hold: threading.Event | None = None,
        lose: bool = False,
    ) -> Fault:
        """Let the next `times` API requests fail whose "METHOD path?query" has `path_contains`.

        `truncate` cuts the real answer in half, `drop` hangs up without one, `delay` is in seconds,
        `change` edits the answer's document, `drip` sends it byte by byte, so many seconds apart.
        `hold` waits until it is set (or for a minute) before anything is done; `lose` does
        everything and hangs up.
        """
        fault = Fault(
            path_contains,
            status,
            times,
            headers or {},
            body,
            delay,
            truncate,
            drop,
            change,
            drip,
            hold,
            lose,
        )
        with self._lock:
            self._list.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def strike(self, target: str) -> Fault | None:
        """The fault that happens to this request, used up by one."""
        if not self._list:
            return None
        with self._lock:
            for fault in self._list:
                if fault.remaining != 0 and fault.path_contains in target:
                    fault.hits += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None
