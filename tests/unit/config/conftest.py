"""A small, valid configuration that each test breaks in its own way."""

from pathlib import Path

import pytest

BASE = """\
tool:
  base_url: https://passport.example.edu
  secret_key: 0123456789abcdef-SECRET-0123456789
coursera:
  main:
    org_id: y0TO1t4fEe2bIBLACu-NKQ
    api_key: SECRET-key
    api_secret: SECRET-secret
platforms:
  campus:
    issuer: https://moodle.example.edu
    client_id: kXJ2fUn8Qx0kJcY
    auth_login_url: https://moodle.example.edu/mod/lti/auth.php
    auth_token_url: https://moodle.example.edu/mod/lti/token.php
    key_set_url: https://moodle.example.edu/mod/lti/certs.php
    coursera: main
"""


@pytest.fixture
def base() -> str:
    return BASE


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "passport.yaml"
    path.write_text(BASE)
    return path
