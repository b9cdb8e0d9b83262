"""Every problem of a configuration is named with its file, line and key, all at once."""

from pathlib import Path

import pytest

from passport_lti.config import check, load
from passport_lti.errors import ConfigError

CACHES = (
    "FileSystemCache, MemcachedCache, NullCache, RedisCache, RedisClusterCache, "
    "RedisSentinelCache, SASLMemcachedCache, SimpleCache, SpreadSASLMemcachedCache"
)

# (what is replaced, by what, the lines that are expected after "passport.yaml:")
BROKEN = {
    "unknown section": ("tool:", "tols: 1\ntool:", ["1: tols: unknown key, did you mean tool?"]),
    "unknown key, a near one": (
        "  secret_key:",
        "  tittle: x\n  secret_key:",
        ["3: tool.tittle: unknown key, did you mean title?"],
    ),
    "unknown key, nothing near": (
        "  secret_key:",
        "  zzz: x\n  secret_key:",
        [
            "3: tool.zzz: unknown key, expected one of "
            "base_url, description, proxy_hops, secret_key, title"
        ],
    ),
    "unknown key of a connection": (
        "    api_key:",
        "    org: x\n    api_key:",
        ["7: coursera.main.org: unknown key, did you mean org_id?"],
    ),
    "unknown key of a platform": (
        "    coursera: main\n",
        "    coursera: main\n    clientid: x\n",
        ["17: platforms.campus.clientid: unknown key, did you mean client_id?"],
    ),
    "unknown key of an identity": (
        "    coursera: main\n",
        "    coursera: main\n    identity:\n      external: email\n",
        ["18: platforms.campus.identity.external: unknown key, did you mean external_id?"],
    ),
    "unknown key on one line": (
        "    coursera: main\n",
        "    coursera: main\n    sso: {mod: link}\n",
        ["17: platforms.campus.sso.mod: unknown key, did you mean mode?"],
    ),
    "saml without a partner": (
        "    coursera: main\n",
        "    coursera: main\n    sso:\n      mode: saml\n",
        [
            "18: platforms.campus.sso.mode: saml needs to know Coursera as service provider: "
            "add coursera.main.saml"
        ],
    ),
    "saml without a partner, on one line": (
        "    coursera: main\n",
        "    coursera: main\n    sso: {mode: saml}\n",
        [
            "17: platforms.campus.sso.mode: saml needs to know Coursera as service provider: "
            "add coursera.main.saml"
        ],
    ),
    "a partner without addresses": (
        "    api_key:",
        "    saml: {encrypt: false}\n    api_key:",
        [
            "7: coursera.main.saml.acs_url: is required",
            "7: coursera.main.saml.entity_id: is required",
        ],
    ),
    "a partner without https": (
        "    api_key:",
        "    saml: {entity_id: x, acs_url: 'http://sp.example/acs'}\n    api_key:",
        [
            "7: coursera.main.saml.acs_url: expected https:// "
            "(plain http is only for 127.0.0.1 and localhost)"
        ],
    ),
    "encryption without a certificate": (
        "    api_key:",
        "    saml: {entity_id: x, acs_url: 'https://sp.example/acs', encrypt: true}\n    api_key:",
        ["7: coursera.main.saml.encrypt: needs Coursera's certificate (metadata or certificate)"],
    ),
    "a certificate that is none": (
        "    api_key:",
        "    saml: {entity_id: x, acs_url: 'https://sp.example/acs', certificate: abc}\n"
        "    api_key:",
        [
            "7: coursera.main.saml.certificate: expected a certificate in PEM "
            "(-----BEGIN CERTIFICATE-----)"
        ],
    ),
    "metadata that is not there": (
        "    api_key:",
        "    saml: {metadata: /nowhere/coursera.xml}\n    api_key:",
        ["7: coursera.main.saml.metadata: the file /nowhere/coursera.xml can't be read"],
    ),
    "missing base_url": (
        "  base_url: https://passport.example.edu\n",
        "",
        ["1: tool.base_url: is required"],
    ),
    "missing secrets of a connection": (
        "    api_key: SECRET-key\n    api_secret: SECRET-secret\n",
        "",
        ["5: coursera.main.api_key: is required", "5: coursera.main.api_secret: is required"],
    ),
    "missing client id": (
        "    client_id: kXJ2fUn8Qx0kJcY\n",
        "",
        ["10: platforms.campus.client_id: is required"],
    ),
    "secret key too short": (
        "0123456789abcdef-SECRET-0123456789",
        "SECRET",
        ["3: tool.secret_key: expected 32 characters or more"],
    ),
    "empty api key": (
        "api_key: SECRET-key",
        "api_key: ''",
        ["7: coursera.main.api_key: must not be empty"],
    ),
    "null where text belongs": (
        "client_id: kXJ2fUn8Qx0kJcY",
        "client_id:",
        ["12: platforms.campus.client_id: expected text"],
    ),
    "number where text belongs": (
        "client_id: kXJ2fUn8Qx0kJcY",
        "client_id: 12",
        ["12: platforms.campus.client_id: expected text: write the value in quotes"],
    ),
    "an id with a space that came along when it was copied": (
        "client_id: kXJ2fUn8Qx0kJcY",
        'client_id: "kXJ2fUn8Qx0kJcY "\n    deployment_ids: [" 1"]',
        [
            "12: platforms.campus.client_id: expected an id without spaces around it",
            "13: platforms.campus.deployment_ids[0]: expected an id without spaces around it",
        ],
    ),
    "deployment id without quotes": (
        "    coursera: main\n",
        '    coursera: main\n    deployment_ids: ["1", 2]\n',
        ["17: platforms.campus.deployment_ids[1]: expected text: write the value in quotes"],
    ),
    "text where a list belongs": (
        "    coursera: main\n",
        '    coursera: main\n    deployment_ids: "1"\n',
        ["17: platforms.campus.deployment_ids: expected a list such as [a, b]"],
    ),
    "text where settings belong": (
        "tool:\n",
        "log: debug\ntool:\n",
        ["1: log: expected a list of settings (name: value)"],
    ),
    "list where settings belong": (
        "tool:\n",
        "log: [debug]\ntool:\n",
        ["1: log: expected a list of settings (name: value)"],
    ),
    "empty section": (
        "tool:\n",
        "sync:\ntool:\n",
        ["1: sync: expected a list of settings (name: value)"],
    ),
    "platforms is a list": (
        "platforms:\n  campus:\n",
        "platforms:\n  -\n",
        ["9: platforms: expected a list of settings (name: value)"],
    ),
    "connection without a name": (
        "coursera:\n  main:\n",
        "coursera:\n",
        [
            "5: coursera.org_id: expected a list of settings (name: value)",
            "6: coursera.api_key: expected a list of settings (name: value)",
            "7: coursera.api_secret: expected a list of settings (name: value)",
            "15: platforms.campus.coursera: expected one of api_key, api_secret, org_id",
        ],
    ),
    "no connection": (
        "coursera:\n  main:\n    org_id: y0TO1t4fEe2bIBLACu-NKQ\n    api_key: SECRET-key\n"
        "    api_secret: SECRET-secret\n",
        "coursera: {}\n",
        [
            "4: coursera: expected at least one connection to Coursera",
            "12: platforms.campus.coursera: expected a connection under coursera:",
        ],
    ),
    "boolean that is none": (
        "tool:\n",
        "sync: {in_progress: 1}\ntool:\n",
        ["1: sync.in_progress: expected true or false"],
    ),
    "whole number that is none": (
        "    api_key:",
        "    page_size: many\n    api_key:",
        ["7: coursera.main.page_size: expected a whole number"],
    ),
    "number with a fraction": (
        "    api_key:",
        "    page_size: 1.5\n    api_key:",
        ["7: coursera.main.page_size: expected a whole number"],
    ),
    "number too small": (
        "    api_key:",
        "    page_size: 0\n    api_key:",
        ["7: coursera.main.page_size: expected at least 1"],
    ),
    "number too large": (
        "    api_key:",
        "    max_concurrency: 17\n    api_key:",
        ["7: coursera.main.max_concurrency: expected at most 16"],
    ),
    "proxy hops below zero": (
        "  secret_key:",
        "  proxy_hops: -1\n  secret_key:",
        ["3: tool.proxy_hops: expected at least 0"],
    ),
    "timeout of nothing": (
        "    api_key:",
        "    timeout: 0\n    api_key:",
        [
            "7: coursera.main.timeout: "
            "expected a number of seconds above 0, or a duration such as 60s"
        ],
    ),
    "duration without a unit": (
        "tool:\n",
        "sync: {poll_every: 60}\ntool:\n",
        ["1: sync.poll_every: expected a duration such as 30s, 5m, 2h or 7d"],
    ),
    "duration with a wrong unit": (
        "tool:\n",
        "sync: {poll_every: 2w}\ntool:\n",
        ["1: sync.poll_every: expected a duration such as 30s, 5m, 2h or 7d"],
    ),
    "duration of nothing": (
        "tool:\n",
        "retention: {launches: 0d}\ntool:\n",
        ["1: retention.launches: expected a duration such as 30s, 5m, 2h or 7d"],
    ),
    "duration beyond all time": (
        "tool:\n",
        "retention: {launches: 99999999999d}\ntool:\n",
        ["1: retention.launches: expected a duration such as 30s, 5m, 2h or 7d"],
    ),
    "choice that is none": (
        "tool:\n",
        "sync: {grade_policy: highest}\ntool:\n",
        ["1: sync.grade_policy: expected 'follow' or 'best'"],
    ),
    "strategy that is none": (
        "    coursera: main\n",
        "    coursera: main\n    strategies:\n    - final_grade\n    - granular\n",
        [
            "19: platforms.campus.strategies[1]: "
            "expected 'final_grade', 'granular_deep_linked' or 'granular_auto_columns'"
        ],
    ),
    "no strategy": (
        "    coursera: main\n",
        "    coursera: main\n    strategies: []\n",
        ["17: platforms.campus.strategies: must not be empty"],
    ),
    "default strategy that is not offered": (
        "    coursera: main\n",
        "    coursera: main\n    strategies: [final_grade]\n"
        "    default_strategy: granular_auto_columns\n",
        ["18: platforms.campus.default_strategy: expected one of this platform's strategies"],
    ),
    "no way to match": (
        "    coursera: main\n",
        "    coursera: main\n    identity: {match_by: []}\n",
        ["17: platforms.campus.identity.match_by: must not be empty"],
    ),
    "address without a host": (
        "issuer: https://moodle.example.edu",
        "issuer: moodle.example.edu",
        ["11: platforms.campus.issuer: expected an address such as https://host.example/path"],
    ),
    "address of another kind": (
        "https://moodle.example.edu/mod/lti/certs.php",
        "ftp://moodle.example.edu/certs",
        ["15: platforms.campus.key_set_url: expected an address such as https://host.example/path"],
    ),
    "address with a bad port": (
        "base_url: https://passport.example.edu",
        "base_url: https://passport.example.edu:99999",
        ["2: tool.base_url: expected an address such as https://host.example/path"],
    ),
    "plain http": (
        "base_url: https://passport.example.edu",
        "base_url: http://passport.example.edu",
        ["2: tool.base_url: expected https:// (plain http is only for 127.0.0.1 and localhost)"],
    ),
    "address with a password": (
        "base_url: https://passport.example.edu",
        "base_url: https://me:SECRET@passport.example.edu",
        ["2: tool.base_url: expected an address without spaces, quotes, user name or #fragment"],
    ),
    "base address with a query": (
        "base_url: https://passport.example.edu",
        "base_url: https://passport.example.edu/?a=b",
        ["2: tool.base_url: expected an address without a query"],
    ),
    "slug in place of the organisation's id": (
        "org_id: y0TO1t4fEe2bIBLACu-NKQ",
        "org_id: my-university",
        [
            "6: coursera.main.org_id: "
            "expected Coursera's encoded 22-character id of the organisation, not its slug"
        ],
    ),
    "unknown place in the outline path": (
        "    api_key:",
        "    outline_path: /x/{course}\n    api_key:",
        [
            "7: coursera.main.outline_path: {course} is unknown, "
            "expected {org_id}, {program_id}, {course_id} or {course_slug}"
        ],
    ),
    "open brace in the outline path": (
        "    api_key:",
        "    outline_path: /x/{course_id\n    api_key:",
        [
            "7: coursera.main.outline_path: a brace is not closed or not opened, "
            "expected {org_id}, {program_id}, {course_id} or {course_slug}"
        ],
    ),
    "outline path to another host": (
        "    api_key:",
        "    outline_path: https://elsewhere.example/{course_id}\n    api_key:",
        ["7: coursera.main.outline_path: expected a path below api_base such as /ent/api/..."],
    ),
    "database that is none": (
        "tool:\n",
        "database: {url: 'mysql://host/SECRET'}\ntool:\n",
        ["1: database.url: expected sqlite:///... or postgresql+psycopg://..."],
    ),
    "database with a port that is none": (
        "tool:\n",
        "database: {url: 'postgresql+psycopg://u:SECRET@host:abc/x'}\ntool:\n",
        ["1: database.url: expected postgresql+psycopg://user:password@host:5432/name"],
    ),
    "database in memory, which every process would have of its own": (
        "tool:\n",
        "database: {url: 'sqlite://'}\ntool:\n",
        ["1: database.url: expected a file, such as sqlite:///var/passport.db"],
    ),
    "database file where the host stands": (
        "tool:\n",
        "database: {url: 'sqlite://passport.db'}\ntool:\n",
        ["1: database.url: expected a file, such as sqlite:///var/passport.db"],
    ),
    "database file with options": (
        "tool:\n",
        "database: {url: 'sqlite:///passport.db?mode=ro'}\ntool:\n",
        ["1: database.url: expected a file, such as sqlite:///var/passport.db"],
    ),
    "cache that nobody knows": (
        "tool:\n",
        "cache: {type: NoSuch}\ntool:\n",
        ["1: cache.type: expected one of " + CACHES],
    ),
    "Redis without its address": (
        "tool:\n",
        "cache: {type: RedisCache}\ntool:\n",
        ["1: cache.url: required with type: RedisCache, e.g. redis://host/0"],
    ),
    "Redis with another address": (
        "tool:\n",
        "cache: {type: RedisCache, url: 'http://host'}\ntool:\n",
        ["1: cache.url: expected redis://host:6379/0 or rediss://..."],
    ),
    "issuer longer than any": (
        "issuer: https://moodle.example.edu",
        "issuer: https://moodle.example.edu/" + "x" * 240,
        ["11: platforms.campus.issuer: expected at most 255 characters"],
    ),
    "deployment named twice": (
        "    coursera: main\n",
        "    coursera: main\n    deployment_ids: ['1', '2', '1']\n",
        ["17: platforms.campus.deployment_ids: expected each deployment only once"],
    ),
    "clock skew that accepts every token": (
        "tool:\n",
        "lti: {clock_skew: 30d}\ntool:\n",
        ["1: lti.clock_skew: expected at most 1h, such as 60s"],
    ),
    "variable whose brace is not closed": (
        "api_key: SECRET-key",
        "api_key: '${SECRET_KEY'",
        ["7: coursera.main.api_key: a ${ is not closed, expected ${NAME}; $${ stands for ${"],
    ),
    "celery without a broker": (
        "tool:\n",
        "sync:\n  engine: celery\ntool:\n",
        ["1: sync.broker_url: required with engine: celery, e.g. redis://host/0"],
    ),
    "metrics token too short": (
        "tool:\n",
        "metrics: {token: SECRET}\ntool:\n",
        ["1: metrics.token: expected 16 characters or more"],
    ),
    "name with capitals": (
        "  campus:\n",
        "  Campus:\n",
        ["10: platforms.Campus: a name has only lower-case letters, digits, - and _"],
    ),
    "connection that is none": (
        "    coursera: main\n",
        "    coursera: other\n",
        ["16: platforms.campus.coursera: expected one of main"],
    ),
    "key twice": (
        "    api_key:",
        "    org_id: y0TO1t4fEe2bIBLACu-NKQ\n    api_key:",
        ["7: file: the key 'org_id' stands here twice"],
    ),
    "key that is a number": (
        "  campus:\n",
        "  1:\n",
        ["10: file: the key 1 is not text: write it in quotes"],
    ),
    "tab": (
        "  campus:\n",
        "\tcampus:\n",
        ["10: file: found character '\\t' that cannot start any token"],
    ),
    "bracket that stays open": (
        "    coursera: main\n",
        "    coursera: main\n    strategies: [final_grade\nsync: {}\n",
        ["18: file: expected ',' or ']', but got ':'"],
    ),
    "alias": (
        "    coursera: main\n",
        "    coursera: &name main\n    auth_audience: *name\n",
        ["17: file: aliases (*name) are not supported"],
    ),
    "code in YAML": (
        "client_id: kXJ2fUn8Qx0kJcY",
        "client_id: !!python/object/apply:os.getcwd []",
        ["12: platforms.campus.client_id: expected text"],
    ),
    "two documents": ("platforms:\n", "---\nplatforms:\n", ["9: file: but found another document"]),
    "date that is none": (
        "client_id: kXJ2fUn8Qx0kJcY",
        "client_id: 2025-13-45",
        ["12: file: a date or number that is none: write the value in quotes"],
    ),
    "missing variable": (
        "api_key: SECRET-key",
        "api_key: ${NOT_THERE}",
        ["7: coursera.main.api_key: the environment variable NOT_THERE is not set"],
    ),
    "missing variable in a list": (
        "    coursera: main\n",
        "    coursera: main\n    deployment_ids:\n    - '1'\n    - ${NOT_THERE}\n",
        ["19: platforms.campus.deployment_ids[1]: the environment variable NOT_THERE is not set"],
    ),
    "missing variable that names a connection": (
        "    coursera: main\n",
        "    coursera: ${NOT_THERE}\n",
        ["16: platforms.campus.coursera: the environment variable NOT_THERE is not set"],
    ),
    "timeout that is no number": (
        "    api_key:",
        "    timeout: ²\n    api_key:",
        [
            "7: coursera.main.timeout: "
            "expected a number of seconds above 0, or a duration such as 60s"
        ],
    ),
    "timeout of weeks": (
        "    api_key:",
        "    timeout: 30d\n    api_key:",
        ["7: coursera.main.timeout: expected at most 86400"],
    ),
    "missing file": (
        "api_key: SECRET-key",
        "api_key: ${file:/nowhere/key}",
        [
            "7: coursera.main.api_key: "
            "the file /nowhere/key can't be read, expected a readable text file"
        ],
    ),
    "reference that is none": (
        "api_key: SECRET-key",
        "api_key: ${1+1}",
        ["7: coursera.main.api_key: expected ${NAME}, ${NAME:-default} or ${file:/path}"],
    ),
    "several problems at once": (
        "https://moodle.example.edu\n    client_id: kXJ2fUn8Qx0kJcY\n",
        "nothing\n    client_id: 1\n    provisioning: maybe\n",
        [
            "11: platforms.campus.issuer: expected an address such as https://host.example/path",
            "12: platforms.campus.client_id: expected text: write the value in quotes",
            "13: platforms.campus.provisioning: expected 'none', 'invite' or 'enroll'",
        ],
    ),
}

