"""A database for what is too large for memory: laid out, joined and sorted there, then gone."""

import sqlite3

CACHE = 8_000
"""kB of it that are in memory; the rest is in a temporary file that has no name."""


def scratch() -> sqlite3.Connection:
    """An empty database of its own, one transaction that is never committed; close it.

    One thread at a time may use it.
    """
    made = sqlite3.connect("", check_same_thread=False)
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
        made.execute(f"PRAGMA {setting}")
    return made
