"""Things that go wrong on purpose."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Match = str | Callable[[str, str, bytes], bool]


@dataclass(eq=False)
class Fault:
    """`drop` "before": no answer, nothing done; "after": the work is done, the answer lost.

    With `status` the answer is that, and nothing is done; with `drop` "after" as well the work is
    done and answered so. With `delay` alone the request is slow, with `drip` its answer comes byte
    by byte.
    """

    kind: str
    status: int | None = None
    remaining: int | None = 1  # None: for ever
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0
    drip: float = 0
    drop: str | None = None
    match: Match | None = None
    hits: int = 0

    def concerns(self, kind: str, method: str, target: str, body: bytes) -> bool:
        if self.kind not in ("*", kind) or self.remaining == 0:
            return False
        if callable(self.match):
            return self.match(method, target, body)
        return self.match is None or self.match in f"{method} {target}"


class Faults:
    """The list of faults; the first that concerns a request happens."""

    def __init__(self) -> None:
        self._list: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        kind: str,
        status: int | None = None,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        delay: float = 0,
        drop: str | None = None,
        match: Match | None = None,
        drip: float = 0,
    ) -> Fault:
        """Let the next `times` requests of `kind` ("*": any) fail; `match` narrows them down.

        `match` is a piece of "METHOD path?query" or `f(method, target, body) -> bool`.
        """
        fault = Fault(kind, status, times, headers or {}, body, delay, drip, drop, match)
        with self._lock:
            self._list.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._list.clear()

    def strike(self, kind: str, method: str, target: str, body: bytes) -> Fault | None:
        """The fault that happens to this request, used up by one."""
        if not self._list:
            return None
        with self._lock:
            for fault in self._list:
                if fault.concerns(kind, method, target, body):
                    fault.hits += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                    return fault
        return None
