"""Every reason code that anything can give has a remedy in words."""

import ast
from pathlib import Path

import passport_lti
from passport_lti.sync.reasons import REMEDIES

ROOT = Path(passport_lti.__file__).parent
INSIDE = {"page_missing", "server_error"}
"""Words between the clients and the sync, which settles them or says something else."""
CALLS = {
    "AnswerLost", "Conflict", "Gone", "Rejected", "RetryLater", "_note", "lost", "postponed",
    "settled",
}  # fmt: skip


def codes() -> set[str]:
    """The words that are given as reasons of platform errors and of cells."""
    found: set[str] = set()
    for path in [*(ROOT / "lti").glob("*.py"), *(ROOT / "sync").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", None) or getattr(
                getattr(node, "func", None), "attr", None
            )
            if isinstance(node, ast.Call) and name in CALLS:
                words = [a.value for a in ast.walk(node) if isinstance(a, ast.Constant)]
                found |= {w for w in words if isinstance(w, str) and w.isidentifier() and "_" in w}
    return found


def test_every_reason_has_a_remedy():
    given = {code for code in codes() if not code.startswith("coursera_")}

    assert {"column_gone", "platform_down", "bad_gateway", "context_gone"} <= given
    assert given - INSIDE - set(REMEDIES) == set()


def test_a_remedy_is_a_sentence():
    assert all(text[0].isupper() and text.rstrip().endswith(".") for text in REMEDIES.values())
