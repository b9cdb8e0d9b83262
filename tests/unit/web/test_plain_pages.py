"""Health, keys, set-up, metrics, and the headers of every page."""

from html import unescape
from typing import Any

import pytest
import requests
import yaml
from flask import render_template_string
from jinja2 import UndefinedError

from passport_lti.config import Platform


@pytest.mark.parametrize("path", ["/healthz", "/lti/setup", "/lti/launch", "/nowhere"])
def test_every_page_carries_the_headers(world: Any, path: str) -> None:
    headers = requests.get(world.url + path, timeout=10).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["frame-ancestors"] == f"'self' {world.campus.url}"
    assert policy["form-action"] == policy["script-src"] == policy["default-src"] == "'self'"
    assert policy["base-uri"] == policy["object-src"] == "'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "X-Frame-Options" not in headers


def test_the_keys_are_public_and_may_be_kept_for_minutes(world: Any) -> None:
    answer = requests.get(f"{world.url}/lti/jwks.json", timeout=10)
    assert [key["kty"] for key in answer.json()["keys"]] == ["RSA"]
    assert "d" not in answer.json()["keys"][0]
    assert "max-age=300" in answer.headers["Cache-Control"]


def test_ready_says_which_part_is_not(world: Any) -> None:
    answer = requests.get(f"{world.url}/readyz", timeout=10)
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "cache": "ok", "keys": "ok"}
    from passport_lti.extensions import db

    with world.app.app_context():
        db.session.execute(db.text("DROP TABLE signing_key"))
        db.session.commit()
    answer = requests.get(f"{world.url}/readyz", timeout=10)
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "cache": "ok", "keys": "failing"}
    assert requests.get(f"{world.url}/healthz", timeout=10).status_code == 200


def test_metrics_are_for_this_machine_alone(world: Any) -> None:
    requests.get(f"{world.url}/lti/login", timeout=10)
    page = requests.get(f"{world.url}/metrics", timeout=10)
    assert 'passport_lti_launches_total{verdict="malformed"} 1.0' in page.text
    for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"):
        proxied = requests.get(f"{world.url}/metrics", headers={name: "127.0.0.1"}, timeout=10)
        assert proxied.status_code == 404, name


def test_setup_shows_the_addresses_to_paste(world: Any) -> None:
    page = requests.get(f"{world.url}/lti/setup", timeout=10).text
    for path in ("/lti/launch", "/lti/login", "/lti/jwks.json"):
        assert f"{world.url}{path}</code>" in page
    assert "$Context.id.history" in page and "data-copies" in page


def test_the_block_to_fill_in_on_the_setup_page_passes_the_check(world: Any) -> None:
    """With Moodle's six values in their places, and with the connections that there are."""
    page = unescape(requests.get(f"{world.url}/lti/setup", timeout=10).text)
    block = page.split('id="yaml"')[1].split(">", 1)[1].split("</pre>")[0]
    tool = world.tool
    for placeholder, value in {
        "PLATFORM_ID": tool.issuer, "CLIENT_ID": tool.client_id,
        "DEPLOYMENT_ID": tool.deployment_id, "PUBLIC_KEYSET_URL": tool.key_set_url,
        "ACCESS_TOKEN_URL": tool.auth_token_url,
        "AUTHENTICATION_REQUEST_URL": tool.auth_login_url,
    }.items():  # fmt: skip
        assert block.count(placeholder) == 1
        block = block.replace(placeholder, value)
    [(name, entry)] = yaml.safe_load(block)["platforms"].items()

    assert entry["coursera"] in world.services.config.coursera
    assert Platform.model_validate(entry).deployment_ids == (tool.deployment_id,)
    assert f"passport-lti doctor --platform {name}" in page


@pytest.mark.parametrize("file", ["theme.js", "copy.js", "picker.js", "passport.css", "icon.svg"])
def test_static_files_may_be_cached(world: Any, file: str) -> None:
    answer = requests.get(f"{world.url}/static/{file}", timeout=10)
    assert answer.status_code == 200 and "max-age=3600" in answer.headers["Cache-Control"]


def test_the_dark_theme_needs_no_script(world: Any) -> None:
    """Bootstrap's dark rules and our own, for pages on which nothing has set a theme."""
    answer = requests.get(f"{world.url}/dark.css", timeout=10)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["Cache-Control"] == "max-age=3600, public"
    assert "color-scheme:dark" in answer.text and "--bs-body-bg:#212529" in answer.text
    assert ":root:not([data-bs-theme]) .btn-outline-secondary" in answer.text
    assert "data-bs-theme=" not in answer.text and answer.text.count("{") == answer.text.count("}")
    assert 'media="(prefers-color-scheme: dark)"' in requests.get(world.url, timeout=10).text


def test_no_page_shows_the_session_of_the_framework(world: Any) -> None:
    """A view that forgets its page's `session` fails here instead of writing Flask's in links."""
    with world.app.test_request_context():
        assert render_template_string("{{ session }}", session="page") == "page"
        for text in ("{{ session }}", "{% if session %}{% endif %}", "{{ '' ~ session }}"):
            with pytest.raises(UndefinedError):
                render_template_string(text)


@pytest.mark.parametrize("name", ["\ud800", "a\x00b", "x" * 5000, "‮‭", "' OR 1=1"])
def test_no_name_breaks_a_launch(world: Any, name: str) -> None:
    world.campus.on_id_token = lambda header, claims, key: (
        header, claims | {"name": name, "given_name": name},
    )  # fmt: skip
    activity = world.campus.add_activity(world.school.context, world.tool, "Any")
    answer = world.launched(world.school.teacher, activity)
    assert answer.status_code in (200, 400), answer.headers.get("X-LTI-Error")
