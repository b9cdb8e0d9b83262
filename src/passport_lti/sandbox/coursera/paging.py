"""Pages of a collection, with the manners that `paging.next` is known or feared to have."""

from typing import Any, NamedTuple

from passport_lti.sandbox.coursera.errors import ApiError
from passport_lti.sandbox.coursera.traps import Traps

_OPAQUE = "pg."
_ENDLESS = "more."


class Page(NamedTuple):
    """Elements `start` to `stop` are to be shown."""

    start: int
    stop: int
    paging: dict[str, Any]


def page(arguments: Any, total: int, default: int, traps: Traps) -> Page:
    """The page that `start` and `limit` of a query ask for. Raises ApiError 400 for nonsense."""
    start = _start(arguments.get("start", "0"))
    try:
        limit = int(arguments.get("limit", default))
    except ValueError:
        raise ApiError(400, "BAD_REQUEST", "limit is not a number") from None
    if limit < 1:
        raise ApiError(400, "BAD_REQUEST", "limit is less than 1")
    stop = start + min(limit, traps.largest_page)
    paging: dict[str, Any] = {} if traps.omit_total else {"total": total}
    following = _next(start, stop, total, traps)
    if traps.next_kind == "endless":
        # Each page is the first one again, and names another one that was never named.
        following = f"{_ENDLESS}{_turn(str(arguments.get('start', ''))) + 1}"
    if following is not None:
        paging["next"] = following
    return Page(start, stop, paging)


def _turn(text: str) -> int:
    number = text.removeprefix(_ENDLESS)
    return int(number) if number != text and number.isdecimal() else 0


def _start(text: str) -> int:
    if _turn(text):
        return 0
    plain = text.removeprefix(_OPAQUE)
    if plain.isdecimal() and len(plain) < 15:
        return int(plain) - (7 if plain != text else 0)
    raise ApiError(400, "BAD_REQUEST", "start is not a page")


def _next(start: int, stop: int, total: int, traps: Traps) -> str | int | None:
    if traps.next_kind == "repeat":
        # The second page says that it follows itself.
        return str(start or stop)
    if stop >= total:
        if traps.next_kind == "cycle":
            return "0"
        if not (traps.empty_last_page and start < total):
            return None
    if traps.next_kind == "number":
        return stop
    return f"{_OPAQUE}{stop + 7}" if traps.next_kind == "opaque" else str(stop)
