"""The configuration of a running process: follows the file, keeps the last good one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from passport_lti.config.loading import load
from passport_lti.config.settings import Config
from passport_lti.errors import ConfigError

FIXED = ("tool", "database", "cache")
"""Parts that only a restart changes: addresses and connections are made from them at the start."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload found; `problems` of a broken edit, or parts that wait for a restart."""

    applied: bool = False
    problems: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()


class ConfigFile:
    """A configuration file and the last good `Config` that was read from it.

    Raises ConfigError when made from a broken file; later edits never raise.
    """

    def __init__(self, path: Path | str, environ: Mapping[str, str] = os.environ) -> None:
        self.path = Path(path)
        self._environ = environ
        self._stamp = self._fingerprint()
        self.current: Config = load(self.path, environ)

    def reload(self) -> Change | None:
        """Apply an edited file, wholly or not at all; None where nothing was edited."""
        stamp = self._fingerprint()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            fresh = load(self.path, self._environ)
        except ConfigError as error:
            return Change(problems=error.problems)
        waiting = tuple(
            part for part in FIXED if getattr(fresh, part) != getattr(self.current, part)
        )
        kept = {part: getattr(self.current, part) for part in FIXED}
        self.current = fresh.model_copy(update=kept)
        return Change(applied=True, needs_restart=waiting)

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
