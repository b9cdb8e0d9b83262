"""`${NAME}`, `${NAME:-default}`, `${file:...}`, durations and defaults."""

from datetime import timedelta
from pathlib import Path

import pytest

from passport_lti.config import Config, check, config_path
from passport_lti.errors import ConfigError


def with_title(base: str, title: str, environ: dict[str, str]) -> str:
    text = base.replace("  secret_key:", f"  title: {title}\n  secret_key:")
    return check(text, "passport.yaml", environ).tool.title


@pytest.mark.parametrize(
    ("title", "environ", "expected"),
    [
        ("${TITLE}", {"TITLE": "Courses"}, "Courses"),
        ("My ${TITLE} and ${OTHER}!", {"TITLE": "a", "OTHER": "b"}, "My a and b!"),
        ("${TITLE:-Coursera}", {}, "Coursera"),
        ("${TITLE:-Coursera}", {"TITLE": ""}, "Coursera"),
        ("${TITLE:-Coursera}", {"TITLE": "Courses"}, "Courses"),
        ("${TITLE:-a:-b}", {}, "a:-b"),
        ("$${TITLE}", {"TITLE": "Courses"}, "${TITLE}"),
        ("$TITLE", {"TITLE": "Courses"}, "$TITLE"),
        ("${TITLE}", {"TITLE": "${SECRET}", "SECRET": "x"}, "${SECRET}"),
        ("${TITLE}", {"TITLE": "a: b # {c}"}, "a: b # {c}"),
        ("${TITLE}", {"TITLE": "12"}, "12"),
    ],
)
def test_variables_are_filled_in_after_parsing(
    base: str, title: str, environ: dict[str, str], expected: str
) -> None:
    assert with_title(base, title, environ) == expected


def test_a_file_gives_its_content_without_the_last_line_break(base: str, tmp_path: Path) -> None:
    (tmp_path / "title").write_text(" From a file \n")
    assert with_title(base, f"${{file:{tmp_path}/title}}", {}) == " From a file "


def test_variables_may_give_numbers_and_flags(base: str) -> None:
    text = base.replace(
        "    api_key:", "    page_size: ${PAGE}\n    timeout: ${WAIT}\n    api_key:"
    )
    config = check(
        text + "sync: {in_progress: '${IN}'}\n", "f", {"PAGE": "7", "WAIT": "9", "IN": "false"}
    )
    connection = config.coursera["main"]
    assert (connection.page_size, connection.timeout, config.sync.in_progress) == (7, 9, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", timedelta(seconds=1)),
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("090s", timedelta(seconds=90)),
    ],
)
def test_durations(base: str, text: str, expected: timedelta) -> None:
    config = check(base + f"sync: {{poll_every: {text}}}\n", "f", {})
    assert config.sync.poll_every == expected


@pytest.mark.parametrize(
    "text", ["s", "1", "1 s", "1.5h", "-1s", "1h30m", "1S", "٣s", "''", "null", "true"]
)
def test_what_is_no_duration(base: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"sync\.poll_every: expected a duration"):
        check(base + f"sync: {{poll_every: {text}}}\n", "f", {})


@pytest.mark.parametrize(("text", "seconds"), [("5", 5), ("'5'", 5), ("5s", 5), ("2m", 120)])
def test_a_timeout_is_seconds_or_a_duration(base: str, text: str, seconds: int) -> None:
    config = check(base.replace("    api_key:", f"    timeout: {text}\n    api_key:"), "f", {})
    assert config.coursera["main"].timeout == seconds


def test_plain_http_is_fine_on_this_machine(base: str) -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        text = base.replace("https://passport.example.edu", f"http://{host}/")
        assert check(text, "f", {}).tool.base_url == f"http://{host}"


def test_the_default_strategy_follows_what_is_offered(base: str) -> None:
    config = check(base + "    strategies: [final_grade]\n", "f", {})
    assert config.platforms["campus"].default_strategy == "final_grade"


def test_secrets_are_not_shown(base: str) -> None:
    config = check(base + "metrics: {token: SECRET-token-of-metrics}\n", "f", {})
    assert "SECRET" not in repr(config)
    assert "SECRET" not in str(config)
    assert "SECRET" not in config.model_dump_json()
    assert config.coursera["main"].api_key.get_secret_value() == "SECRET-key"


def test_the_settings_of_a_platform_are_json(base: str) -> None:
    config: Config = check(base, "f", {})
    assert config.platforms["campus"].settings["strategies"][0] == "final_grade"
    assert "issuer" not in config.platforms["campus"].settings


def test_which_file_is_read() -> None:
    environ = {"PASSPORT_LTI_CONFIG": "b.yaml"}
    assert config_path("a.yaml", environ) == Path("a.yaml")
    assert config_path(None, environ) == Path("b.yaml")
    assert config_path(None, {}) == Path("config/passport.yaml")
