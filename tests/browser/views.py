"""The ways in which people look at the pages: what a journey is played in."""

from dataclasses import dataclass, field
from typing import Any

import pytest

WIDE = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class View:
    """One way to look. `options` are those of a Playwright browser context.

    `own_site`: the tool is a site of its own to the browser, so that in the campus's frames no
    cookie ever comes back; else both are one site, and cookies do. `framed`: activities open in
    a frame instead of a window of their own. `scripts`: the browser runs them.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    own_site: bool = True
    framed: bool = False
    scripts: bool = True
    by_keyboard: bool = False
    language: str = "en"

    @property
    def host(self) -> str:
        """The tool's name; the practice servers are at 127.0.0.1."""
        return "localhost" if self.own_site else "127.0.0.1"


def _phone(width: int, height: int) -> dict[str, Any]:
    size = {"width": width, "height": height}
    return {"viewport": size, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


VIEWS = {
    view.name: view
    for view in (
        View("wide", {"viewport": WIDE}, own_site=False),
        View("dark", {"viewport": WIDE, "color_scheme": "dark"}, own_site=False),
        View("no_cookies", {"viewport": WIDE}),
        View("frame", {"viewport": WIDE}, framed=True),
        View("no_scripts", {"viewport": WIDE, "color_scheme": "dark"}, scripts=False),
        View("phone", _phone(320, 640), own_site=False),
        View("large_phone", _phone(390, 844) | {"color_scheme": "dark"}),
        View("spanish", {"viewport": WIDE, "locale": "es-ES"}, language="es"),
        View("keyboard", {"viewport": WIDE}, by_keyboard=True),
    )
}

in_every_view = pytest.mark.parametrize("view", list(VIEWS), indirect=True)
"""Play a journey in each of them; in single ones with `seen_as("dark", "phone")`."""


def seen_as(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("view", names, indirect=True)
