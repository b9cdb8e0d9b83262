"""Assignment and Grade Services: line items, scores and results, with Moodle's manners.

What they are is in the facts on Moodle: exact Accept values, a Link header that is unusable, a PUT
that replaces everything, a POST that is never idempotent, only FullyGraded scores that write.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from passport_lti.errors import AnswerLost, Gone, Rejected, RetryLater, ServiceError
from passport_lti.lti.service import Answer, PlatformService

_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINE_ITEM = _SCOPE + "lineitem"
LINE_ITEM_READONLY = _SCOPE + "lineitem.readonly"
SCORE = _SCOPE + "score"
RESULT_READONLY = _SCOPE + "result.readonly"

_MEDIA = "application/vnd.ims.lis."
_LINE_ITEM = _MEDIA + "v2.lineitem+json"
_LINE_ITEMS = _MEDIA + "v2.lineitemcontainer+json"
_RESULTS = _MEDIA + "v2.resultcontainer+json"
_SCORE = _MEDIA + "v1.score+json"

MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class RemoteLineItem:
    """A column as the platform shows it; `raw` is everything it said, to be sent back whole."""

    url: str
    label: str
    maximum: float
    resource_id: str
    tag: str
    resource_link_id: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a gradebook holds for one member; `given` is None for an emptied cell."""

    given: float | None
    maximum: float
    at: int = 0
    """When it was written, in epoch seconds by the platform's clock; 0 where it doesn't say."""

    @property
    def fraction(self) -> float | None:
        return None if self.given is None else self.given / self.maximum


def line_items(service: PlatformService, url: str) -> list[RemoteLineItem]:
    """All line items of ours in a context, in the platform's order, each once.

    A column made or deleted between two pages moves another one from the one to the other.
    """
    found: dict[str, RemoteLineItem] = {}
    try:
        for page in pages(service, url, LINE_ITEM_READONLY, _LINE_ITEMS):
            for item in map(_line_item, page):
                if item is not None:
                    found.setdefault(item.url, item)
    except Gone as error:
        raise no_context(error) from None
    return list(found.values())


def no_context(error: Gone) -> ServiceError:
    """What a 404 for a whole context means: it is gone, unless that was said by a web page."""
    if error.reason == "page_missing":
        return RetryLater("platform_down", error.detail)
    return Gone("context_gone", error.detail)


def line_item(service: PlatformService, url: str) -> RemoteLineItem | None:
    """One column as it is now; None where the platform answers with something else."""
    return _line_item(service.get(url, LINE_ITEM_READONLY, _LINE_ITEM).value)


def create(
    service: PlatformService, url: str, *, label: str, maximum: float, resource_id: str, tag: str
) -> RemoteLineItem:
    """Make a column of our own. Never repeat it blindly: an equal POST makes a second one."""
    value = {
        "label": label, "scoreMaximum": _number(maximum), "resourceId": resource_id, "tag": tag,
    }  # fmt: skip
    answer = service.post(url, LINE_ITEM, _LINE_ITEM, value)
    made = _line_item(answer.value)
    if made is None:
        raise AnswerLost("platform_down", "the platform did not say which column it made")
    return made


def update(service: PlatformService, item: RemoteLineItem, *, label: str, maximum: float) -> None:
    """Rename or resize a column; everything else that the platform showed is sent back."""
    value = {**item.raw, "label": label, "scoreMaximum": _number(maximum)}
    service.put(item.url, LINE_ITEM, _LINE_ITEM, value)


def delete(service: PlatformService, url: str) -> None:
    """Remove a column. Only ever call it for one that we made: Moodle deletes any."""
    service.delete(url, LINE_ITEM)


