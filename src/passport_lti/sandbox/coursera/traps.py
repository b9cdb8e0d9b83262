"""The oddities that a real organisation's feed has or may have, as switches."""

from dataclasses import dataclass, fields
from datetime import timedelta

CHOICES = {
    "scale": ("percent", "unit"),
    "next_kind": ("string", "number", "opaque", "repeat", "cycle", "endless"),
    "items_key": ("itemGradebooks", "items"),
    "missing_grade": ("null", "absent"),
    "ungraded_overall": ("null", "zero"),
    "refusal": ("code", "conflict", "text"),
}
"""The words that each switch of several positions knows."""


@dataclass
class Traps:
    """How the API behaves now. An unknown word raises ValueError when it is set."""

    scale: str = "percent"
    next_kind: str = "string"
    omit_total: bool = False
    empty_last_page: bool = False
    items_key: str = "itemGradebooks"
    missing_grade: str = "null"
    ungraded_overall: str = "null"
    numbers_as_text: bool = False
    delay: timedelta = timedelta(0)
    enrolment_delay: timedelta = timedelta(0)
    external_id_empty: bool = False
    mixed_case: bool = False
    email_absent: bool = False
    outline: bool = True
    largest_page: int = 1000
    refusal: str = "code"

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.__dataclass_fields__:
            raise AttributeError(f"there is no trap {name}")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}")
        super().__setattr__(name, value)

    def reset(self) -> None:
        """Everything ordinary again."""
        for trap in fields(self):
            setattr(self, trap.name, trap.default)
