"""`python -m benchmarks [--json]`: measure, and print one table."""

import json
import sys

from tabulate import tabulate

from benchmarks.figures import measured
from passport_lti.cli.demo import staged


def main() -> None:
    with staged(0) as stage:
        figures = [figure.as_dict() for figure in measured(stage)]
    if "--json" in sys.argv[1:]:
        print(json.dumps({"figures": figures}, indent=2))
        return
    columns = ("name", "unit", "ours", "floor", "target", "met")
    rows = [[figure[column] for column in columns] for figure in figures]
    print(tabulate(rows, headers=columns, floatfmt=".3g", missingval="-"))


main()
