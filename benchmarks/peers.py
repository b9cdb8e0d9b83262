"""Other LTI tools at work on the same launches: PyLTI1p3's sample, and ltijs where npm is here."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

import databases
import ports
from benchmarks.door import Burst, Door, HttpDoor
from conformance.stock_tool import Entries, entry, stock_tool
from faults.processes import wait_for

PACKAGES = ("ltijs@5.9.9", "ltijs-sequelize@2.4.4")
SCRIPT = Path(__file__).with_name("ltijs.cjs")
INSTALL_SECONDS = 180


@contextmanager
def pylti1p3(burst: Burst) -> Iterator[Door]:
    """The library's own sample on Flask, its launch data in files that all processes share.

    Without a limit to their number: at 500, the usual one, each launch sweeps the folder.
    """
    with tempfile.TemporaryDirectory(prefix="pylti1p3-") as folder:
        yield Door(_stock(json.dumps(_entries(burst)), folder).wsgi_app, "http://127.0.0.1")


@contextmanager
def pylti1p3_served(burst: Burst) -> Iterator[int]:
    """The same behind gunicorn, with as many processes and threads as ours; its port."""
    port = ports.free()
    with tempfile.TemporaryDirectory(prefix="pylti1p3-") as folder:
        made = f"benchmarks.peers:_stock({json.dumps(_entries(burst))!r}, {folder!r})"
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "8",
             "--bind", f"127.0.0.1:{port}", "--log-level", "warning", made],
            env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])},
        )  # fmt: skip
        try:
            assert wait_for(lambda: _listens(port)), "it did not start"
            yield port
        finally:
            process.terminate()
            process.wait()


def _stock(entries: str, folder: str) -> Flask:
    return stock_tool(
        json.loads(entries), CACHE_TYPE="FileSystemCache", CACHE_DIR=folder, CACHE_THRESHOLD=0
    )


def _entries(burst: Burst) -> Entries:
    tool = burst.activity.tool
    return {burst.campus.url: [entry(tool, [tool.deployment_id], default=True)]}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class NodeDoor(HttpDoor):
    """A tool in a process of its own, behind HTTP: its CPU is that of the whole process."""

    def cpu(self) -> float:
        self.connection.request("GET", "/cpu")
        return float(self.connection.getresponse().read()) / 1e6


@contextmanager
def ltijs(burst: Burst) -> Iterator[NodeDoor]:
    """ltijs on PostgreSQL, installed into a folder that goes at the end.

    Skips where there is no npm, no PostgreSQL, or where npm can't install it.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("npm and node are not here")
    with databases.postgresql() as url, tempfile.TemporaryDirectory(prefix="ltijs-") as folder:
        install = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
        try:
            subprocess.run(
                install, cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            pytest.skip(f"npm could not install it: {problem}")
        script = shutil.copy(SCRIPT, folder)
        port = ports.free()
        process = subprocess.Popen(
            [node, script, json.dumps(_settings(burst, port, url))],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            if "ready\n" not in iter(process.stdout.readline, ""):
                pytest.skip("it did not start")
            yield NodeDoor(port)
        finally:
            process.kill()
            process.wait()


def _settings(burst: Burst, port: int, url: str) -> dict[str, object]:
    place, tool = make_url(url), burst.activity.tool
    return {
        "port": port,
        "database": {"name": place.database, "user": place.username, "port": place.port},
        "platform": {
            "url": burst.campus.url,
            "name": "campus",
            "clientId": tool.client_id,
            "authenticationEndpoint": tool.auth_login_url,
            "accesstokenEndpoint": tool.auth_token_url,
            "authConfig": {"method": "JWK_SET", "key": tool.key_set_url},
        },
    }
