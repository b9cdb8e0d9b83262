"""Coursera's enterprise API: tokens, paging, patience. Facts: the Coursera API page, 1 to 3."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from passport_lti.config import CourseraConnection
from passport_lti.errors import Conflict, Gone, Rejected, RetryLater
from passport_lti.http import Session, retry_after

TRIES = 4
"""Attempts of one request; who waits longer than that asks again at the next poll."""
LONGEST_WAIT = 15.0
"""Seconds that a request waits here at most for Coursera's `Retry-After`."""
MOST_PAGES = 20_000
MOST_EQUAL = 20
"""Pages of one reading that begin and end alike; rows that move about make a few."""
TOKEN_MARGIN = 60.0

EXISTS = ("ALREADY_EXISTS", "ALREADY_ENROLLED", "ALREADY_MEMBER", "ALREADY_INVITED")
"""How the codes end that mean: what is wanted is there already (2.2)."""
_CODE = re.compile(r"[A-Z0-9_]{1,64}")

Row = Mapping[str, Any]


class CourseraClient:
    """One connection (organisation) to Coursera. Threads may share it.

    Raises RetryLater `coursera_down`, `coursera_rate_limited`, `coursera_malformed`; Rejected
    `coursera_refused` (key), `coursera_forbidden`, `coursera_bad_request`; Gone `coursera_gone`;
    what changes something also Conflict `coursera_exists`: what is wanted is there already.
    `requests` counts all calls, tokens included.
    """

    def __init__(
        self,
        name: str,
        connection: CourseraConnection,
        http: Session,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.connection = connection
        self.requests = 0
        self._http, self._clock, self._sleep = http, clock, sleep
        self._places = threading.BoundedSemaphore(connection.max_concurrency)
        self._token_lock, self._count_lock = threading.Lock(), threading.Lock()
        self._token, self._token_until = "", 0.0

    @property
    def base(self) -> str:
        """The root of the organisation's resources; old-generation addresses keep their own."""
        root = self.connection.api_base
        generation = "/api" if "api.coursera.org" in root else "/ent/api"
        return f"{root}{generation}/businesses.v1/{quote(self.connection.org_id)}"

    def organisation(self) -> Row:
        """The organisation itself: the cheapest question that proves key and id."""
        value = self._get(self.base, {})
        return value if isinstance(value, dict) else {}

    def programs(self) -> Iterator[Row]:
        """All programs with the ids of their contents (3.2)."""
        return self._elements(f"{self.base}/programs", {"excludeContent": "false"})

    def contents(self) -> Iterator[Row]:
        """The organisation's whole catalogue (3.3)."""
        return self._elements(f"{self.base}/contents", {})

    def gradebook_pages(self, program_id: str, course_id: str) -> Iterator[list[Row]]:
        """One course's gradebook report, a list of learners a page (3.10)."""
        query = {"q": "search", "programId": program_id, "courseId": course_id}
        return self._pages(f"{self.base}/courseGradebookReports", query)

    def enrollment_pages(self, program_id: str) -> Iterator[list[Row]]:
        """A program's enrollment report, whose grades are 0 to 1 (3.8)."""
        query = {"q": "byProgramId", "programId": program_id}
        return self._pages(f"{self.base}/enrollmentReports", query)

    def memberships(self, program_id: str) -> Iterator[Row]:
        """A program's members with external id and e-mail (3.5)."""
        return self._elements(f"{self.base}/programs/{quote(program_id, safe='')}/memberships", {})

    def invite(self, program_id: str, person: Row) -> Row:
        """Invite somebody to a program (3.6); one attempt."""
        return self._post(f"programs/{quote(program_id, safe='')}/invitations", person)

    def join(self, program_id: str, person: Row) -> Row:
        """Make somebody a member of a program (3.5); one attempt."""
        return self._post(f"programs/{quote(program_id, safe='')}/memberships", person)

    def enroll(self, program_id: str, enrollment: Row) -> Row:
        """Enrol a member in a course (3.7); one attempt."""
        return self._post(f"programs/{quote(program_id, safe='')}/programEnrollments", enrollment)

    def outline(self, program_id: str, course_id: str, course_slug: str) -> Any:
        """The course outline, where the organisation has its path (3.13); raises Gone if not."""
        template = self.connection.outline_path
        if not template:
            raise Gone("coursera_gone", "no outline_path is configured")
        path = template.format(
            org_id=quote(self.connection.org_id, safe=""),
            program_id=quote(program_id, safe=""),
            course_id=quote(course_id, safe=""),
            course_slug=quote(course_slug, safe=""),
        )
        return self._get(f"{self.connection.api_base}/{path.lstrip('/')}", {})

    def _elements(self, url: str, query: Mapping[str, str]) -> Iterator[Row]:
        for page in self._pages(url, query):
            yield from page

    def _pages(self, url: str, query: Mapping[str, str]) -> Iterator[list[Row]]:
        """Pages until `paging.next` is absent or a page is empty; `next` is opaque (2.1)."""
        start, seen = "0", set[str]()
        alike: Counter[int] = Counter()
        while True:
            seen.add(start)
            limit = str(self.connection.page_size)
            value = self._get(url, {**query, "start": start, "limit": limit})
            elements = value.get("elements") if isinstance(value, dict) else None
            if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
                raise RetryLater("coursera_malformed", "Coursera's answer has no list of elements")
            yield elements
            paging = value.get("paging") if isinstance(value, dict) else None
            following = paging.get("next") if isinstance(paging, dict) else None
            if following in (None, "") or not elements:
                return
            start = str(following)
            content = hash(repr((len(elements), elements[0], elements[-1])))
            alike[content] += 1
            if start in seen or len(seen) >= MOST_PAGES or alike[content] > MOST_EQUAL:
                raise RetryLater("coursera_malformed", "Coursera's pages go round in circles")

    def _post(self, path: str, body: Row) -> Row:
        """Change something; a refused token is renewed once, for nothing was done then."""
        url = f"{self.base}/{path}"
        answer, token = self._ask(url, {}, body)
        if answer.status_code == 401:
            self._forget(token)
            answer, _ = self._ask(url, {}, body)
        value = _understood(answer, self._clock().timestamp())
        elements = value.get("elements") if isinstance(value, dict) else None
        found = elements[0] if isinstance(elements, list) and elements else value
        return found if isinstance(found, dict) else {}

    def _get(self, url: str, query: Mapping[str, str]) -> Any:
        """A JSON answer, tried a few times; a refused token is renewed once."""
        renewed = False
        for attempt in range(1, TRIES + 1):
            try:
                answer, token = self._ask(url, query)
                if answer.status_code == 401 and not renewed:
                    renewed = True
                    self._forget(token)
                    answer, _ = self._ask(url, query)
                return _understood(answer, self._clock().timestamp())
            except RetryLater as error:
                wait = error.after if error.after is not None else 0.4 * 3 ** (attempt - 1)
                if attempt == TRIES or wait > LONGEST_WAIT:
                    raise
                self._sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def _ask(
        self, url: str, query: Mapping[str, str], body: Row | None = None
    ) -> tuple[requests.Response, str]:
        token = self._bearer()
        headers = {"Authorization": f"Bearer {token}"}
        with self._places:
            if body is None:
                return self._send("GET", url, headers, query), token
            return self._send("POST", url, headers, query, json=dict(body)), token

    def _forget(self, token: str) -> None:
        """Drop a token that was refused, unless another thread has renewed it already."""
        with self._token_lock:
            if self._token == token:
                self._token_until = 0.0

    def _bearer(self) -> str:
        with self._token_lock:
            now = self._clock().timestamp()
            if self._token_until > now:
                return self._token
            connection = self.connection
            secrets = connection.api_key, connection.api_secret
            with self._places:
                answer = self._send(
                    "POST",
                    f"{connection.api_base}/oauth2/client_credentials/token",
                    {},
                    {},
                    data={"grant_type": "client_credentials"},
                    auth=tuple(secret.get_secret_value() for secret in secrets),
                )
            value = _understood(answer, now)
            token = value.get("access_token") if isinstance(value, dict) else None
            if not isinstance(token, str) or not token:
                raise RetryLater("coursera_malformed", "Coursera's token answer has no token")
            life = value.get("expires_in", 1799)
            seconds = float(life) if isinstance(life, int | float) else 1799.0
            self._token, self._token_until = token, now + max(seconds - TOKEN_MARGIN, 1.0)
            return token

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], query: Any, **more: Any
    ) -> requests.Response:
        with self._count_lock:
            self.requests += 1
        timeout = (5.0, float(self.connection.timeout))
        try:
            return self._http.request(
                method, url, headers=headers, params=query, timeout=timeout, **more
            )
        except requests.RequestException as error:
            why = type(error).__name__
            raise RetryLater("coursera_down", f"Coursera did not answer ({why})") from None


