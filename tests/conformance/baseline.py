"""How the launch cases fare with this tool and with plain PyLTI1p3: `docs/conformance.md`'s table.

    PYTHONPATH=tests .venv/bin/python -m conformance.baseline

runs the conformance tests twice, each time in a process of its own, and prints the table;
`--write` puts it between the two marks of the page, too.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tabulate import tabulate

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
SIDES = ("ours", "stock")
AROUND = (
    "content (hostile)", "deep linking", "flood (hostile)", "frames", "http (hostile)",
    "no cookies (hostile)", "pages (hostile)", "picker (hostile)", "registrations (hostile)",
    "secrets (hostile)",
)  # fmt: skip
"""Cases of what a tool builds around the message; the others are the library's own business."""
LEFT_OUT = ("test_independent_platform.py", "test_services.py", "test_scores.py", "test_quirks")
"""Files without launches of the practice campus: nothing to compare."""

Run = dict[str, Any]


def files() -> list[str]:
    return sorted(
        str(file) for file in HERE.glob("test_*.py") if not file.name.startswith(LEFT_OUT)
    )


def watch(side: str, result: str) -> None:
    """Run the tests against one side and write what was noted to the file `result`."""
    from conformance.watching import Watching

    watching = Watching(stock=side == "stock")
    # The stock library's own warnings are no refusals.
    quiet = ["-W", "ignore"] if watching.stock else []
    pytest.main(["-q", "--no-header", "--tb=no", "-r", "N", *quiet, *files()], plugins=[watching])
    run = {"notes": watching.notes, "passed": sorted(watching.passed)}
    Path(result).write_text(json.dumps(run), encoding="utf-8")


def runs() -> dict[str, Run]:
    """Both runs, each in a process of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for side in SIDES:
            result = str(Path(folder) / side)
            command = [sys.executable, "-m", "conformance.baseline", "--side", side, result]
            subprocess.run(command, check=True, stdout=sys.stderr, timeout=3600)
            found[side] = json.loads(Path(result).read_text(encoding="utf-8"))
    return found


def right(notes: list[list[Any]], readable: bool = False) -> bool:
    """Was every message of a case answered as the contract wants?"""
    most = 500 if readable else 600
    return all(
        400 <= status < most if want == "refuse" else 200 <= status < 400 for want, status in notes
    )


def group_of(case: str) -> str:
    """Cases are grouped by their file: `test_hostile_keys.py` is "keys (hostile)"."""
    name = Path(case.partition("::")[0]).stem.removeprefix("test_").replace("_", " ")
    return f"{name.removeprefix('hostile ')} (hostile)" if name.startswith("hostile ") else name


def bad(notes: list[list[Any]]) -> bool:
    return any(want == "refuse" for want, _ in notes)


def comparable(case: str, ours: Run, stock: Run) -> bool:
    """Did the stock tool get as far as the message that makes the case what it is?

    A test stops early there where it goes on with pages that only ours has.
    """
    theirs = stock["notes"].get(case)
    return theirs is not None and bad(theirs) == bad(ours["notes"][case])


def table(ours: Run, stock: Run) -> dict[str, list[int]]:
    """By group: bad cases, ours, stock refused, stock with a 4xx; good cases, ours, stock."""
    groups: dict[str, list[int]] = defaultdict(lambda: [0] * 7)
    for case, notes in ours["notes"].items():
        if not comparable(case, ours, stock):
            continue
        theirs, done = stock["notes"][case], case in ours["passed"]
        if bad(notes):
            values = [1, done, right(theirs), right(theirs, readable=True), 0, 0, 0]
        else:
            values = [0, 0, 0, 0, 1, done, right(theirs)]
        row = groups[group_of(case)]
        row[:] = [a + b for a, b in zip(row, values, strict=True)]
    return dict(sorted(groups.items()))


def page_part(found: dict[str, Run]) -> str:
    ours, stock = (found[side] for side in SIDES)
    groups = table(ours, stock)
    around = {name for name in groups if name in AROUND}
    missing = sum(not comparable(case, ours, stock) for case in ours["notes"])
    lines = [f"Measured on {datetime.now(UTC):%Y-%m-%d} with PyLTI1p3 {version('PyLTI1p3')}.", ""]
    for title, names in (
        ("The message itself", groups.keys() - around),
        ("What a tool builds around it", around),
    ):
        rows = [[name, *groups[name]] for name in sorted(names)]
        total = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
        lines += [f"### {title}", "", shown([*rows, ["**all**", *total]]), "", said(total), ""]
    lines += [
        f"{missing} more cases do not reach their point with the sample, because they go on with",
        "something that it does not have (a registration, a page); they are not counted.",
    ]
    return "\n".join(lines)


def shown(rows: list[list[Any]]) -> str:
    headers = [
        "file", "must be refused", "ours", "stock refuses", "of these with a 4xx",
        "must pass", "ours", "stock",
    ]  # fmt: skip
    return tabulate(rows, headers=headers, tablefmt="github")


def said(total: list[int]) -> str:
    cases, ours, stock = total[0] + total[4], total[1] + total[5], total[2] + total[6]
    return (
        f"{cases} cases: ours right in {ours}, stock right in {stock} and wrong in {cases - stock}"
        " (a server error counts as a refusal)."
    )


def write(part: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{part}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    parser.add_argument("--side", nargs=2, metavar=("SIDE", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        watch(*asked.side)
        return
    part = page_part(runs())
    print(part)
    if asked.write:
        write(part)


if __name__ == "__main__":
    main()
