"""S54 to S58 and S70, S71: who may talk to the tool, and about what."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from conformance.bench import ABSENT, Bench
from passport_lti.extensions import db
from passport_lti.models import Activity, Context, Deployment


def deployments(bench: Bench) -> dict[str, str]:
    with bench.world.app.app_context():
        return {row.deployment_id: row.state for row in db.session.scalars(db.select(Deployment))}


def test_s54_an_unknown_deployment_waits_until_it_is_approved(bench: Bench) -> None:
    claims = {"deployment_id": "unknown-1"}
    for _ in range(2):
        answer = bench.launch(claims)
        page = bench.refused(answer, "deployment_unknown")
        assert answer.status_code == 403 and "waiting for approval" in page
    assert deployments(bench)["unknown-1"] == "waiting"

    assert bench.world.command("platform", "approve", "campus", "unknown-1").returncode == 0

    bench.accepted(bench.launch(claims))


def test_s54_a_deep_linking_request_of_an_unknown_deployment(bench: Bench) -> None:
    answer = bench.launch({"deployment_id": "unknown-2"}, linking=True)
    bench.refused(answer, "deployment_unknown")
    assert deployments(bench)["unknown-2"] == "waiting"


def test_s54_a_bad_message_does_not_make_a_deployment_wait(bench: Bench) -> None:
    claims = {"deployment_id": "unknown-3", "roles": ABSENT}
    bench.refused(bench.launch(claims), "roles_missing")
    assert "unknown-3" not in deployments(bench)


def test_s55_unknown_issuer_at_the_login(bench: Bench) -> None:
    answer = bench.launch(login={"iss": "https://unknown.example"})
    bench.refused(answer, "issuer_unknown")


def test_s55_unknown_client_at_the_login(bench: Bench) -> None:
    answer = bench.launch(login={"client_id": "nobody"})
    page = bench.refused(answer, "client_unknown")
    assert "client ID" in page


def test_s56_several_registrations_of_one_issuer(fresh: Bench) -> None:
    second = fresh.campus.add_tool(fresh.url, name="Coursera for staff")
    fresh.register(second, "staff", second.deployment_id)
    other = fresh.campus.add_activity(fresh.world.school.context, second, "Second")

    fresh.refused(fresh.launch(login={"client_id": ABSENT}), "client_unknown")
    fresh.accepted(fresh.launch())
    fresh.accepted(fresh.launch(activity=other))
    # A flow that began for the one can't end with a message for the other.
    answer = fresh.launch({"aud": second.client_id, "deployment_id": second.deployment_id})
    fresh.refused(answer, "state_unknown")


def test_s56_without_client_id_where_there_is_one_registration(bench: Bench) -> None:
    bench.accepted(bench.launch(login={"client_id": ABSENT}))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_s57_login_as_get_and_as_post(bench: Bench, method: str) -> None:
    browser = bench.campus.browser(bench.learner)
    browser._start_launch(bench.activity)
    start = browser.page.auto_form
    fields = {name: values[0] for name, values in start.fields.items()}
    if method == "GET":
        answer = browser.send("GET", f"{start.action}?{urlencode(fields)}")
    else:
        answer = browser.send("POST", start.action, list(fields.items()))

    assert answer.status_code == 302
    location = urlsplit(answer.headers["Location"])
    asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert answer.headers["Location"].startswith(f"{bench.campus.url}/mod/lti/auth.php?")
    assert len(asked.pop("state")) > 20 and len(asked.pop("nonce")) > 20
    assert asked == {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post",
        "prompt": "none", "client_id": bench.world.tool.client_id,
        "redirect_uri": bench.world.tool.launch_url, "login_hint": bench.learner.id,
        "lti_message_hint": fields["lti_message_hint"],
    }  # fmt: skip
    browser.page.url = start.action
    browser.get(answer.headers["Location"])
    bench.look(bench.learner)
    bench.accepted(browser.post_to_tool())


@pytest.mark.parametrize("name", ["login_hint", "iss", "target_link_uri"])
@pytest.mark.parametrize("value", [ABSENT, ""])
def test_s57_an_incomplete_login(bench: Bench, name: str, value: Any) -> None:
    bench.refused(bench.launch(login={name: value}), "malformed")


def test_s57_the_hint_of_somebody_who_is_not_signed_in(bench: Bench) -> None:
    browser = bench.campus.browser(bench.learner)
    bench.campus.visits.end_all()
    browser._start_launch(bench.activity)
    form = browser.page.auto_form
    assert form.fields["login_hint"] == ["0"]
    page = browser.follow_auto_forms()
    # The tool asks nothing of nobody: the campus asks who it is.
    assert page.url.startswith(bench.campus.url) and page.status == 200


FOREIGN = [
    "https://evil.example/lti/launch",
    "{url}.evil.example/lti/launch",
    "{url}@evil.example/lti/launch",
    "{url}\\@evil.example/lti/launch",
    "//evil.example/lti/launch",
    "javascript:alert(1)",
    "{url}/lti/../../x",
]


@pytest.mark.parametrize("target", FOREIGN)
def test_s58_a_target_that_is_not_the_tools(bench: Bench, target: str) -> None:
    target = target.format(url=bench.url)
    bench.refused(bench.launch(login={"target_link_uri": target}), "target_link")
    bench.refused(bench.launch({"target_link_uri": target}), "target_link")


def test_s58_another_target_than_the_logins(bench: Bench) -> None:
    bench.refused(bench.launch({"target_link_uri": f"{bench.url}/other"}), "target_link")


def test_s62_reloading_the_auth_request_never_reaches_the_tool(bench: Bench) -> None:
    browser = bench.campus.browser(bench.learner)
    browser._start_launch(bench.activity)
    start = browser.page.auto_form
    answer = browser.send("POST", start.action, [(k, v[0]) for k, v in start.fields.items()])
    browser.page.url = start.action
    assert browser.get(answer.headers["Location"]).auto_form is not None
    # Moodle's message hint works once.
    assert "Invalid request" in browser.get(answer.headers["Location"]).text


@pytest.mark.parametrize("error", ["login_required", "access_denied", "<script>", "x" * 3000])
def test_s62_an_error_of_the_platform(bench: Bench, error: str) -> None:
    def failed(form: dict[str, str]) -> dict[str, str]:
        return {"error": error, "error_description": "<b>No</b>", "state": form["state"]}

    page = bench.refused(bench.launch(form=failed), "platform_error")
    assert "<script>alert" not in page and "<b>No</b>" not in page
    assert "open the activity again" in page


@pytest.mark.parametrize(
    "kind",
    ["LtiDataPrivacyLaunchRequest", "LtiSubmissionReviewRequest", "LtiStartProctoring", "x"],
)
def test_s70_other_message_types(bench: Bench, kind: str) -> None:
    bench.refused(bench.launch({"message_type": kind}), "message_type")


def test_s71_one_context_by_two_deployments(fresh: Bench) -> None:
    world = fresh.world
    [activity] = world.publish("final", "final_grade")
    fresh.accepted(fresh.launch(activity=activity))
    fresh.launch({"deployment_id": "second"}, activity=activity)
    assert world.command("platform", "approve", "campus", "second").returncode == 0
    fresh.accepted(fresh.launch({"deployment_id": "second"}, activity=activity))
    with world.app.app_context():
        contexts = db.session.scalars(db.select(Context)).all()
        assert len(contexts) == 2
        assert len({context.context_id for context in contexts}) == 1
        activities = db.session.scalars(db.select(Activity)).all()
        assert sorted(a.context_fk for a in activities) == sorted(c.id for c in contexts)


def test_s71_a_copied_course_works_with_no_memory_of_ours(fresh: Bench) -> None:
    world = fresh.world
    world.publish("columns", "granular_auto_columns", include_final="1")
    copy = world.campus.copy_context(world.school.context, "COPY", "The copy")
    world.campus.enrol(copy, fresh.teacher, "instructor")
    [copied] = [a for a in world.campus.activities(copy) if a.title != "Not set up"]
    answer = fresh.accepted(fresh.launch(person=fresh.teacher, activity=copied))
    page = fresh.browser.get(fresh.url + answer.headers["Location"])
    assert page.status == 200 and "Everyday Statistics" in page.text


def test_login_and_launch_answer_other_methods_with_a_page(bench: Bench) -> None:
    for method, path in (("GET", "/lti/launch"), ("PUT", "/lti/launch"), ("DELETE", "/lti/login")):
        answer = requests.request(method, bench.url + path, timeout=5)
        assert answer.status_code == 405 and "Traceback" not in answer.text
