"""Other LTI tools at work on the same launches: PyLTI1p3's sample, and ltijs where npm is here."""

import http.client
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy.engine import make_url

import databases
import ports
from benchmarks.door import Answer, Burst, Door
from conformance.stock_tool import entry, stock_tool

PACKAGES = ("ltijs@5.9.9", "ltijs-sequelize@2.4.4")
SCRIPT = Path(__file__).with_name("ltijs.cjs")
INSTALL_SECONDS = 180


@contextmanager
def pylti1p3(burst: Burst) -> Iterator[Door]:
    """The library's own sample on Flask, its launch data in memory."""
    tool = burst.activity.tool
    entries = {burst.campus.url: [entry(tool, [tool.deployment_id], default=True)]}
    yield Door(stock_tool(entries).wsgi_app, "http://127.0.0.1")


class NodeDoor:
    """A tool in a process of its own, behind HTTP: its CPU is that of the whole process."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def cpu(self) -> float:
        self._connection.request("GET", "/cpu")
        return float(self._connection.getresponse().read()) / 1e6

    def post(self, path: str, fields: dict[str, str], cookie: str = "") -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if cookie:
            headers["Cookie"] = cookie
        self._connection.request("POST", path, urlencode(fields), headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())


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
