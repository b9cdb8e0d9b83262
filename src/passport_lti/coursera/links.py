"""Addresses into Coursera's pages (facts, section 5). Pure."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from passport_lti.coursera.rows import is_id

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"^`{|}]")
"""What browsers drop or turn into something else before they read an address."""


def program_url(
    address: str, auth_provider: str | None = None, collection_id: str | None = None
) -> str:
    """Where a learner is in a program, or in one collection of it, signed in through it.

    `address` is the program's own as the catalogue has it. Raises ValueError.
    """
    return _inside(address, _collection(collection_id), auth_provider)


def course_url(
    address: str,
    course_id: str,
    item_id: str | None = None,
    auth_provider: str | None = None,
    collection_id: str | None = None,
) -> str:
    """Where a learner is in the course, or in one item of it, signed in through the program.

    The host is that of the program's own `address`. Raises ValueError for an id that is none.
    """
    if not is_id(course_id) or (item_id and not is_id(item_id)):
        raise ValueError("not a Coursera id")
    query = {"showMiniModal": "true", "productType": "course", "productId": course_id}
    if item_id:
        query["itemId"] = item_id
    return _inside(address, {**query, **_collection(collection_id)}, auth_provider)


def is_address(address: str) -> bool:
    """Whether a program's address is one that a browser takes as it is written."""
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and named and not _UNSAFE.search(address)


def _collection(collection_id: str | None) -> dict[str, str]:
    if collection_id and not is_id(collection_id):
        raise ValueError("not a Coursera id")
    return {"collectionId": collection_id} if collection_id else {}


def _inside(address: str, query: Mapping[str, str], auth_provider: str | None) -> str:
    if not is_address(address):
        raise ValueError("the program has no address")
    wanted = {**query, "attemptSSOLogin": "true"}
    if auth_provider:
        wanted |= {"authProvider": auth_provider, "authMode": "login"}
    parts = urlsplit(address)
    joined = "&".join(filter(None, (parts.query, urlencode(wanted))))
    return urlunsplit(parts._replace(query=joined, fragment=""))
