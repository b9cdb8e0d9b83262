"""`python -m benchmarks.soak [LAUNCHES]`: MB that the resident memory of a web process grows (W9).

A process of its own: tool and practice campus in it, the campus asked for nothing but its key
set, its messages signed outside of its store. The growth counts from the time when everything
is loaded and each cache has its size.
"""

import gc
import os
import sys
from pathlib import Path

from benchmarks.launches import burst_at, logging
from passport_lti.cli.demo import staged

LAUNCHES, FIRST = 100_000, 2_000


def growth(launches: int) -> float:
    """MB between the launch number `FIRST` and the last one."""
    with staged(0) as stage, logging():
        burst, door = burst_at(stage)
        burst.launch(door, FIRST)
        before = resident()
        burst.launch(door, launches)
        return resident() - before


def resident() -> float:
    """MB of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    print(f"{growth(int(sys.argv[1]) if sys.argv[1:] else LAUNCHES):.2f}")
