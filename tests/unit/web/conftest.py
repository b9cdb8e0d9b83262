"""The tool, a practice campus and a practice Coursera, all served over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask

import databases
from passport_lti import create_app
from passport_lti.config import ConfigFile
from passport_lti.extensions import db
from passport_lti.lti.platforms import apply_config
from passport_lti.models import LaunchLog
from passport_lti.sandbox.campus import Activity as CampusActivity
from passport_lti.sandbox.campus import Campus, Person, Tool
from passport_lti.sandbox.coursera import PracticeCoursera
from passport_lti.sandbox.serving import serve
from passport_lti.sandbox.story import School, found
from passport_lti.sync.services import Services

YAML = """
tool:
  base_url: {base}
  secret_key: {secret}
database:
  url: {database}
cache:
  type: SimpleCache
coursera:
  school:
    api_base: {coursera.url}
    org_id: {coursera.credentials.org_id}
    api_key: {coursera.credentials.api_key}
    api_secret: {coursera.credentials.api_secret}
    outline_path: {coursera.outline_path}
platforms:
  campus:
    issuer: {tool.issuer}
    client_id: {tool.client_id}
    deployment_ids: ["{tool.deployment_id}"]
    auth_login_url: {tool.auth_login_url}
    auth_token_url: {tool.auth_token_url}
    key_set_url: {tool.key_set_url}
    coursera: school
"""


@dataclass
class World:
    """Everything a test of a page talks to."""

    app: Flask
    services: Services
    school: School
    tool: Tool
    url: str

    @property
    def campus(self) -> Campus:
        return self.school.campus

    @property
    def coursera(self) -> PracticeCoursera:
        return self.school.coursera

    def launched(self, person: Person, activity: CampusActivity) -> requests.Response:
        """The tool's raw answer to a person's launch."""
        answer = self.campus.browser(person).launch(activity, follow=False)
        assert isinstance(answer, requests.Response)
        return answer

    def opened(self) -> str:
        """The `session` of a picker that the teacher has just opened."""
        page = self.campus.browser(self.school.teacher).select_content(
            self.school.context, self.tool
        )
        return page.form("/deep-linking").fields["session"][0]

    def picker(self, **fields: object) -> requests.Response:
        """The answer to the picker's form."""
        return requests.post(f"{self.url}/deep-linking", fields, timeout=10)  # type: ignore[arg-type]

    def verdicts(self) -> list[str]:
        """The verdict of every launch so far, oldest first."""
        with self.app.app_context():
            return list(db.session.scalars(db.select(LaunchLog.verdict).order_by(LaunchLog.id)))


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    campus, coursera = Campus(), PracticeCoursera()
    late: list[Flask] = []
    with (
        ExitStack() as last,
        serve(campus.app) as campus_server,
        serve(coursera.app) as coursera_server,
        serve(lambda environ, start: late[0](environ, start)) as tool_server,
    ):
        campus.url, coursera.url = campus_server.url, coursera_server.url
        school = found(campus, coursera)
        tool = campus.add_tool(tool_server.url)
        path = tmp_path / "passport.yaml"
        path.write_text(
            YAML.format(
                base=tool_server.url,
                secret="s" * 32,
                database=database_url,
                coursera=coursera,
                tool=tool,
            )
        )
        services = Services(ConfigFile(path, {}))
        app = create_app(services=services)
        with app.app_context():
            db.create_all()
            apply_config(services.config, services.clock())
        late.append(app)
        last.enter_context(databases.left_by(app))
        yield World(app, services, school, tool, tool_server.url)
