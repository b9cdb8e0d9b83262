"""`python -m benchmarks [--json] [NAME...]`: measure, and print the figures, and the workloads.

A NAME is a figure, a workload (`W7`) or a module that measures some (`launches`, `cluster`);
without one, all are measured. What this machine can't measure is left out, and a line on stderr
says why.
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
from benchmarks.figures import Figure, LeftOut, Load

Rows = list[dict[str, object]]


def main(arguments: list[str]) -> int:
    wanted = {word for word in arguments if word != "--json"}
    modules = measuring()
    each = [words for name, module in modules.items() for words in _words(name, module).values()]
    known = set().union(*each)
    if unknown := wanted - known:
        print(f"Unknown: {' '.join(unknown)}. Known: {' '.join(sorted(known))}", file=sys.stderr)
        return 2
    found = document(_chosen(modules, wanted))
    if "--json" in arguments:
        print(json.dumps(found, indent=2))
    else:
        print("\n\n".join(table(rows) for rows in found.values() if rows))
    return 0


def document(measured: Iterator[Figure | Load]) -> dict[str, Rows]:
    """What was measured, as programs read it: the figures by themselves."""
    found: dict[str, Rows] = {"figures": [], "workloads": []}
    for one in measured:
        found["workloads" if isinstance(one, Load) else "figures"].append(one.as_dict())
    return found


def measuring() -> dict[str, ModuleType]:
    """The modules here that measure: `figures()` yields what they name, in turn.

    `NAMES` are figures, and `WORKLOADS` says which workload some of them are about; `LOADS` names
    by workload what is seen beside them. Each may be missing.
    """
    names = sorted(module.name for module in iter_modules(benchmarks.__path__))
    found = {name: import_module(f"benchmarks.{name}") for name in names if name != "__main__"}
    return {name: module for name, module in found.items() if _words(name, module)}


def _words(name: str, module: ModuleType) -> dict[str, set[str]]:
    """What a module measures, each with the words that ask for it."""
    workloads, loads = getattr(module, "WORKLOADS", {}), getattr(module, "LOADS", {})
    words = {one: {one, name} for one in getattr(module, "NAMES", ())}
    words |= {one: {one, name} for some in loads.values() for one in some}
    for workload, some in (*workloads.items(), *loads.items()):
        for one in some:
            words[one].add(workload)
    return words


def _chosen(modules: dict[str, ModuleType], wanted: set[str]) -> Iterator[Figure | Load]:
    for name, module in modules.items():
        words = _words(name, module)
        yield from measured(module, {x for x in words if not wanted or words[x] & wanted})


def measured(module: ModuleType, names: set[str]) -> Iterator[Figure | Load]:
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


def table(rows: Rows) -> str:
    """Figures with their peers, for people."""
    columns = [column for column in rows[0] if column != "peers"]
    shown = []
    for row in rows:
        peers = row["peers"]
        assert isinstance(peers, dict)
        beside = ", ".join(f"{name} {value:.3g}" for name, value in peers.items())
        shown.append([*(row[column] for column in columns), beside])
    return tabulate(shown, headers=(*columns, "peers"), floatfmt=".3g", missingval="-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
