"""The one-way imports that the folders promise: who may know whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src" / "passport_lti"

LAYERS = [
    {"errors"},
    {"grades", "config", "http", "extensions", "logs", "markup", "scratch", "signed", "words"},
    {"models", "leases"},
    {"strategies", "lti", "coursera"},
    {"sync", "sso"},
    {"doctor"},
    {"web", "scheduler"},
    {"create_app"},
    {"cli", "__main__"},
]
"""From the bottom; a part imports from its own layer and below. `create_app` connects them."""
APART = {"strategies", "lti", "coursera"}
SANDBOX_USERS = "cli.demo"
PURE = (
    "grades",
    "strategies",
    "sync.poll.plan",
    "sync.people.matching",
    "sync.poll.pace",
    "sync.people.suggestions",
)
IMPURE = {"flask", "flask_caching", "flask_sqlalchemy", "sqlalchemy", "requests", "pylti1p3"}

RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.relative_to(ROOT).parts[0] != "migrations"
}


def imports(module: str) -> set[str]:
    """Full names of all that a module imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports by full names only"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def parts(module: str) -> set[str]:
    """The top-level parts of the product that a module imports."""
    ours = (name.split(".") for name in imports(module) if name.startswith("passport_lti."))
    return {name[1] for name in ours}


def reached(module: str) -> set[str]:
    """All that comes along with a module: its own imports and those of our modules among them."""
    found, waiting = set[str](), [module]
    while waiting:
        for name in imports(waiting.pop()) - found:
            found.add(name)
            ours = name.removeprefix("passport_lti.")
            waiting += [m for m in (ours, ours.rpartition(".")[0]) if ours != name and m in MODULES]
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__"])
def test_imports_go_one_way(module: str) -> None:
    part = module.split(".")[0]
    if part == "sandbox":
        assert parts(module) <= {"sandbox"}
        return
    assert "sandbox" not in parts(module) or module.startswith(SANDBOX_USERS)
    assert part in RANK, "a new part of the product needs its place in LAYERS"
    for other in parts(module) - {part, "sandbox"}:
        assert RANK.get(other, 99) <= RANK[part], f"{module} must not know {other}"
        assert not {part, other} <= APART, f"{module} must not know {other}"


@pytest.mark.parametrize("module", [m for m in MODULES if m in PURE or m.startswith("strategies.")])
def test_the_pure_core_stays_pure(module: str) -> None:
    assert not {name.split(".")[0] for name in reached(module)} & IMPURE
