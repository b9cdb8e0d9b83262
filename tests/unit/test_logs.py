"""Nothing private reaches a log line, even inside a traceback."""

import json
import logging

import pytest

from passport_lti import logs
from passport_lti.config.settings import Log

COMPRESSED = ".eJwNjUEOwyAMBP_COSrYONDymcgQ3KBSEkXkFPXvRXsbaWZv1faWsgqK.okfni95aATVTlZTy-CMnJ4bHVWo"
"""A state or session that was long enough to be compressed."""
SECRETS = (
    COMPRESSED,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0In0.c2lnbmF0dXJl",
    "amy.adams@campus.example",
    "s3cretTokenValue",
    "passw0rd",
)
LINE = (
    "state={} id_token={} of {} with Authorization: Bearer {} at postgresql://app:{}@db.example/x"
).format(*SECRETS)


@pytest.fixture(params=["console", "json"])
def lines(request, capsys):
    logs.set_up(Log(format=request.param))
    yield lambda: capsys.readouterr().err
    logs.set_up(Log())


def test_secrets_are_left_out_of_lines_and_tracebacks(lines):
    log = logging.getLogger("passport_lti.test")
    log.warning("refused %s", LINE)
    try:
        raise ValueError(LINE)
    except ValueError:
        log.exception("failed")

    written = lines()

    assert written.count("refused") == 1 and "ValueError" in written
    assert [secret for secret in SECRETS if secret in written] == []


@pytest.mark.parametrize(
    "line",
    [
        f"state={COMPRESSED}",
        "id_token=eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "to amy.adams@campus.example",
        "Authorization: Bearer s3cretTokenValue",
        "Authorization: Basic czNjcmV0",
        "at postgresql://app:passw0rd@db.example/x",
    ],
)
def test_one_secret_alone_is_found(lines, line):
    secret = line.split("=" if "=" in line else " ")[-1]
    logging.getLogger("passport_lti.test").warning("%s", line)
    written = lines()
    assert "…" in written and secret not in written


def test_a_line_break_does_not_forge_a_line(lines):
    logging.getLogger("passport_lti.test").warning("one\ntwo")

    assert len(lines().strip().splitlines()) == 1


def test_json_lines_are_json(capsys):
    logs.set_up(Log(format="json"))
    logging.getLogger("passport_lti.test").warning("hello %s", "x")
    line = json.loads(capsys.readouterr().err)
    logs.set_up(Log())

    assert line["message"] == "hello x" and line["level"] == "warning"
