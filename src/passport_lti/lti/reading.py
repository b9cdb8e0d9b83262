"""Reading an answer with an end: so many bytes, so many seconds, and no more.

A time-out of `requests` starts anew with every byte; one byte a second would hold a thread for
hours.
"""

import time
from typing import Any

import urllib3


def bounded(raw: Any, largest: int, deadline: float) -> bytes:
    """The body of a streamed urllib3 answer; `deadline` as of `time.monotonic`.

    Raises ValueError for a body that is too large, too slow or broken off.
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
