"""What a launch leaves behind: all of its news, and nothing but its log entry where it has none."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, inspect, select

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.lti.claims import AGS, NRPS
from passport_lti.models import (
    Activity,
    Context,
    LaunchLog,
    Member,
    Membership,
    ResourceLink,
)

ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SERVICES = "https://campus.example"
CUSTOM = {"coursera_program": "p1", "coursera_course": "c1", "strategy": "final_grade"}
SAID: dict[str, Any] = {
    "given_name": "Amy",
    "family_name": "Ant",
    "custom": {**CUSTOM, "context_history": "1"},
    "lis": {"person_sourcedid": "s-4"},
}


@pytest.fixture
def known(world):
    """A world in which the launch has been here before, so that it is no news any more."""
    for _ in range(2):
        arrive(world)
    return world


def arrive(world, **changes):
    """A launch with some claims changed, stored."""
    verified = world.launch(**{**service_claims(), **SAID, **changes})
    return world.accept(verified)


def service_claims(items: str = "items", roster: str = "roster", scope: str = "scope"):
    return {
        "ags": {"scope": [scope], "lineitems": f"{SERVICES}/{items}", "lineitem": f"{SERVICES}/1"},
        "nrps": {"context_memberships_url": f"{SERVICES}/{roster}"},
    }


@pytest.fixture(autouse=True)
def full_names(world, monkeypatch):
    """Claims that are not in the LTI namespace get their names here."""
    plain = type(world).claims

    def claims(self, issued, **changes):
        outer = {AGS: changes.pop("ags", None), NRPS: changes.pop("nrps", None)}
        more = {k: changes.pop(k) for k in ("given_name", "family_name") if k in changes}
        return {**plain(self, issued, **changes), **more, **{k: v for k, v in outer.items() if v}}

    monkeypatch.setattr(type(world), "claims", claims)


def content(*without: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables that a launch may touch."""
    db.session.expire_all()
    return {
        model.__tablename__: [
            tuple(getattr(row, c.key) for c in inspect(model).columns if c.key not in without)
            for row in db.session.scalars(select(model).order_by(model.id))
        ]
        for model in (Member, Membership, Context, ResourceLink, Activity)
    }


NEWS: dict[str, tuple[dict[str, Any], type, str, Any]] = {
    "name": ({"name": "Amy Bee"}, Member, "name", "Amy Bee"),
    "family name": ({"family_name": "Bee"}, Member, "family_name", "Bee"),
    "e-mail": ({"email": "bee@example.edu"}, Member, "email", "bee@example.edu"),
    "external id": ({"email": "bee@example.edu"}, Member, "external_id", "bee@example.edu"),
    "role": ({"roles": [ROLE + "Instructor"]}, Membership, "role", "instructor"),
    "label": ({"context": {"id": "2", "label": "D2"}}, Context, "label", "D2"),
    "title": ({"context": {"id": "2", "title": "Other"}}, Context, "title", "Other"),
    "history": ({"custom": {**CUSTOM, "context_history": "9,1"}}, Context, "history", "9,1"),
    "line items": (service_claims(items="new"), Context, "line_items_url", f"{SERVICES}/new"),
    "scopes": (service_claims(scope="more"), Context, "ags_scopes", "more"),
    "roster": (service_claims(roster="new"), Context, "memberships_url", f"{SERVICES}/new"),
    "link": ({"resource_link": {"id": "7", "title": "New"}}, ResourceLink, "title", "New"),
    "title of activity": ({"resource_link": {"id": "7", "title": "New"}}, Activity, "title", "New"),
    "column": ({"ags": {"scope": []}}, ResourceLink, "line_item_url", None),
    "course": ({"custom": {**CUSTOM, "coursera_course": "c2"}}, Activity, "course_id", "c2"),
}


@pytest.mark.parametrize("case", NEWS)
def test_news_is_stored(known, case):
    changes, model, column, value = NEWS[case]
    assert db.session.scalars(select(getattr(model, column))).one() != value
    arrive(known, **changes)
    assert db.session.scalars(select(getattr(model, column))).one() == value


