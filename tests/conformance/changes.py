"""Changes of a message: some values other, some absent, or the whole made anew."""

from collections.abc import Callable, Mapping
from typing import Any

from passport_lti.sandbox.campus.claims import CLAIM, DEEP_LINKING, ENDPOINT, MEMBERSHIPS

ABSENT: Any = object()
"""In the changes of a message: this claim (or header, field) is not there."""

_PLAIN = {"iss", "aud", "azp", "sub", "iat", "exp", "nbf", "nonce", "jti", "name", "given_name",
          "family_name", "email", "locale"}  # fmt: skip
_FAR = {"deep_linking_settings": DEEP_LINKING, "ags": ENDPOINT, "nrps": MEMBERSHIPS}

Changes = Mapping[str, Any] | Callable[[dict[str, Any]], Any]


def long_name(name: str) -> str:
    return name if name in _PLAIN or "/" in name else _FAR.get(name, CLAIM + name)


def changed(
    found: dict[str, Any], changes: Changes | None, named: Callable[[str], str] = str
) -> Any:
    """A copy of `found` with changes."""
    if changes is None:
        return found
    if callable(changes):
        return changes(dict(found))
    result = {**found, **{named(name): value for name, value in changes.items()}}
    return {name: value for name, value in result.items() if value is not ABSENT}
