"""The configuration: one YAML file, checked whole, followed while the server runs."""

from passport_lti.config.loading import check, config_path, load
from passport_lti.config.settings import (
    Config,
    CourseraConnection,
    Platform,
    PlatformSettings,
)
from passport_lti.config.values import is_loopback
from passport_lti.config.watching import Change, ConfigFile

__all__ = [
    "Change",
    "Config",
    "ConfigFile",
    "CourseraConnection",
    "Platform",
    "PlatformSettings",
    "check",
    "config_path",
    "is_loopback",
    "load",
]