def test_a_launch_without_news_writes_its_entry_alone(known):
    before = content("launched_at")
    accepted = arrive(known)
    entry = db.session.get_one(LaunchLog, accepted.id)
    assert (entry.verdict, entry.role, entry.proven) == ("ok", "learner", True)
    assert entry.member_fk and entry.context_fk and entry.activity_fk == accepted.activity_fk
    assert content("launched_at") == before


def test_what_privacy_settings_hide_is_no_news(known):
    before = content("launched_at")
    arrive(known, name=None, email=None, given_name=None, family_name=None)
    assert content("launched_at") == before


def test_a_launch_without_news_is_two_statements(known):
    verified = known.launch(**{**service_claims(), **SAID})
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement.split()[0])

    event.listen(db.engine, "before_cursor_execute", note)
    known.accept(verified)
    event.remove(db.engine, "before_cursor_execute", note)
    assert said == ["SELECT", "INSERT"]


def test_a_launch_holds_one_connection_at_a_time(world):
    """Or a class that arrives at once could wait for itself."""
    held: list[object] = []
    most: list[int] = []

    def out(connection: Any, *_: Any) -> None:
        held.append(connection)
        most.append(len(held))

    def back(connection: Any, *_: Any) -> None:
        held.remove(connection)

    db.session.remove()
    event.listen(db.engine, "checkout", out)
    event.listen(db.engine, "checkin", back)
    for changes in ({}, {}, {"name": "Amy Bee"}):
        arrive(world, **changes)
        db.session.remove()
    event.remove(db.engine, "checkout", out)
    event.remove(db.engine, "checkin", back)
    assert max(most) == 1 and not held and len(most) >= 6


def test_a_launch_without_news_counts_once(known):
    twice = [known.launch(**{**service_claims(), **SAID})] * 2
    known.accept(twice[0])
    with pytest.raises(LaunchRefused) as caught:
        known.accept(twice[1])
    assert caught.value.code == "nonce_reused"
    assert db.session.query(LaunchLog).count() == 3


def test_a_link_is_known_as_launched_after_its_columns_were_read(known):
    """Only then are they read again: see `sync.columns.differences`."""
    launched = select(ResourceLink.launched_at)
    first = db.session.scalars(launched).one()
    known.clock.ahead = timedelta(seconds=10)
    arrive(known)
    assert db.session.scalars(launched).one() == first, "a class does not queue for one row"
    db.session.scalars(select(Context)).one().line_items_read_at = known.clock()
    db.session.commit()
    known.clock.ahead = timedelta(seconds=20)
    arrive(known)
    second = db.session.scalars(launched).one()
    assert second > first
    known.clock.ahead = timedelta(seconds=90)
    arrive(known)
    assert db.session.scalars(launched).one() > second


def test_a_person_is_seen_again_after_a_week(known):
    before = db.session.scalars(select(Member.seen_at)).one()
    known.clock.ahead = timedelta(days=8)
    arrive(known, iat=timedelta(days=8), exp=timedelta(days=8, seconds=60))
    assert db.session.scalars(select(Member.seen_at)).one() > before + timedelta(days=7)


def test_who_left_is_back(known):
    db.session.scalars(select(Membership)).one().state = "gone"
    db.session.commit()
    arrive(known)
    assert db.session.scalars(select(Membership.state)).one() == "active"


def test_an_activity_that_was_retired_stands_again(known):
    db.session.scalars(select(Activity)).one().state = "retired"
    db.session.commit()
    arrive(known)
    assert db.session.scalars(select(Activity.state)).one() == "standing"


def test_who_taught_here_takes_no_seat_as_a_learner(known):
    arrive(known, roles=[ROLE + "Instructor"])
    for _ in range(2):
        accepted = arrive(known)
        assert db.session.get_one(LaunchLog, accepted.id).seatless == "teaches"
