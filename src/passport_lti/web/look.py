"""What of the grades a person wants to see: filters, order and page, as an address carries them.

A name that was searched for travels sealed, because addresses are logged.
"""

from dataclasses import dataclass, replace

from cryptography.fernet import InvalidToken
from flask import request
from werkzeug.datastructures import MultiDict

from passport_lti.lti.sealing import sealer
from passport_lti.web.pages import services

MISSING, UNMATCHED = "missing", "unmatched"
"""Two more things to look for than the states of cells: no grade yet, and nobody at Coursera."""


@dataclass(frozen=True, slots=True)
class Look:
    """`sort` is `name`, `progress` or a column's id; a minus before it turns the order round."""

    state: str = ""
    reason: str = ""
    sought: str = ""
    sort: str = "name"
    page: int = 1

    @property
    def column(self) -> int | None:
        """The column to sort by."""
        number = self.sort.lstrip("-")
        return int(number) if number.isascii() and number.isdigit() else None

    @property
    def falls(self) -> bool:
        return self.sort.startswith("-")

    @property
    def filters(self) -> bool:
        return bool(self.state or self.reason or self.sought)

    def args(self, **changes: object) -> dict[str, object]:
        """The parameters of an address; a changed filter or order begins on page 1."""
        base = self if not changes or set(changes) == {"page"} else replace(self, page=1)
        look = replace(base, **changes)  # type: ignore[arg-type]
        return {
            name: value
            for name, value, usual in (
                ("state", look.state, ""),
                ("reason", look.reason, ""),
                ("who", _seal(look.sought), ""),
                ("sort", look.sort, "name"),
                ("page", look.page, 1),
            )
            if value != usual
        }

    def turned(self, sort: str) -> str:
        """What to sort by where a heading is pressed: the other way round the second time."""
        # Of grades the best come first, of names the first.
        first = sort if sort == "name" else f"-{sort}"
        other = f"-{sort}" if sort == "name" else sort
        return other if self.sort == first else first


def asked() -> Look:
    """The look that this request's parameters describe; what makes no sense is left out."""
    values = request.values
    sort = values.get("sort", "name")[:20]
    named = sort.lstrip("-")
    if named not in ("name", "progress") and not (named.isascii() and named.isdigit()):
        sort = "name"
    return Look(
        state=values.get("state", "")[:20],
        reason=values.get("reason", "")[:64],
        sought=_sought(values),
        sort=sort,
        page=max(values.get("page", 1, type=int), 1),
    )


def _sought(values: MultiDict[str, str]) -> str:
    if "q" in request.form:
        return request.form["q"].strip()[:100]
    try:
        return sealer(_secret()).decrypt(values.get("who", "").encode()).decode()
    except (InvalidToken, UnicodeError):
        return ""


def _seal(text: str) -> str:
    return sealer(_secret()).encrypt(text.encode()).decode() if text else ""


def _secret() -> str:
    return services().config.tool.secret_key.get_secret_value()
