"""Programs of Debian's packages that tests need: found, or installed where that is allowed."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))
"""Servers are not on the path of ordinary accounts."""
APT = ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300")
"""Several test runs at once wait for each other."""


def need(package: str, program: str) -> Path:
    """The path of a program; without it the test is skipped, with a line that says how to get it.

    `program` is a name, or a pattern of paths such as `/usr/lib/postgresql/*/bin/initdb`, of which
    the highest version counts. As root, Debian's `package` is installed where the program is
    missing. With `CI` in the environment a missing program is a failure.
    """
    found = _had(package, program)
    if found is None:
        missing = f"{Path(program).name} is missing (Debian: apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@cache
def _had(package: str, program: str) -> Path | None:
    """Tried once in a run, with success or without."""
    found = _found(program)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(package)
        found = _found(program)
    return found


def _found(program: str) -> Path | None:
    if program.startswith("/"):
        paths = Path("/").glob(program.lstrip("/"))
        newest = max(
            paths, key=lambda p: [int(n) for n in re.findall(r"\d+", str(p))], default=None
        )
        if newest:
            return newest
    here = shutil.which(Path(program).name, path=PATH)
    return Path(here) if here else None


def _install(package: str) -> None:
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        subprocess.run([*APT, *step], env=quietly, check=False, stdout=subprocess.DEVNULL)
