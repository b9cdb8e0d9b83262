"""Scores in, results out."""

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from passport_lti.sandbox.campus.ags import line_item_url, not_foreign
from passport_lti.sandbox.campus.asking import (
    accepts,
    authorised,
    broken_next_link,
    contains,
    context_of,
    line_item_of,
    whole_number,
)
from passport_lti.sandbox.campus.gradebook import bounded
from passport_lti.sandbox.campus.ledger import AcceptedScore
from passport_lti.sandbox.campus.messages import (
    Answer,
    Call,
    Refusal,
    bad_gateway,
    moodle_error,
    refuse,
)
from passport_lti.sandbox.campus.state import Context, Grade, LineItem
from passport_lti.sandbox.campus.tokens import RESULT_READ, SCORE

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"

_ISO = re.compile(
    r"\d{4}-?\d{2}-?\d{2}"
    r"(T\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?",
    re.IGNORECASE,
)


def post_score(campus: "Campus", call: Call, context_id: str, line_item_id: str) -> Answer:
    """200 with an empty body when the score was taken; see the tests for everything else."""
    contains(call, SCORE_TYPE)
    tool = authorised(campus, call, SCORE)
    context = context_of(campus, context_id)
    item = line_item_of(campus, line_item_id)
    not_foreign(item, tool)
    body, timestamp = _read(call.body)
    user_id = _gradable(context, body, call.body)
    grade = item.grades.get(user_id)
    if grade is not None and grade.time is not None and timestamp <= grade.time:
        raise refuse(409, f"Refusing score with an earlier timestamp for item {item.id}")
    if item.locked or (grade is not None and grade.locked):
        raise refuse(500, f"Failed to save score for user: {user_id}")
    if item.activity is not None and item.activity.deleting:
        raise refuse(500, f"Failed to save score for user: {user_id}")
    if grade is None:
        grade = item.grades[user_id] = Grade(maximum=item.maximum)
    _write(item, grade, body, timestamp, campus)
    campus.ledger.scores.append(
        AcceptedScore(
            item.id,
            user_id,
            body.get("scoreGiven"),
            body.get("scoreMaximum"),
            body["timestamp"],
            body,
            campus.now(),
        )
    )
    return Answer(200, b"", SCORE_TYPE)


def _read(text: bytes) -> tuple[dict[str, Any], int]:
    """The score and its timestamp in whole seconds; all errors look the same to the client."""
    wrong = refuse(400, "Incorrect score received" + text.decode("utf-8", "replace"))
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise wrong from error
    if not isinstance(body, dict):
        raise wrong
    for name in ("userId", "timestamp", "activityProgress", "gradingProgress"):
        if body.get(name) is None:
            raise wrong
    if body.get("scoreGiven") is not None:
        numbers = [_number(body["scoreGiven"]), _number(body.get("scoreMaximum"))]
        if None in numbers:
            raise wrong
    stamp = body["timestamp"]
    if not isinstance(stamp, str) or not _ISO.fullmatch(stamp):
        raise wrong
    try:
        moment = datetime.fromisoformat(stamp.upper())
    except ValueError as error:
        raise wrong from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return body, int(moment.timestamp())


def _gradable(context: Context, body: dict[str, Any], text: bytes) -> str:
    user_id = str(body["userId"])
    if user_id and not user_id.isdecimal():
        raise bad_gateway()
    place = context.enrolments.get(user_id)
    # A suspended enrolment still takes grades; a teacher never does.
    if place is None or place.role != "learner" or place.person.deleted:
        raise refuse(400, "Incorrect score received" + text.decode("utf-8", "replace"))
    return user_id


def _write(
    item: LineItem, grade: Grade, body: dict[str, Any], timestamp: int, campus: "Campus"
) -> None:
    """Only FullyGraded with a score writes; everything else clears."""
    given = _number(body.get("scoreGiven"))
    clears = body["gradingProgress"] != "FullyGraded" or given is None
    now = int(campus.now())
    value = None
    if not clears and given is not None:
        maximum = _number(body.get("scoreMaximum")) or 0.0
        value = bounded(given * item.maximum / maximum if maximum > 0 else given, item.maximum)
    comment = "" if clears else str(body.get("comment") or "")
    if item.coupled:
        # Moodle 4.1-4.5 keeps its own clock here and forgets the score's timestamp.
        written = now if campus.coupled_clock == "server" else timestamp
        grade.raw, grade.time = value, None if clears else written
        grade.maximum = item.maximum
        if grade.overridden:
            grade.time = now  # the override stays, and so does its row
            return
    else:
        grade.raw, grade.time = value, now if clears else timestamp
    grade.value, grade.comment = value, comment


def results(campus: "Campus", call: Call, context_id: str, line_item_id: str) -> Answer:
    """Rows that somebody wrote; `limit` breaks the page when `type_id` is there."""
    accepts(call, RESULTS_TYPE)
    tool = authorised(campus, call, RESULT_READ)
    context_of(campus, context_id)
    item = line_item_of(campus, line_item_id)
    params = call.params
    if "limit" in params and "type_id" in params:
        raise Refusal(moodle_error("Error", "Exception - Undefined variable in results"))
    only = params.get("user_id")
    rows = [
        (user_id, grade)
        for user_id, grade in sorted(item.grades.items(), key=lambda row: int(row[0]))
        if grade.time is not None and (not only or user_id == only)
    ]
    limit, start = whole_number(params.get("limit")), whole_number(params.get("from"))
    page = rows[start : start + limit] if limit else rows
    address = line_item_url(campus, item, tool)
    path, _, query = address.partition("?")
    documents = []
    for user_id, grade in page:
        document: dict[str, Any] = {
            "id": f"{path}/results?{query}&user_id={user_id}",
            "userId": user_id,
            "resultMaximum": grade.maximum,
            "scoreOf": address,
            "timestamp": datetime.fromtimestamp(grade.time or 0, UTC).isoformat(),
        }
        if grade.value is not None:
            document["resultScore"] = grade.value
        if grade.comment:
            document["comment"] = grade.comment
        documents.append(document)
    answer = Answer(200, json.dumps(documents).encode(), RESULTS_TYPE)
    if limit and start + limit < len(rows):
        answer.headers.append(broken_next_link(call, campus, limit, start + limit))
    return answer


def _number(value: Any) -> float | None:
    """What PHP calls numeric: numbers and strings of digits, not true and not "nan"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?[\d.]+(e[+-]?\d+)?", value, re.I):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
