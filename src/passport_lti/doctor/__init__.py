"""Checks of the live connections, step by step, each naming the setting to change."""

from passport_lti.doctor.examination import examine, examine_alone
from passport_lti.doctor.findings import Finding

__all__ = ["Finding", "examine", "examine_alone"]
