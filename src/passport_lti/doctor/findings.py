"""What a check finds: one line for the administrator."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import requests
from sqlalchemy.exc import SQLAlchemyError

from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.models import Platform

State = Literal["ok", "note", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One step. `problem` is what is wrong or worth knowing, `change` the setting to change."""

    state: State
    what: str
    problem: str = ""
    change: str = ""

    def line(self) -> str:
        problem = f": {self.problem}" if self.problem else ""
        change = f"; change {self.change}" if self.change else ""
        return f"{self.state:<4} {self.what}{problem}{change}"


Findings = Iterator[Finding]


def ok(what: str, detail: str = "") -> Finding:
    return Finding("ok", what, detail)


def note(what: str, problem: str, change: str = "") -> Finding:
    return Finding("note", what, problem, change)


def fail(what: str, problem: str, change: str) -> Finding:
    return Finding("FAIL", what, problem, change)


def setting(platform: Platform, key: str) -> str:
    """Where a value of a platform is changed."""
    if platform.source == "yaml":
        return f"platforms.{platform.name}.{key}"
    return f"{key} of {platform.name} (update its registration in the platform)"


def safely(what: str, findings: Iterable[Finding]) -> Findings:
    """The findings of a part; what it could not foresee ends that part with a FAIL line.

    Nothing that a check has read is kept locked while the next one asks somebody.
    """
    try:
        for finding in findings:
            db.session.commit()
            yield finding
        db.session.commit()
    except PassportError as error:
        yield fail(what, str(error), "what the sentence names, then ask again")
    except (requests.RequestException, SQLAlchemyError, ValueError, KeyError) as error:
        yield fail(what, f"the check broke off ({type(error).__name__})", "nothing yet: try again")
