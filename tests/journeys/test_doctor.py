"""`doctor`: each of the ten commonest mistakes is told with the setting to change."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
import yaml
from werkzeug.utils import redirect

from passport_lti.cli.demo import CONFIG
from passport_lti.sandbox.serving import serve


class Clinic:
    """A second registration of the campus, made by hand: platform `moodle` in a file of its own."""

    def __init__(self, world, path):
        self.world, self.path = world, path
        self.base = world.environ["DEMO_TOOL"]
        self.tool = world.campus.add_tool(self.base)
        self.values = yaml.safe_load(CONFIG.read_text())
        tool = self.tool
        self.entry = {
            "issuer": tool.issuer, "client_id": tool.client_id,
            "deployment_ids": [tool.deployment_id], "auth_login_url": tool.auth_login_url,
            "auth_token_url": tool.auth_token_url, "key_set_url": tool.key_set_url,
            "coursera": "practice",
        }  # fmt: skip
        self.values["platforms"] = {"moodle": self.entry}
        self.connection = self.values["coursera"]["practice"]
        self.activity = world.campus.add_activity(world.school.context, tool, "By hand")

    def run(self, *arguments):
        self.path.write_text(yaml.safe_dump(self.values))
        answer = subprocess.run(
            [sys.executable, "-m", "passport_lti", "--config", str(self.path), *arguments],
            env={**os.environ, **self.world.environ}, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert "Traceback" not in answer.stderr + answer.stdout
        return answer

    def doctor(self, *options):
        answer = self.run("doctor", "--platform", "moodle", *options)
        lines = answer.stdout.splitlines()
        assert lines and all(line.startswith(("ok   ", "note ", "FAIL ")) for line in lines), answer
        failures = [line for line in lines if line.startswith("FAIL")]
        assert all("; change " in line for line in failures)
        assert answer.returncode == (1 if failures else 0)
        return SimpleNamespace(lines=lines, failures=failures)

    def only_failure(self, *options):
        found = self.doctor(*options).failures
        assert len(found) == 1, found
        return found[0]

    def launch(self, person=None):
        return self.world.campus.browser(person or self.world.school.teacher).launch(self.activity)


@pytest.fixture
def clinic(world, tmp_path):
    return Clinic(world, tmp_path / "passport.yaml")


def test_all_is_well(clinic):
    clinic.doctor()


def test_the_sign_in_page_is_asked_as_a_launch_asks(clinic):
    """Without its parameters a platform may answer 404 although the address is right."""
    ledger = clinic.world.campus.ledger
    ledger.clear()
    clinic.doctor()
    [asked] = [entry for entry in ledger.requests if entry.kind == "auth"]
    query = {name: values[0] for name, values in parse_qs(asked.query).items()}
    assert query["redirect_uri"] == f"{clinic.base}/lti/launch"
    assert query["client_id"] == clinic.tool.client_id and query["login_hint"] == "0"
    assert {"scope", "response_type", "response_mode", "nonce", "state"} <= query.keys()
    clinic.launch()

    found = clinic.doctor()

    assert not found.failures
    text = "\n".join(found.lines)
    for part in ("configuration", "database", "cache", "signing key", "tool.base_url",
                 "moodle issuer", "moodle key set", "moodle clock", "moodle sign-in page",
                 "moodle deployment",
                 "moodle token to make columns", "moodle token to read the roster",
                 "moodle roster", "moodle privacy", "coursera.practice token",
                 "coursera.practice organisation", "coursera.practice programs",
                 "coursera.practice courses", "coursera.practice gradebook report",
                 "coursera.practice outline"):  # fmt: skip
        assert f"ok   {part}" in text, part
    assert "is 0 s ahead of this tool" in text or " s behind this tool" in text


def test_json_is_one_document(world):
    document = json.loads(world.command("doctor", "--json").stdout)

    assert document["ok"] is True
    assert {"state", "what", "problem", "change"} == set(document["findings"][0])


# The ten mistakes


def test_wrong_client_id(clinic):
    clinic.entry["client_id"] = "mistyped"

    failure = clinic.only_failure()
    page = clinic.launch()

    assert "does not know the client id mistyped" in failure
    assert "change platforms.moodle.client_id" in failure
    assert page.headers["X-LTI-Error"] == "client_unknown" and "client ID" in page.text
    assert f"sent client ID {clinic.tool.client_id}" in page.text
    assert "View configuration details" in page.text


def test_wrong_deployment(clinic):
    clinic.entry["deployment_ids"] = ["999"]
    clinic.doctor()

    page = clinic.launch()
    failures = clinic.doctor().failures

    assert page.status == 403
    assert f"passport-lti platform approve moodle {clinic.tool.deployment_id}" in page.text
    mine = next(line for line in failures if "moodle deployment" in line)
    assert f"{clinic.tool.deployment_id} launched and waits for approval" in mine
    assert "change platforms.moodle.deployment_ids" in mine
    assert f"passport-lti platform approve moodle {clinic.tool.deployment_id}" in mine


@pytest.mark.parametrize(
    ("setting", "scope", "named"),
    [({"ags": 1}, "lineitem", "grade sync and column management"),
     ({"nrps": False}, "contextmembership.readonly", "Names and Role Provisioning")],
)  # fmt: skip
def test_missing_scope(clinic, setting, scope, named):
    assert not clinic.doctor().failures
    vars(clinic.tool).update(setting)

    failure = clinic.only_failure()

    assert f"does not grant the scope {scope};" in failure and named in failure


@pytest.mark.parametrize("what", ["name", "email"])
def test_names_hidden(clinic, what):
    setattr(clinic.tool, f"share_{what}", False)
    clinic.doctor()
    clinic.launch()

    failure = clinic.only_failure()

    assert f"Share launcher's {what} with tool to Always" in failure


def test_redirect_uri_missing(clinic):
    clinic.tool.redirect_urls = ["https://elsewhere.example/lti/launch"]
    clinic.doctor()
    clinic.launch()

    failure = clinic.only_failure()

    assert "the platform sent no launch back" in failure
    assert f"Redirection URI(s) to {clinic.base}/lti/launch" in failure
    clinic.tool.redirect_urls = [f"{clinic.base}/lti/launch"]
    clinic.launch()
    assert not clinic.doctor().failures


def test_http_in_place_of_https(clinic):
    def to_https(environ, start):
        return redirect(f"https://lti.example.edu{environ['PATH_INFO']}", 301)(environ, start)

    with serve(to_https) as front:
        clinic.values["tool"]["base_url"] = front.url
        failure = next(line for line in clinic.doctor().failures if "tool.base_url" in line)
    assert "says http but the server redirects to https" in failure
    assert "change tool.base_url to https://lti.example.edu" in failure

    clinic.values["tool"]["base_url"] = "http://lti.example.edu"
    answer = clinic.run("doctor")
    assert answer.returncode == 2
    assert "tool.base_url: expected https://" in answer.stderr

    clinic.values["tool"]["base_url"] = clinic.base
    clinic.doctor()
    clinic.activity.url = f"{clinic.base}/lti/launch".replace("http:", "https:")
    page = clinic.launch()
    assert page.headers["X-LTI-Error"] == "target_link" and "Tool URL" in page.text


@pytest.mark.parametrize(("offset", "word"), [(300, "ahead of"), (-300, "behind")])
def test_clock_five_minutes_off(clinic, offset, word):
    clinic.world.campus.clock_offset = offset

    failures = clinic.doctor().failures

    clock = next(line for line in failures if "moodle clock" in line)
    measured = int(clock.split("the platform is ")[1].split()[0])
    assert abs(measured - 300) <= 2 and word in clock
    assert "lti.clock_skew allows 60 s; change the wrong server's clock" in clock
    page = clinic.launch()
    if offset > 0:
        assert page.headers["X-LTI-Error"] == "not_yet_valid" and "clock_skew" in page.text


def test_coursera_slug_for_id(clinic):
    clinic.connection["org_id"] = "campus-university-online"
    assert "change coursera.practice.org_id to the 22-character id" in clinic.only_failure()

    clinic.connection["org_id"] = "campus"
    answer = clinic.run("doctor")
    assert answer.returncode == 2 and "coursera.practice.org_id" in answer.stderr
    assert "not its slug" in answer.stderr


def test_wrong_secret(clinic):
    clinic.connection["api_secret"] = "guessed"

    failure = clinic.only_failure()

    assert "change coursera.practice.api_key or coursera.practice.api_secret" in failure


def test_program_not_in_the_organisation(clinic):
    program = clinic.world.school.program
    clinic.connection["programs"] = ["AAAAAAAAAAAAAAAAAAAAAA"]
    failure = clinic.only_failure()
    assert "no such program; change coursera.practice.programs" in failure
    assert program.id in failure

    clinic.connection["programs"] = [program.slug]
    assert f"change coursera.practice.programs to the id {program.id}" in clinic.only_failure()


# Others


def test_refused_launches_name_the_setting_until_one_is_accepted(clinic):
    clinic.doctor()
    campus = clinic.world.campus
    campus.on_id_token = lambda header, claims, key: (header, {**claims, "aud": "another"})
    assert clinic.launch().headers["X-LTI-Error"] == "audience"

    failure = clinic.only_failure()
    assert "1 refused as audience" in failure and "client ID" in failure.split("; change ")[1]

    campus.on_id_token = None
    clinic.launch()
    found = clinic.doctor()
    assert not found.failures
    assert "note launches: refused earlier this week: audience (1)" in found.lines


def test_wrong_key_set_at_the_platform(clinic):
    clinic.tool.jwks_url = f"{clinic.base}/nothing"

    failure = clinic.only_failure()

    assert f"Public keyset to {clinic.base}/lti/jwks.json" in failure


@pytest.mark.parametrize("issuer", ["{}/", "https://moodle.example.edu"])
def test_another_issuer_than_moodle_calls_itself(clinic, issuer):
    clinic.entry["issuer"] = issuer.format(clinic.tool.issuer)

    failure = clinic.only_failure()

    assert failure.startswith("FAIL moodle issuer")
    assert failure.endswith(f"change platforms.moodle.issuer to {clinic.tool.issuer}")


def test_moodles_addresses_in_each_others_places(clinic):
    entry = clinic.entry
    entry["auth_login_url"], entry["key_set_url"] = entry["key_set_url"], entry["auth_login_url"]

    found = clinic.doctor()

    sign_in, key_set = found.failures
    assert f"change platforms.moodle.auth_login_url to {clinic.tool.auth_login_url}" in sign_in
    assert "change platforms.moodle.key_set_url" in key_set
    [hint] = [line for line in found.lines if line.startswith("note moodle key_set_url")]
    assert f"change platforms.moodle.key_set_url to {clinic.tool.key_set_url}" in hint


def test_the_key_set_that_a_page_sends_people_to_is_the_platforms(clinic):
    clinic.entry["key_set_url"] = clinic.tool.auth_token_url
    clinic.doctor()

    page = clinic.launch()

    assert page.headers["X-LTI-Error"] == "keyset"
    assert "must be the Public keyset URL that Moodle shows" in page.text


def test_addresses_of_the_platform(clinic):
    clinic.entry["key_set_url"] = f"{clinic.tool.issuer}/nothing"
    assert "change platforms.moodle.key_set_url" in clinic.only_failure()

    clinic.entry["key_set_url"] = clinic.tool.key_set_url
    clinic.entry["auth_token_url"] = "http://127.0.0.1:9/token"
    assert "change platforms.moodle.auth_token_url" in clinic.only_failure()


def test_another_installation_at_the_base_url(clinic, tmp_path):
    clinic.values["database"]["url"] = f"sqlite:///{tmp_path}/other.db"

    failures = clinic.doctor().failures

    assert any("installation with other keys" in line for line in failures)


def test_a_database_without_an_answer(clinic):
    clinic.values["database"]["url"] = "postgresql+psycopg://nobody@127.0.0.1:9/none"

    assert "change database.url" in clinic.only_failure()


def test_the_outline_path_is_wrong(clinic):
    clinic.connection["outline_path"] = "/ent/api/nothing/{course_id}"

    assert "change coursera.practice.outline_path" in clinic.only_failure()


def test_an_unknown_platform_is_wrong_usage(world):
    answer = world.command("doctor", "--platform", "nobody")

    assert answer.returncode == 2 and "nobody" in answer.stderr


# Writing


def test_the_write_test_leaves_the_gradebook_as_it_was(world):
    [activity] = world.publish("final", "final_grade")
    world.campus.browser(world.school.learners[0]).launch(activity)
    world.grade(world.school.learners[0], "final", "Loops quiz", 50)
    world.sync()
    before, status = world.campus.table(world.school.context), world.cells()
    world.campus.ledger.clear()

    answer = world.command("doctor", "--write-test")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    for step in ("made", "filled", "read", "deleted"):
        assert f"ok   campus test column {step}" in answer.stdout
    [score] = world.campus.ledger.scores
    assert score.user_id in {learner.id for learner in world.school.learners}
    assert world.campus.ledger.count(method="DELETE") == 1
    assert world.campus.table(world.school.context) == before
    assert world.cells() == status


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("scores", {"status": 500, "times": None}), ("lineitems", {"drop": "after", "match": "POST"}),
     ("results", {"status": 403, "times": None})],
)  # fmt: skip
def test_a_write_test_that_breaks_off_leaves_no_column(world, kind, fault):
    [activity] = world.publish("final", "final_grade")
    world.campus.browser(world.school.learners[0]).launch(activity)
    before = world.campus.table(world.school.context)
    world.campus.faults.add(kind, **fault)

    answer = world.command("doctor", "--write-test")

    assert answer.returncode == 1 and "FAIL campus test column" in answer.stdout
    assert world.campus.table(world.school.context) == before


def test_the_write_test_needs_the_right_to_make_columns(world):
    [activity] = world.publish("final", "final_grade")
    world.campus.browser(world.school.learners[0]).launch(activity)
    world.tool.ags = 1

    answer = world.command("doctor", "--write-test")

    assert "FAIL campus test column made: scope_missing" in answer.stdout
    assert "grade sync and column management" in answer.stdout
    assert "by hand" not in answer.stdout
