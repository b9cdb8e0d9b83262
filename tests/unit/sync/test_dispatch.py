"""Who does the work is a setting; where it can't be followed, one sentence says what to do."""

import sys
from pathlib import Path

import pytest

from passport_lti.cli.demo import CONFIG
from passport_lti.config import ConfigFile
from passport_lti.errors import ConfigError, PassportError
from passport_lti.sync.dispatch import Here, dispatch
from passport_lti.sync.fleet import Fleet
from passport_lti.sync.services import Services

NAMES = ("TOOL", "COURSERA")
ENVIRON = {f"DEMO_{name}": "http://127.0.0.1:1" for name in NAMES} | {
    "DEMO_SECRET": "s" * 32,
    "DEMO_FOLDER": "/nowhere",
    "DEMO_DATABASE": "sqlite:///nowhere/passport.db",
    "DEMO_ORG": "y0TO1t4fEe2bIBLACu-NKQ",
    "DEMO_KEY": "key",
    "DEMO_API_SECRET": "secret",
    "DEMO_OUTLINE": "/outline",
}


def services(folder: Path, sync: str) -> Services:
    lines = [line for line in CONFIG.read_text().splitlines() if not line.startswith("sync:")]
    path = folder / "passport.yaml"
    path.write_text("\n".join([*lines, f"sync: {sync}"]))
    return Services(ConfigFile(path, ENVIRON))


def test_the_setting_chooses(tmp_path: Path) -> None:
    assert isinstance(dispatch(services(tmp_path, "{}"), None), Here)  # type: ignore[arg-type]
    asked = services(tmp_path, "{engine: celery, broker_url: 'redis://127.0.0.1:1/0'}")
    assert isinstance(dispatch(asked, None), Fleet)  # type: ignore[arg-type]


def test_without_celery_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = services(tmp_path, "{engine: celery, broker_url: 'redis://127.0.0.1:1/0'}")
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "passport_lti.sync.fleet")
    with pytest.raises(PassportError, match=r"pip install 'passport-lti\[cluster\]'"):
        dispatch(asked, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["http://broker.example", "redis.example:6379"])
def test_a_broker_of_another_kind_is_refused_with_its_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        services(tmp_path, f"{{engine: celery, broker_url: '{url}'}}")
    [problem] = caught.value.problems
    assert "sync.broker_url" in str(problem) and "expected redis://" in str(problem)