PLATFORM = """\
  second:
    issuer: https://moodle.example.edu
    client_id: kXJ2fUn8Qx0kJcY
    auth_login_url: https://moodle.example.edu/mod/lti/auth.php
    auth_token_url: https://moodle.example.edu/mod/lti/token.php
    key_set_url: https://moodle.example.edu/mod/lti/certs.php
    coursera: main
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check(text, "passport.yaml", {})
    return list(caught.value.problems)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_explained_line_by_line(case: str, base: str) -> None:
    old, new, expected = BROKEN[case]
    assert base.count(old) == 1, "the table replaces exactly one place"
    found = problems_of(base.replace(old, new))
    assert found == [f"passport.yaml:{line}" for line in expected]
    assert "SECRET" not in "\n".join(found)


def test_the_unbroken_file_is_fine(base: str) -> None:
    assert check(base, "passport.yaml", {}).platforms["campus"].client_id == "kXJ2fUn8Qx0kJcY"


def test_a_platform_named_twice_is_refused(base: str) -> None:
    assert problems_of(base + PLATFORM) == [
        "passport.yaml:19: platforms.second.client_id: "
        "has the issuer and client_id of campus, expected each pair only once"
    ]


def test_two_clients_of_one_issuer_are_two_platforms(base: str) -> None:
    other = PLATFORM.replace("kXJ2fUn8Qx0kJcY", "other")
    assert set(check(base + other, "passport.yaml", {}).platforms) == {"campus", "second"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1: file: is empty, expected tool:, coursera:, platforms: ..."),
        ("# nothing\n", "1: file: is empty, expected tool:, coursera:, platforms: ..."),
        ("- a\n", "1: file: is not a list of settings, expected tool:, coursera:, platforms: ..."),
        ("tool", "1: file: is not a list of settings, expected tool:, coursera:, platforms: ..."),
        ("[" * 5000 + "]" * 5000, "1: file: nested too deeply"),
        ("a" * 1_000_001, "1: file: the file is larger than any configuration"),
        ("a:\n  b: \x00", "2: file: a character that YAML does not allow (#x0000)"),
    ],
)
def test_a_file_that_is_no_list_of_settings(text: str, line: str) -> None:
    assert problems_of(text) == [f"passport.yaml:{line}"]


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    path = tmp_path / "passport.yaml"
    with pytest.raises(ConfigError, match=r"start from config/passport\.example\.yaml"):
        load(path, {})
    with pytest.raises(ConfigError, match=r":1: file: Is a directory$"):
        load(tmp_path, {})
    path.write_bytes(b"tool: \xff\xfe")
    with pytest.raises(ConfigError, match=":1: file: not a UTF-8 text file"):
        load(path, {})
