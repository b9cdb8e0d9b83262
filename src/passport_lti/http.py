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
from typing import Any, cast
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.hooks import dispatch_hook
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.exceptions import HTTPError

TIMEOUT: tuple[float, float] = (5.0, 30.0)
"""Seconds to connect, and to wait for the next byte and for the last one."""
HOSTS = 32
"""Hosts to which connections are kept at the same time."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked: the largest rosters and reports are a few."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How an address is reached; what the environment says of proxies included."""

    url: str
    origin: str
    """The host's own address, by which connections are kept."""
    target: str
    """What is said to whoever is connected to: the path, to a proxy the whole address."""


class Session(requests.Session):
    """A `requests.Session` with defaults that are safe for a server.

    Safe to share between threads for requests that carry no cookies; answers' cookies are dropped.
    """

    def __init__(self, timeout: tuple[float, float] = TIMEOUT, connections: int = 16) -> None:
        super().__init__()
        self.timeout = timeout
        self.headers["User-Agent"] = f"passport-lti/{version('passport-lti')}"
        adapter = _Patient(pool_connections=HOSTS, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._usual = {name: str(value) for name, value in self.headers.items()}
        self._patience = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        self._way = lru_cache(maxsize=4096)(self._find_way)
        self._pool = lru_cache(maxsize=HOSTS)(self._find_pool)

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

        `body` is ASCII, as JSON and forms are. Costs a third of `request`, which asks the
        environment each time. Nothing but these headers says who asks: a `.netrc` does not take the
        place of a bearer token. The session's hooks hear the answer.
        Raises requests.RequestException.
        """
        way = self._way(url)
        asked = requests.PreparedRequest()
        asked.method, asked.url, asked.body = method, way.url, body
        asked.headers = cast(Any, {**self._usual, **headers})
        try:
            raw = self._pool(way.origin).urlopen(
                method, way.target, body, asked.headers, _ONCE, redirect=False, chunked=False,
                assert_same_host=False, timeout=self._patience, preload_content=False,
                decode_content=False,
            )  # fmt: skip
        except (HTTPError, OSError) as error:
            raise _as_requests_says(error) from None
        answer = requests.Response()
        answer.status_code, answer.reason, answer.url = raw.status, raw.reason or "", way.url
        answer.headers = CaseInsensitiveDict(raw.headers)
        answer.encoding = get_encoding_from_headers(answer.headers)
        answer.request, answer.raw = asked, raw
        _read(answer, self.timeout[1])
        return dispatch_hook("response", self.hooks, answer)

    def close(self) -> None:
        self._pool.cache_clear()
        super().close()

    def _find_way(self, url: str) -> _Way:
        asked = requests.Request("GET", url).prepare()
        found = asked.url or url
        adapter, settings = self._reached(found)
        target = adapter.request_url(asked, settings["proxies"])
        return _Way(found, urljoin(found, "/"), target)

    def _find_pool(self, origin: str) -> Any:
        adapter, settings = self._reached(origin)
        asked = requests.Request("GET", origin).prepare()
        pool = adapter.get_connection_with_tls_context(asked, **settings)
        adapter.cert_verify(pool, origin, settings["verify"], settings["cert"])
        return pool

    def _reached(self, url: str) -> tuple[HTTPAdapter, dict[str, Any]]:
        """What the environment says of proxies and certificates for an address."""
        settings = self.merge_environment_settings(url, {}, None, None, None)
        known = {name: value for name, value in settings.items() if name != "stream"}
        return cast(HTTPAdapter, self.get_adapter(url)), known


_ONCE = urllib3.Retry(False)
"""A call is made once, and what it fails by is raised as it is."""
_KINDS: tuple[tuple[type[Exception], type[requests.RequestException]], ...] = (
    (urllib3.exceptions.NewConnectionError, requests.ConnectionError),
    (urllib3.exceptions.ConnectTimeoutError, requests.ConnectTimeout),
    (urllib3.exceptions.ReadTimeoutError, requests.ReadTimeout),
    (urllib3.exceptions.SSLError, requests.exceptions.SSLError),
    (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError),
)


def _as_requests_says(error: Exception) -> requests.RequestException:
    """The error that `requests` raises for one of urllib3."""
    kinds = (ours for theirs, ours in _KINDS if isinstance(error, theirs))
    return next(kinds, requests.ConnectionError)(error)


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
            _read(answer, timeout[1] if isinstance(timeout, tuple) else timeout)
        return answer


def _read(answer: requests.Response, patience: float) -> None:
    """Read a body to its end, for so many seconds. Raises requests.RequestException."""
    try:
        answer._content = bounded(answer.raw, LARGEST, time.monotonic() + patience)
    except ValueError as error:
        answer.close()
        raise requests.exceptions.ChunkedEncodingError(str(error)) from None
    answer._content_consumed = True  # type: ignore[attr-defined]


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
