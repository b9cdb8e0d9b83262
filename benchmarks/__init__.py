"""What the tool costs: `make bench`, one table, `ARGS=--json` for programs."""

import sys
from pathlib import Path

# The private servers and the worlds of the tests serve here, too.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
