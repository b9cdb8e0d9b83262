"""What tests of a sync do again and again."""

from typing import Any
from urllib.parse import urlsplit

import requests

from worlds import World

Calls = list[requests.Response]
"""The answers that the tool got, each with its request."""


def amy(world: World) -> Any:
    return world.school.learners[0]


def regrade(world: World, percent: float) -> Any:
    world.grade(amy(world), "columns", "Averages", percent)
    return world.sync()


def cells(world: World, label: str = "Averages") -> list[dict[str, Any]]:
    return [cell for cell in world.cells() if cell["column"]["label"] == label]


def bodies(world: World) -> list[dict[str, Any]]:
    return [score.body for score in world.campus.ledger.scores]


def asked(calls: Calls, part: str) -> list[requests.PreparedRequest]:
    return [a.request for a in calls if part in urlsplit(str(a.request.url)).path]
