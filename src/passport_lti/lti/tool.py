"""What the LTI layer needs of the outside world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from passport_lti.config import Config
from passport_lti.http import Session


@dataclass(frozen=True, slots=True)
class Tool:
    """This tool: its present configuration, its HTTP session and its clock (aware, UTC)."""

    config: Callable[[], Config]
    http: Session
    clock: Callable[[], datetime]

    @property
    def base_url(self) -> str:
        return self.config().tool.base_url

    @property
    def launch_url(self) -> str:
        return f"{self.base_url}/lti/launch"

    @property
    def secret(self) -> str:
        return self.config().tool.secret_key.get_secret_value()
