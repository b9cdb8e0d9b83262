"""Commands in processes of their own whose memory is measured."""

import os
import re
import subprocess
import sys

from passport_lti.cli.demo import CONFIG
from worlds import World

MEASURED = """
import atexit, pathlib, resource, sys
from passport_lti.cli import main

def note_peak():
    status = pathlib.Path("/proc/self/status")  # what the process had before it began counts not
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        peak = int(line.split()[1]) / 1024
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.1f} MiB", file=sys.stderr)

atexit.register(note_peak)
main()
"""
"""The command in a process that says at its end how much memory it had at most."""


def peak(world: World, *arguments: str) -> float:
    """Run a command of the tool, which must succeed; MiB that it had resident at most."""
    answer = subprocess.run(
        [sys.executable, "-c", MEASURED, "--config", str(CONFIG), *arguments],
        env={**os.environ, **world.environ},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    found = re.search(r"peak ([\d.]+) MiB", answer.stderr)
    assert found
    return float(found[1])
