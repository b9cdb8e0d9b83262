"""Other ways to post scores, each to the platform that also takes ours, and what they cost."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.grade import Grade
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector

from passport_lti.lti.ags import SCORE
from receivers import Apart, receiving_apart

Send = Callable[[int], object]
"""Sends the score of the learner of this number; each number once."""
SetUp = Callable[[str], AbstractContextManager[Send]]
"""Makes ready to send to the platform at this address."""

RUNS = 3
KIND = "application/vnd.ims.lis.v1.score+json"


@dataclass(frozen=True)
class Peer:
    """Another way to send, and how much of it is measured."""

    set_up: SetUp
    scores: int
    """In each run for CPU."""
    slow_scores: int
    """To the platform that has a limit."""
    side_by_side: int
    """How many of those at once."""
    sends_all: bool
    """Whether it sends every grade each time, as it does not know which have changed."""

    def cost(self) -> tuple[float, float]:
        """CPU ms of this process and requests for one score, sent one after the other.

        CPU is the median of three runs; requests are those of all of them.
        """
        spent, scores = [], self.scores
        with receiving_apart(0) as receiver, self.set_up(receiver.url) as send:
            for run in range(RUNS):
                began = time.process_time()
                for number in range(run * scores, (run + 1) * scores):
                    send(number)
                spent.append(time.process_time() - began)
            asked = _all_sent(receiver, RUNS * scores)
        return median(spent) * 1000 / scores, sum(asked.values()) / asked["scores"]

    def rate(self, latency: float) -> float:
        """Scores a second to a platform that takes so many seconds for each answer."""
        with receiving_apart(latency) as receiver, self.set_up(receiver.url) as send:
            began = time.monotonic()
            with ThreadPoolExecutor(self.side_by_side) as pool:
                list(pool.map(send, range(self.slow_scores)))
            took = time.monotonic() - began
            _all_sent(receiver, self.slow_scores)
        return self.slow_scores / took


def _all_sent(receiver: Apart, scores: int) -> Counter[str]:
    asked = receiver.seen().asked
    assert asked["scores"] == scores, asked
    return asked


@contextmanager
def raw(url: str) -> Iterator[Send]:
    """The floor: a kept connection for each thread, a body that is ready, nothing remembered."""
    place = urlsplit(url)
    headers = {"Content-Type": KIND, "Authorization": "Bearer bench"}
    body = json.dumps(score("0"))
    kept: dict[int, http.client.HTTPConnection] = {}

    def send(_: int) -> None:
        thread = threading.get_ident()
        if thread not in kept:
            kept[thread] = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        kept[thread].request("POST", "/raw/0/lineitem/scores", body, headers)
        kept[thread].getresponse().read()

    try:
        yield send
    finally:
        for connection in kept.values():
            connection.close()


@contextmanager
def pylti1p3_naive(url: str) -> Iterator[Send]:
    """PyLTI1p3 as a launch that was looked up again uses it: a new connector for each score."""
    its = registration(url)
    yield lambda number: _grades(its, url).put_grade(_grade(number))


@contextmanager
def pylti1p3_one_connector(url: str) -> Iterator[Send]:
    """PyLTI1p3 with one connector, and so one token and one kept connection, for all scores."""
    grades = _grades(registration(url), url)
    yield lambda number: grades.put_grade(_grade(number))


def _grades(its: Registration, url: str) -> AssignmentsGradesService:
    place = f"{url}/pylti1p3/0/lineitem"
    return AssignmentsGradesService(
        ServiceConnector(its),
        {"scope": [SCORE], "lineitem": place, "lineitems": f"{url}/pylti1p3/lineitems"},
    )


def registration(url: str) -> Registration:
    """The platform at this address, as PyLTI1p3 knows it."""
    found = Registration().set_issuer(url).set_client_id("bench")
    return found.set_auth_token_url(f"{url}/token").set_tool_private_key(_pem())


def _grade(number: int) -> Grade:
    sent = score(str(number))
    grade = Grade().set_score_given(50).set_score_maximum(100).set_user_id(sent["userId"])
    grade.set_timestamp(sent["timestamp"]).set_activity_progress("Completed")
    return grade.set_grading_progress("FullyGraded")


def score(sub: str) -> dict[str, str | float]:
    return {
        "userId": sub, "scoreGiven": 50, "scoreMaximum": 100, "activityProgress": "Completed",
        "gradingProgress": "FullyGraded", "timestamp": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
