"""`python -m benchmarks [--json] [NAME...]`: measure, and print one table.

A NAME is a figure or a module that measures some (`launches`, `cluster`); without one, all are
measured. What this machine can't measure is left out, and a line on stderr says why.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest
from tabulate import tabulate

import benchmarks
from benchmarks.figures import Figure, LeftOut


def main(arguments: list[str]) -> int:
    wanted = [word for word in arguments if word != "--json"]
    modules = measuring()
    known = {*modules, *(name for module in modules.values() for name in module.NAMES)}
    if unknown := set(wanted) - known:
        print(f"Unknown: {' '.join(unknown)}. Known: {' '.join(sorted(known))}", file=sys.stderr)
        return 2
    figures = [figure.as_dict() for figure in _chosen(modules, wanted)]
    if "--json" in arguments:
        print(json.dumps({"figures": figures}, indent=2))
    else:
        print(table(figures))
    return 0


def measuring() -> dict[str, ModuleType]:
    """The modules here that offer figures: `NAMES`, and `figures()` that yields them in turn."""
    names = sorted(module.name for module in iter_modules(benchmarks.__path__))
    found = {name: import_module(f"benchmarks.{name}") for name in names if name != "__main__"}
    return {name: module for name, module in found.items() if hasattr(module, "NAMES")}


def _chosen(modules: dict[str, ModuleType], wanted: list[str]) -> Iterator[Figure]:
    for name, module in modules.items():
        all_of_it = not wanted or name in wanted
        names = set(module.NAMES) if all_of_it else set(wanted) & set(module.NAMES)
        yield from measured(module, names)


def measured(module: ModuleType, names: set[str]) -> Iterator[Figure]:
    """A module's figures of these names; it measures no further than to the last of them."""
    missing = set(names)
    try:
        for found in module.figures() if missing else ():
            if isinstance(found, LeftOut):
                print(f"Left out: {found.name}: {found.why}", file=sys.stderr)
            elif found.name in missing:
                print(f"{found.name} {found.ours:.4g} {found.unit}", file=sys.stderr, flush=True)
                yield found
            missing.discard(found.name)
            if not missing:
                return
    except (pytest.skip.Exception, pytest.fail.Exception) as problem:
        print(f"Left out: {' '.join(sorted(missing))}: {problem}", file=sys.stderr)


def table(figures: list[dict[str, object]]) -> str:
    """The figures with their peers, for people."""
    columns = ("name", "unit", "ours", "floor", "target", "met")
    rows = []
    for figure in figures:
        peers = figure["peers"]
        assert isinstance(peers, dict)
        beside = ", ".join(f"{name} {value:.3g}" for name, value in peers.items())
        rows.append([*(figure[column] for column in columns), beside])
    return tabulate(rows, headers=(*columns, "peers"), floatfmt=".3g", missingval="-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
