"""What a sync needs of the outside world, in one place that tests and commands can make."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from passport_lti.config import Config, ConfigFile
from passport_lti.coursera.client import CourseraClient
from passport_lti.errors import Rejected
from passport_lti.http import Session
from passport_lti.lti.service import PlatformService
from passport_lti.lti.tool import Tool
from passport_lti.models import Platform


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Services:
    """Configuration, clock, HTTP, and the clients of Coursera and of the platforms.

    Clients are made anew when the configuration changes, and count their requests.
    `rehearsal` is set for a dry run: nothing may be written anywhere.
    """

    config_file: ConfigFile
    http: Session = field(default_factory=Session)
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    rehearsal: bool = False
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when the process is asked to end: whatever runs stops after its call of the moment."""
    _coursera: dict[str, tuple[object, CourseraClient]] = field(default_factory=dict)
    _platforms: dict[int, PlatformService] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _spent: Counter[str] = field(default_factory=Counter)
    """Requests of clients that a changed configuration has replaced."""

    @property
    def config(self) -> Config:
        return self.config_file.current

    @property
    def tool(self) -> Tool:
        return Tool(lambda: self.config, self.http, self.clock)

    def coursera(self, name: str) -> CourseraClient:
        """The client of a connection; raises Rejected where the configuration has no such."""
        connection = self.config.coursera.get(name)
        if connection is None:
            raise Rejected(
                "coursera_unknown", f"no connection {name!r} under coursera: in the configuration"
            )
        with self._lock:
            # Two clients of one organisation would ask it twice as much at once as it allows.
            kept = self._coursera.get(name)
            if kept is None or kept[0] != connection:
                self._spent["coursera"] += kept[1].requests if kept else 0
                client = CourseraClient(name, connection, self.http, self.clock, self.sleep)
                kept = self._coursera[name] = (connection, client)
            return kept[1]

    def platform(self, platform: Platform) -> PlatformService:
        with self._lock:
            kept = self._platforms.get(platform.id)
            if kept is None or not kept.serves(platform):
                self._spent["platform"] += kept.requests if kept else 0
                kept = self._platforms[platform.id] = PlatformService(self.tool, platform)
            return kept

    def requests(self) -> dict[str, int]:
        """How many requests were made so far, by whom they went to."""
        coursera = sum(client.requests for _, client in list(self._coursera.values()))
        platform = sum(service.requests for service in list(self._platforms.values()))
        return {
            "coursera": self._spent["coursera"] + coursera,
            "platform": self._spent["platform"] + platform,
        }
