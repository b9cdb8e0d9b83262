"""A second tenant of the same tool, registered by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import requests

from conformance.bench import Bench
from passport_lti.lti.registration import invite
from passport_lti.sandbox.campus import Campus
from passport_lti.sandbox.campus.registration import registration_token
from passport_lti.sandbox.campus.state import Activity, Context, Person, Tool
from passport_lti.sandbox.serving import serve


@dataclass(frozen=True)
class Neighbour:
    """Another campus, with a course of its own."""

    campus: Campus
    tool: Tool
    context: Context
    teacher: Person
    learner: Person
    activity: Activity


def invitation(bench: Bench, name: str, expires: timedelta = timedelta(hours=1)) -> str:
    """A one-time address for a platform called `name`."""
    with bench.world.app.app_context():
        return invite(bench.world.services.tool, name, "practice", expires)


def register(url: str, campus: Campus, token: str | None = None) -> requests.Response:
    """The campus's administrator opens the invitation."""
    query = {
        "openid_configuration": f"{campus.url}/mod/lti/openid-configuration.php",
        "registration_token": registration_token(campus) if token is None else token,
    }
    return requests.get(url, params=query, timeout=30)


@contextmanager
def neighbour(bench: Bench, name: str = "neighbour") -> Iterator[Neighbour]:
    """Another campus that registered with this tool; one launch has shown its keys."""
    campus = Campus("Another campus")
    with serve(campus.app) as server:
        campus.url = server.url
        answer = register(invitation(bench, name), campus)
        assert answer.status_code == 200, answer.text
        [tool] = campus.tools.values()
        tool.state, tool.container = "active", "window"
        teacher, learner = (
            campus.add_person("Toni", "Tutor"),
            campus.add_person("Nora", "Neighbour"),
        )
        context = campus.add_context("N1", "Neighbours")
        campus.enrol(context, teacher, "instructor")
        campus.enrol(context, learner, "learner")
        activity = campus.add_activity(context, tool, "Something")
        first = campus.browser(learner).launch(activity, follow=False)
        assert "X-LTI-Error" not in first.headers, first.text
        yield Neighbour(campus, tool, context, teacher, learner, activity)
