"""The one session for all outgoing HTTP: time-outs, a pool, no redirects, a name.

PyLTI1p3 gets it too, so no call of this program can hang for ever or follow a redirect with a
bearer token in its hand.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.hooks import default_hooks, dispatch_hook
from requests.structures import CaseInsensitiveDict

TIMEOUT: tuple[float, float] = (5.0, 30.0)
"""Seconds to connect, and to wait for the next byte and for the last one."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked: the largest rosters and reports are a few."""


@dataclass(frozen=True)
class _Way:
    """How an address is reached; what the environment says of proxies and certificates included."""

    url: str
    adapter: BaseAdapter
    settings: dict[str, Any]


class Session(requests.Session):
    """A `requests.Session` with defaults that are safe for a server.

    Safe to share between threads for requests that carry no cookies; answers' cookies are dropped.
    """

    def __init__(self, timeout: tuple[float, float] = TIMEOUT, connections: int = 16) -> None:
        super().__init__()
        self.timeout = timeout
        self.headers["User-Agent"] = f"passport-lti/{version('passport-lti')}"
        adapter = _Patient(pool_connections=32, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._usual = {name: str(value) for name, value in self.headers.items()}
        self._way = lru_cache(maxsize=4096)(self._find_way)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No answer sends us elsewhere; `get` alone would follow one in spite of any default."""

    def request(self, method: str | bytes, url: str | bytes, **options: Any) -> requests.Response:  # type: ignore[override]
        options.setdefault("timeout", self.timeout)
        if options["timeout"] is None:
            options["timeout"] = self.timeout
        answer = super().request(method, url, **options)
        self.cookies.clear()
        return answer

    def call(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> requests.Response:
        """One plain request, with nothing looked up anew that is known of its address.

        `body` is ASCII, as JSON and forms are. Costs less than half of `request`, which asks the
        environment each time. Nothing but these headers says who asks: a `.netrc` does not take the
        place of a bearer token. Raises requests.RequestException.
        """
        way = self._way(url)
        asked = requests.PreparedRequest()
        asked.method, asked.url, asked.hooks = method, way.url, default_hooks()
        asked.headers = CaseInsensitiveDict({**self._usual, **headers})
        if body is not None:
            asked.body = body
            asked.headers["Content-Length"] = str(len(body.encode("ascii")))
        answer = way.adapter.send(asked, timeout=self.timeout, **way.settings)
        return dispatch_hook("response", self.hooks, answer)

    def _find_way(self, url: str) -> _Way:
        found = requests.Request("GET", url).prepare().url or url
        settings = self.merge_environment_settings(found, {}, None, None, None)
        known = {name: value for name, value in settings.items() if name != "stream"}
        return _Way(found, self.get_adapter(found), known)


class _Patient(HTTPAdapter):
    """Reads a body that nobody wants as a stream itself, with an end."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        answer = super().send(request, True, timeout, verify, cert, proxies)
        if not stream:
            patience = timeout[1] if isinstance(timeout, tuple) else timeout
            try:
                answer._content = bounded(answer.raw, LARGEST, time.monotonic() + patience)
            except ValueError as error:
                answer.close()
                raise requests.exceptions.ChunkedEncodingError(str(error)) from None
            answer._content_consumed = True  # type: ignore[attr-defined]
        return answer


def bounded(raw: Any, largest: int, deadline: float) -> bytes:
    """The body of a streamed urllib3 answer; `deadline` as of `time.monotonic`.

    A time-out of `requests` starts anew with every byte: one byte a second would hold a thread
    for hours. Raises ValueError for a body that is too large, too slow or broken off.
    """
    body = bytearray()
    try:
        while chunk := raw.read1(16 * 1024, decode_content=True):
            body += chunk
            if len(body) > largest:
                raise ValueError("the answer is too large")
            if time.monotonic() > deadline:
                raise ValueError("the answer takes too long")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ValueError(f"the answer broke off: {type(error).__name__}") from None
    return bytes(body)


def retry_after(answer: requests.Response, now: float) -> float | None:
    """Seconds that an answer's `Retry-After` asks for, between 1 and 3600; None without one.

    Understands seconds and HTTP dates (RFC 9110, 10.2.3); `now` is in epoch seconds.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            return None
    return None if math.isnan(seconds) else min(max(seconds, 1.0), 3600.0)
