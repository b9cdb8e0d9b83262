"""Reading what arrives: LTI messages as flat fields, or a refusal."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from passport_lti.errors import LaunchRefused

MOST = 100
"""Fields of one message; the longest known one has about a dozen."""
FLOOD = 1000
"""So many fields are no message any more, but too much: they are not even taken apart."""


def message_fields() -> Mapping[str, str]:
    """The fields of an LTI message, each once. Raises LaunchRefused `malformed`.

    A posted form is read without Flask's parser, which can do much more and takes twice as long.
    """
    if request.method != "POST":
        return _flat(list(request.args.items(multi=True)))
    if request.mimetype != "application/x-www-form-urlencoded":
        raise LaunchRefused("malformed", "the message is not a posted form", 415)
    try:
        text = request.get_data().decode()
    except RequestEntityTooLarge:
        raise LaunchRefused("malformed", "the message is too large", 413) from None
    except UnicodeDecodeError:
        raise LaunchRefused("malformed", "the message is no text") from None
    try:
        return _flat(parse_qsl(text, keep_blank_values=True, max_num_fields=FLOOD))
    except ValueError:
        raise LaunchRefused("malformed", "the message has too many fields", 413) from None


def _flat(pairs: list[tuple[str, str]]) -> Mapping[str, str]:
    if len(pairs) > MOST:
        raise LaunchRefused("malformed", "the message has too many fields")
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise LaunchRefused("malformed", f"the message repeats {twice[:40]!r}")
    return fields
