"""The command line: every command asks, prints and exits; the work is done elsewhere."""

from passport_lti.cli.main import main

__all__ = ["main"]
