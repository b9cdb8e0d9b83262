"""Pictures of courses: passed on from the catalogue's addresses, and from nowhere else."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from passport_lti.sandbox.coursera.photos import photo
from passport_lti.sandbox.serving import serve
from passport_lti.web import pictures

PNG = photo("x")


@dataclass
class Host:
    """A host of pictures that answers as it is told."""

    url: str = ""
    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "image/png")])
    body: bytes = PNG
    asked: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        start(self.status, self.headers)
        return [self.body]


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with serve(host) as server:
        host.url = server.url
        yield host


def shown(world: Any, address: str) -> requests.Response:
    with world.app.test_request_context():
        path = pictures.picture(address)
    return requests.get(world.url + path, timeout=20)


def test_a_picture_is_fetched_once_and_passed_on(world: Any, host: Host) -> None:
    for _ in range(3):
        answer = shown(world, f"{host.url}/a.png?w=1")
        assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert host.asked == ["/a.png"]
    assert "max-age=604800" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "told",
    [
        {"status": "404 Not Found"},
        {"status": "302 Found", "headers": [("Location", "http://127.0.0.1:9/")]},
        {"body": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"},
        {"body": b"<html>no picture</html>"},
        {"body": b""},
        {"body": PNG + b"\0" * pictures.LARGEST},
        {"body": PNG + b"\0" * 3 * 1024 * 1024},
    ],
    ids=["gone", "redirect", "svg", "html", "empty", "large", "huge"],
)
def test_what_is_no_picture_is_not_passed_on(world: Any, host: Host, told: dict[str, Any]) -> None:
    for name, value in told.items():
        setattr(host, name, value)
    for _ in range(2):
        answer = shown(world, f"{host.url}/a.png")
        assert (answer.status_code, answer.content) == (200, pictures.NOTHING)
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "address",
    ["http://10.0.0.1/a.png", "http://coursera.example/a.png", "javascript:alert(1)", "", "//x/a",
     "https://"],
)  # fmt: skip
def test_an_address_that_can_be_none_has_no_picture(world: Any, address: str) -> None:
    with world.app.test_request_context():
        assert pictures.picture(address) == ""


def test_a_private_network_is_not_asked(world: Any) -> None:
    began = time.monotonic()
    answer = shown(world, "https://192.168.255.254/a.png")
    assert (
        answer.content == pictures.NOTHING and time.monotonic() - began < pictures.guarded.SECONDS
    )


def test_an_address_that_we_did_not_sign_is_not_fetched(world: Any, host: Host) -> None:
    with world.app.test_request_context():
        path = pictures.picture(f"{host.url}/a.png")
    for forged in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/pictures/x", f"{path}x"):
        assert requests.get(world.url + forged, timeout=20).status_code == 404
    assert host.asked == []


def test_the_catalogue_brings_the_addresses(world: Any) -> None:
    page = world.picker(session=world.opened(), step="start")
    source = page.text.partition('<img src="')[2].partition('"')[0]
    answer = requests.get(world.url + source, timeout=20)
    assert answer.headers["Content-Type"] == "image/png" and answer.content.startswith(b"\x89PNG")
