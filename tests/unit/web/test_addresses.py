"""A tool on https, below a path, behind proxies: what its answers name."""

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from passport_lti import create_app
from passport_lti.config import ConfigFile
from passport_lti.extensions import db
from passport_lti.lti.platforms import apply_config
from passport_lti.sync.services import Services

YAML = """
tool: {base_url: %s, secret_key: %s, proxy_hops: 1}
database: {url: "sqlite:///%s/var/passport.db"}
cache: {type: SimpleCache}
metrics: {token: a-token-of-sixteen}
coursera:
  main: {org_id: y0TO1t4fEe2bIBLACu-NKQ, api_key: key, api_secret: secret}
platforms:
  campus:
    issuer: https://moodle.example.edu
    client_id: abc
    auth_login_url: https://moodle.example.edu/mod/lti/auth.php
    auth_token_url: https://moodle.example.edu/mod/lti/token.php
    key_set_url: https://moodle.example.edu/mod/lti/certs.php
    coursera: main
"""


def _client(folder: Path, base_url: str) -> FlaskClient:
    path = folder / "passport.yaml"
    path.write_text(YAML % (base_url, "s" * 32, folder))
    services = Services(ConfigFile(path, {}))
    app = create_app(services=services)
    with app.app_context():
        db.create_all()
        apply_config(services.config, services.clock())
    return app.test_client()


def _login(client: FlaskClient, base_url: str, path: str) -> Any:
    query = {
        "iss": "https://moodle.example.edu",
        "login_hint": "2",
        "client_id": "abc",
        "target_link_uri": f"{base_url}/lti/launch",
    }
    return client.get(path, query_string=query)


def test_the_state_cookie_survives_inside_a_frame_on_https(tmp_path: Path) -> None:
    client = _client(tmp_path, "https://tool.example.edu")
    cookie = _login(client, "https://tool.example.edu", "/lti/login").headers["Set-Cookie"]
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/", "Max-Age=600"):
        assert part in cookie.split("; ")


def test_a_tool_below_a_path_works_stripped_or_not(tmp_path: Path) -> None:
    base = "https://tool.example.edu/passport"
    client = _client(tmp_path, base)
    for path in ("/passport/lti/login", "/lti/login"):
        answer = _login(client, base, path)
        assert answer.status_code == 302
        assert answer.headers["Set-Cookie"].startswith("__Host-")
        assert "Path=/" in answer.headers["Set-Cookie"].split("; ")
    assert "/passport/static/copy.js" in client.get("/passport/lti/setup").text


def test_metrics_take_the_token_and_nothing_else(tmp_path: Path) -> None:
    client = _client(tmp_path, "https://tool.example.edu")
    assert client.get("/metrics").status_code == 404
    headers = {"Authorization": "Bearer a-token-of-sixteen"}
    assert client.get("/metrics", headers=headers).status_code == 200


def test_the_host_is_the_configured_one_behind_a_proxy(tmp_path: Path) -> None:
    client = _client(tmp_path, "https://tool.example.edu/passport")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "x"}
    answer = client.get("/passport//lti//setup", headers=headers)
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://tool.example.edu/passport/lti/setup"


def test_the_database_file_and_its_folder_are_made(tmp_path: Path) -> None:
    _client(tmp_path, "https://tool.example.edu")
    assert (tmp_path / "var" / "passport.db").exists()