def send_score(
    service: PlatformService,
    url: str,
    *,
    sub: str,
    given: float,
    maximum: float,
    completed: bool,
    stamp: int,
) -> None:
    """Write one score; `stamp` is in epoch seconds. Always FullyGraded: all else clears a cell.

    Raises Rejected `not_gradable` for a member whom the platform does not grade, RetryLater
    `server_error` for (among others) a locked cell, Conflict for a timestamp that is not newer
    than the cell's.
    """
    if not (math.isfinite(given) and math.isfinite(maximum)):
        raise Rejected("not_gradable", "a score is a finite number")
    value = {
        "userId": sub,
        "scoreGiven": _number(given),
        "scoreMaximum": _number(maximum),
        "timestamp": datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "activityProgress": "Completed" if completed else "InProgress",
        "gradingProgress": "FullyGraded",
    }
    try:
        service.post(beside(url, "scores"), SCORE, _SCORE, value)
    except Rejected as error:
        if error.reason == "refused":
            raise Rejected("not_gradable", error.detail) from None
        raise


def results(service: PlatformService, url: str, sub: str | None = None) -> dict[str, Result]:
    """What the column holds, by `sub`; of one member where `sub` is given.

    Without `limit`, which Moodle can't combine with its own `type_id`.
    """
    address = beside(url, "results")
    if sub is not None:
        joint = "&" if urlsplit(address).query else "?"
        address = f"{address}{joint}user_id={quote(sub, safe='')}"
    found: dict[str, Result] = {}
    for page in pages(service, address, RESULT_READONLY, _RESULTS):
        for row in page:
            if isinstance(row, dict) and row.get("userId") is not None:
                given, maximum = _float(row.get("resultScore")), _float(row.get("resultMaximum"))
                found[str(row["userId"])] = Result(
                    given,
                    maximum if maximum and maximum > 0 else 1.0,
                    _moment(row.get("timestamp")),
                )
    return found


def beside(url: str, name: str) -> str:
    """`…/lineitem/scores?type_id=1` for a line item's address: the query stays at the end."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def pages(service: PlatformService, url: str, scope: str, accept: str) -> Iterator[list[Any]]:
    """The lists on a container's pages. Raises RetryLater where they never end."""
    seen: set[str] = set()
    following: str | None = url
    while following:
        if following in seen or len(seen) >= MOST_PAGES:
            raise RetryLater("platform_down", "the platform's pages go round in circles")
        seen.add(following)
        answer = service.get(following, scope, accept)
        if not isinstance(answer.value, list):
            raise RetryLater("platform_down", "the platform did not answer with a list")
        yield answer.value
        following = next_page(answer)


def next_page(answer: Answer) -> str | None:
    """The address of the next page, read tolerantly; None at the end.

    Raises RetryLater for one on another host: it gets no token of ours, and half a list must
    not pass for the whole. Moodle's header has curly quotes and HTML-escaped ampersands; others
    put parameters first, leave quotes away or give a relative address (RFC 8288).
    """
    for target, parameters in re.findall(r"<([^>]*)>([^<]*)", answer.headers.get("Link", "")):
        if re.search(r"rel\s*=\s*[\"'“”]?[^\"'“”;,]*\bnext\b", _repaired(parameters), re.I):
            # Not html.unescape: it makes "<i_link_id" of a parameter "&lti_link_id".
            url: str = urljoin(answer.url, target.strip().replace("&amp;", "&"))
            if _origin(url) != _origin(answer.url):
                raise RetryLater("platform_down", "the next page is on another host")
            return url
    return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError:
        return "", None, None


def _repaired(text: str) -> str:
    """Header bytes that were UTF-8 but arrive as Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return text


def _line_item(value: object) -> RemoteLineItem | None:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return None
    maximum = _float(value.get("scoreMaximum"))
    return RemoteLineItem(
        url=value["id"],
        label=str(value.get("label") or ""),
        maximum=maximum if maximum and maximum > 0 else 100.0,
        resource_id=str(value.get("resourceId") or ""),
        tag=str(value.get("tag") or ""),
        resource_link_id=str(value.get("resourceLinkId") or ""),
        raw=value,
    )


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> int:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return 0
    # Without an offset it would be the platform's local time, which nobody tells us.
    return int(found.timestamp()) if found.tzinfo else 0


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value
