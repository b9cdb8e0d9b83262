"""A WSGI application asked without a server or a client, and the launches that come to its door.

What is measured is the CPU of the thread between the call of the application and the last byte
of its answer: everything that a tool does for a request, nothing of what a web server, a browser
or the platform does. Environments are built, and id_tokens signed, outside of the measure.

`HttpDoor` is the same door of a process of its own, over HTTP.
"""

import http.client
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count, cycle
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from passport_lti.sandbox.campus import Campus, claims
from passport_lti.sandbox.campus.state import Activity, Person

Wsgi = Callable[..., Any]


@dataclass
class Door:
    app: Wsgi
    url: str
    _spent: float = 0.0
    _took: float = 0.0

    def cpu(self) -> float:
        """CPU seconds of the application until now."""
        return self._spent

    def wall(self) -> float:
        """Seconds that the application has taken until now."""
        return self._took

    def post(self, path: str, fields: dict[str, str], cookie: str = "") -> "Answer":
        body = urlencode(fields).encode()
        place = urlsplit(self.url)
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
            "SERVER_NAME": place.hostname, "SERVER_PORT": str(place.port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": place.netloc,
            "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
            "HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8",
            "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.5", "HTTP_SEC_FETCH_SITE": "cross-site",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0), "wsgi.url_scheme": place.scheme, "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        if cookie:
            environ["HTTP_COOKIE"] = cookie
        answer = Answer()
        began, spent = time.perf_counter(), time.thread_time()
        pieces = self.app(environ, answer.begin)
        answer.body = b"".join(pieces)
        getattr(pieces, "close", int)()
        self._spent += time.thread_time() - spent
        self._took += time.perf_counter() - began
        return answer


class HttpDoor:
    """A tool at a port of this machine, by one connection that is kept open."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go with each request."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}

    def post(self, path: str, fields: dict[str, str], cookie: str = "") -> "Answer":
        headers = {**self._headers, **({"Cookie": cookie} if cookie else {})}
        self.connection.request("POST", path, urlencode(fields), headers)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def begin(self, status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        self.status, self.headers = int(status.split()[0]), headers

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Asked(Protocol):
    """A tool that answers posted forms."""

    def post(self, path: str, fields: dict[str, str], cookie: str = "") -> Answer: ...


class Metered(Asked, Protocol):
    """One that says what CPU seconds it has used."""

    def cpu(self) -> float: ...


Claims = dict[str, Any]


@dataclass
class Burst:
    """People of a class who open one activity in turn (W7), each with a login and a message."""

    campus: Campus
    activity: Activity
    people: list[Person]
    _numbers: Iterator[int] = field(default_factory=count)

    def launch(self, door: Metered, times: int) -> float:
        """So many whole launches; the CPU seconds of the application for all of them."""
        before = door.cpu()
        people = cycle(self.people)
        for _ in range(times):
            answer = self.open(door, next(people))
            assert answer.status in (200, 302, 303), (answer.status, answer.body[:500])
        return door.cpu() - before

    def open(self, door: Asked, person: Person) -> Answer:
        """One person's login and launch; the answer to the launch, or to a login that failed."""
        message = claims.resource_link(self.campus, self.activity, person, secrets.token_hex(5))
        return self.say(door, message, self.activity.url)

    def say(self, door: Asked, message: Claims, target: str) -> Answer:
        """A login, and this message; the answer to it, or to a login that failed."""
        tool, number = self.activity.tool, next(self._numbers)
        start = door.post("/lti/login", {
            "iss": self.campus.url, "target_link_uri": target, "login_hint": message["sub"],
            "client_id": tool.client_id,
            "lti_message_hint": f'{{"cmid":7,"launchid":"ltilaunch{number}"}}',
            "lti_deployment_id": tool.deployment_id,
        })  # fmt: skip
        if start.status >= 400:
            return start
        question = parse_qs(urlsplit(start.header("location")).query)
        cookies = [v.partition(";")[0] for k, v in start.headers if k.lower() == "set-cookie"]
        fields = {"id_token": self._token(message, question["nonce"][0]),
                  "state": question["state"][0]}  # fmt: skip
        return door.post("/lti/launch", fields, "; ".join(cookies))

    def _token(self, message: Claims, nonce: str) -> str:
        now, key = int(self.campus.now()), self.campus.private_key
        body = {**message, "nonce": nonce, "iat": now, "exp": now + 60}
        return jwt.encode(body, key, algorithm="RS256", headers={"kid": self.campus.kid})
