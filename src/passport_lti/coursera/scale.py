"""Whether grades are reported as 0-1 or 0-100: decided per connection, never per value. Pure."""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["unit", "percent"]
Setting = Literal["auto", "unit", "percent"]


@dataclass
class Evidence:
    """What the grades of whole sweeps show."""

    above_one: bool = False
    between: bool = False

    def see(self, grade: float) -> None:
        if grade > 1:
            self.above_one = True
        elif 0 < grade < 1:
            self.between = True


def decide(
    setting: Setting, stored: Scale | None, evidence: Evidence, compared: Scale | None
) -> Scale | None:
    """The scale, or None while only 0 and 1 were seen.

    A grade above 1 proves percent, whatever was stored; a comparison with the enrollment report
    (`compared`) comes before the weaker sign of a grade between 0 and 1.
    """
    if setting != "auto":
        return setting
    if evidence.above_one:
        return "percent"
    if stored is not None:
        return stored
    if compared is not None:
        return compared
    return "unit" if evidence.between else None


def compare(overall: float, reported: float) -> Scale | None:
    """The scale of a course grade whose 0-1 value in the enrollment report is known."""
    if reported <= 0 or overall <= 0:
        return None
    unit = abs(overall - reported) <= 0.011
    percent = abs(overall - reported * 100) <= 1.1
    if unit == percent or (unit and reported >= 0.9999):
        return None
    return "unit" if unit else "percent"
