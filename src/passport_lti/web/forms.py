"""Reading what arrives: LTI messages as flat fields, or a refusal."""

from collections.abc import Mapping

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from passport_lti.errors import LaunchRefused

MOST = 100
"""Fields of one message; the longest known one has about a dozen."""
FLOOD = 1000
"""So many fields are no message any more, but too much."""


def message_fields() -> Mapping[str, str]:
    """The fields of an LTI message, each once. Raises LaunchRefused `malformed`."""
    if request.method == "POST":
        if request.mimetype != "application/x-www-form-urlencoded":
            raise LaunchRefused("malformed", "the message is not a posted form", 415)
        try:
            return _flat(request.form)
        except RequestEntityTooLarge:
            raise LaunchRefused("malformed", "the message is too large", 413) from None
    return _flat(request.args)


def _flat(fields: MultiDict[str, str]) -> Mapping[str, str]:
    count = sum(len(values) for _, values in fields.lists())
    if count > MOST:
        status = 413 if count > FLOOD else 400
        raise LaunchRefused("malformed", "the message has too many fields", status)
    for name, values in fields.lists():
        if len(values) > 1:
            raise LaunchRefused("malformed", f"the message repeats {name[:40]!r}")
    return fields.to_dict()