def _understood(answer: requests.Response, now: float) -> Any:
    status = answer.status_code
    if 200 <= status < 300:
        if status != 200 and not answer.content.strip():
            return {}
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError):
            raise RetryLater("coursera_malformed", "Coursera's answer is not JSON") from None
    detail = f"Coursera answered {status}"
    if status == 429:
        raise RetryLater("coursera_rate_limited", detail, retry_after(answer, now))
    if status >= 500 or 300 <= status < 400:
        raise RetryLater("coursera_down", detail, retry_after(answer, now))
    if status == 401:
        raise Rejected("coursera_refused", f"{detail}: check api_key and api_secret")
    if status == 403:
        raise Rejected(
            "coursera_forbidden", f"{detail}: the app is not entitled to this organisation"
        )
    if status == 404:
        raise Gone("coursera_gone", f"{detail}: check org_id and the program")
    code = _error_code(answer)
    if code.endswith(EXISTS) or (not code and b"already" in answer.content[:500].lower()):
        raise Conflict("coursera_exists", f"{detail} ({code or 'already'})")
    if code and code != "BAD_REQUEST":
        raise Rejected("coursera_bad_request", f"{detail} ({code})")
    raise Rejected("coursera_bad_request", f"{detail}: ids must be encoded ids, not slugs")


def _error_code(answer: requests.Response) -> str:
    """The code in a refusal's body, which may be of any kind (2.2); empty where it has none."""
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return ""
    code = value.get("errorCode") if isinstance(value, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
