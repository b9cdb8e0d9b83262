"""H64: floods of logins and registrations cost nothing that lasts, and run dry."""

import gc
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import databases
from conformance.bench import Bench
from conformance.hostile_cases.fresh import fresh_bench
from conformance.hostile_cases.neighbour import invitation, register
from passport_lti import create_app
from passport_lti.extensions import db
from passport_lti.models import LaunchLog
from passport_lti.web import limits

STRANGER = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def own() -> Iterator[Bench]:
    with fresh_bench() as bench:
        yield bench


@pytest.fixture
def later(own: Bench) -> Callable[[float], None]:
    """The limits' clock stands still, and goes on by as many seconds as it is told."""
    now = [1000.0]
    own.world.app.extensions["passport_lti_limits"] = limits.Buckets(lambda: now[0])

    def on(seconds: float) -> None:
        now[0] += seconds

    return on


def login_of(bench: Bench, **changes: str) -> dict[str, str]:
    return {
        "iss": bench.campus.url,
        "login_hint": "7",
        "target_link_uri": f"{bench.url}/lti/launch",
        "client_id": bench.world.tool.client_id,
        **changes,
    }


def peak() -> int:
    """The most memory that this process ever had, in kB."""
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_h64_a_thousand_logins_leave_nothing(own: Bench) -> None:
    url, fields = f"{own.url}/lti/login", login_of(own)
    with requests.Session() as http:
        for _ in range(100):
            http.post(url, fields, allow_redirects=False, timeout=30)
        tables, memory = own.tables(), peak()
        cache = Path(own.world.environ["DEMO_FOLDER"]) / "cache"
        files = sorted(cache.iterdir())
        for _ in range(1000):
            answer = http.post(url, fields, allow_redirects=False, timeout=30)
            assert answer.status_code == 302
            http.cookies.clear()
    assert own.tables() == tables
    assert sorted(cache.iterdir()) == files
    assert peak() - memory < 5_000
    assert len(own.world.app.extensions["passport_lti_limits"]) <= 4


def test_h64_a_flood_from_one_address_runs_dry_and_recovers(
    own: Bench, later: Callable[[float], None]
) -> None:
    client, fields = own.world.app.test_client(use_cookies=False), login_of(own)

    def login(address: str = "203.0.113.7") -> int:
        answer = client.post("/lti/login", data=fields, environ_base={"REMOTE_ADDR": address})
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert answer.headers["X-LTI-Error"] == "rate_limited"
            assert re.search("try again", answer.text) and "Traceback" not in answer.text
        return answer.status_code

    assert [login() for _ in range(limits.PER_MINUTE)] == [302] * limits.PER_MINUTE
    assert [login() for _ in range(5)] == [429] * 5
    assert login("203.0.113.8") == 302, "a neighbour is not concerned"
    later(1)
    assert [login() for _ in range(3)] == [302, 302, 429]
    later(60)
    assert [login() for _ in range(limits.PER_MINUTE)] == [302] * limits.PER_MINUTE


def test_h64_made_up_issuers_do_not_help(own: Bench, later: Callable[[float], None]) -> None:
    client, found = own.world.app.test_client(use_cookies=False), []
    for number in range(limits.PER_MINUTE * 10 + 5):
        fields = login_of(own, iss=f"https://{number}.example")
        answer = client.post("/lti/login", data=fields, environ_base=STRANGER)
        found.append(answer.status_code)
    assert set(found[:-5]) == {400} and found[-5:] == [429] * 5


def test_h64_many_addresses_take_bounded_memory() -> None:
    buckets = limits.Buckets(lambda: 0.0)
    for number in range(limits.MOST + 500):
        assert buckets.spend(("login", str(number)), 120) == 0
    assert len(buckets) == limits.MOST


def test_h64_one_customers_ipv6_addresses_count_as_one(
    own: Bench, later: Callable[[float], None]
) -> None:
    client, found = own.world.app.test_client(use_cookies=False), []
    for number in range(limits.PER_MINUTE + 1):
        there = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        answer = client.post("/lti/login", data=login_of(own), environ_base=there)
        found.append(answer.status_code)
    assert found[-2:] == [302, 429]


