"""Addresses into Coursera's pages (facts, section 5). Pure."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from passport_lti.coursera.rows import is_id


def course_url(
    program_url: str, course_id: str, item_id: str | None = None, auth_provider: str | None = None
) -> str:
    """Where a learner is in the course, or in one item of it, signed in through the program.

    The host is that of the program's own address. Raises ValueError for an id that is none.
    """
    if not is_id(course_id) or (item_id and not is_id(item_id)):
        raise ValueError("not a Coursera id")
    query = {
        "showMiniModal": "true",
        "attemptSSOLogin": "true",
        "productType": "course",
        "productId": course_id,
    }
    if item_id:
        query["itemId"] = item_id
    if auth_provider:
        query |= {"authProvider": auth_provider, "authMode": "login"}
    parts = urlsplit(program_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the program has no address")
    joined = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit(parts._replace(query=joined, fragment=""))
