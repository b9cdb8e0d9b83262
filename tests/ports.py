"""Ports for processes that a test starts: free, and never handed out by the system itself."""

import random
import socket

FIRST, LAST = 15_000, 32_000
"""Below the range from which the system takes the local ports of its own connections."""


def free() -> int:
    """A port of loopback on which nothing listens."""
    while True:
        port = random.randrange(FIRST, LAST)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