def test_h64_a_school_behind_one_address_is_not_slowed_down(
    own: Bench, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logins that lead to launches cost nothing, however many there are."""
    monkeypatch.setattr(limits, "PER_MINUTE", 0.5)  # for this machine: five in a minute
    for _ in range(20):
        own.accepted(own.launch())


def test_h64_launches_of_a_flooded_address_pass_on(
    own: Bench, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only beginnings are counted: who has begun may finish."""
    browser = own.campus.browser(own.learner)
    form = own.form_of(browser)
    monkeypatch.setattr(limits, "PER_MINUTE", 0.5)
    url = f"{own.url}/lti/login"
    codes = [
        requests.post(url, login_of(own), allow_redirects=False, timeout=30).status_code
        for _ in range(9)
    ]
    assert codes[-1] == 429
    fields = {name: values[0] for name, values in form.fields.items()}
    own.accepted(own.post(browser, form.action, fields))


def test_h64_guessed_invitations_run_dry(own: Bench, later: Callable[[float], None]) -> None:
    client, found = own.world.app.test_client(use_cookies=False), []
    tables = own.tables()
    for number in range(limits.PER_MINUTE + 1):
        answer = client.get(f"/lti/register?invite=guess{number}", environ_base=STRANGER)
        found.append(answer.status_code)
    assert found[:-1] == [403] * limits.PER_MINUTE and found[-1] == 429
    assert own.tables() == tables


def test_h64_a_true_invitation_works_beside_a_flood(
    own: Bench, later: Callable[[float], None]
) -> None:
    client = own.world.app.test_client(use_cookies=False)
    for number in range(limits.PER_MINUTE + 5):
        client.get(f"/lti/register?invite=guess{number}", environ_base=STRANGER)
    answer = register(invitation(own, "late"), own.campus)
    assert answer.status_code == 200


def test_h64_a_flood_of_junk_does_not_fill_the_launch_log(
    own: Bench, later: Callable[[float], None]
) -> None:
    """Every refusal has its page and its line; its row in the database only at a sane pace."""
    client = own.world.app.test_client(use_cookies=False)

    def junk(address: str) -> int:
        own.lines.kept.clear()
        answer = client.post(
            "/lti/launch", data={"state": "x"}, environ_base={"REMOTE_ADDR": address}
        )
        assert (answer.status_code, answer.headers["X-LTI-Error"]) == (400, "malformed")
        assert len([line for line in own.lines.kept if "verdict=malformed" in line]) == 1
        return refusals()

    def refusals() -> int:
        with own.world.app.app_context():
            return db.session.scalar(
                db.select(db.func.count())
                .select_from(LaunchLog)
                .where(LaunchLog.verdict == "malformed")
            )

    counts = [junk("203.0.113.7") for _ in range(limits.PER_MINUTE + 20)]
    assert counts[0] == 1 and counts[-1] == limits.PER_MINUTE
    assert junk("203.0.113.8") == limits.PER_MINUTE + 1, "a neighbour's are still written"
    later(60)
    assert junk("203.0.113.7") == limits.PER_MINUTE + 2


def test_h64_an_address_that_a_stranger_claims_is_not_counted(
    own: Bench, later: Callable[[float], None]
) -> None:
    """No proxy stands in front: what a request says of its origin changes nothing."""
    client, found = own.world.app.test_client(use_cookies=False), []
    for number in range(limits.PER_MINUTE + 1):
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
        answer = client.post(
            "/lti/login", data=login_of(own), headers=headers, environ_base=STRANGER
        )
        found.append(answer.status_code)
    assert found[-2:] == [302, 429]


def test_h64_behind_a_proxy_its_own_word_counts(own: Bench) -> None:
    """What a stranger wrote before the proxy's own entry gives nobody a fresh purse."""
    before = own.world.services.config_file.current
    tool = before.tool.model_copy(update={"proxy_hops": 1})
    own.world.services.config_file.current = before.model_copy(update={"tool": tool})
    try:
        app = create_app(services=own.world.services)
    finally:
        own.world.services.config_file.current = before

    def login(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        client = app.test_client(use_cookies=False)
        return client.post("/lti/login", data=login_of(own), headers=headers).status_code

    app.extensions["passport_lti_limits"] = limits.Buckets(lambda: 0.0)
    with databases.left_by(app):
        found = [login(f"198.51.100.{n}, 203.0.113.7") for n in range(limits.PER_MINUTE + 1)]
        assert found[-2:] == [302, 429]
        assert login("203.0.113.7, 203.0.113.8") == 302
