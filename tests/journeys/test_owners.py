"""Every grade finds its owner: by what Coursera was told, whatever else it or Moodle changes.

Each kind of external id, with and without an invitation, through launches and real syncs. The
account at Coursera has a private address, or the person's address at Moodle changes, or everything
is spelled in another case, or all of it at once.
"""

import itertools

import pytest

from seats import launch, newcomer, read_roster, settle

KINDS = ("email", "sourcedid", "username", "sub")
CHANGES = ("private", "changed", "mixed")
COMBINATIONS = [names for number in range(4) for names in itertools.combinations(CHANGES, number)]


@pytest.fixture
def activity(world):
    [made] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(made)
    return made


def external_id(kind, person):
    return {
        "email": person.email, "sourcedid": person.idnumber, "username": person.username,
        "sub": person.id,
    }[kind]  # fmt: skip


def account_of(world, kind, person):
    """The person's account as the organisation's own sign-on has made it, without our doing."""
    found = world.coursera.find(external_id(kind, person)) or world.coursera.find(person.email)
    if found is None:
        found = world.coursera.add_person(external_id(kind, person), person.email, person.name)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["none", "invite", "enroll"])
def test_a_grade_finds_its_owner_in_every_combination(world, activity, kind, mode):
    """One world for all combinations of changes: each has a learner of its own."""
    settle(world, provisioning=mode, identity={"external_id": kind})
    world.coursera.traps.mixed_case = False
    learners = {}
    for number, changes in enumerate(COMBINATIONS):
        person = newcomer(
            world, f"Learner{number}", idnumber=f"Id-{number}X", username=f"user{number}",
            email=f"Person{number}@Campus.example",
        )  # fmt: skip
        launch(world, person, activity)
        account = account_of(world, kind, person)
        learners[changes] = person, account
        if "private" in changes:
            world.coursera.change_email(account, f"private{number}@home.example")
        if "mixed" in changes:
            account.external_id = account.external_id.swapcase()
            account.email = account.email.swapcase()
        if "changed" in changes:
            person.email = f"other{number}@campus.example"
            launch(world, person, activity)
    course = world.school.courses["columns"]
    for number, (_, account) in enumerate(learners.values()):
        world.coursera.grade(account, course, "Averages", 50 + number)
    read_roster(world)

    assert world.sync().ok
    found = {changes: world.book["Averages", person] for changes, (person, _) in learners.items()}
    assert found == {changes: 50 + number for number, changes in enumerate(COMBINATIONS)}
    people = {person.external_id for person in world.coursera.people.values()}
    assert len(people) == len(world.school.learners) + len(COMBINATIONS)
    assert world.json("status")["unmatched_learners"] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("match_by", [["external_id"], ["email"], ["email", "external_id"]])
def test_what_coursera_was_told_comes_before_any_rule(world, activity, kind, match_by):
    settle(world, provisioning="invite", identity={"external_id": kind, "match_by": match_by})
    nora = newcomer(world, idnumber="S-1")
    launch(world, nora, activity)
    account = account_of(world, kind, nora)
    world.coursera.change_email(account, "private@home.example")
    nora.email = "married@campus.example"
    launch(world, nora, activity)
    world.coursera.grade(account, world.school.courses["columns"], "Averages", 61)

    assert world.sync().ok
    assert world.book["Averages", nora] == 61
    [state] = [p for p in world.json("status")["people"] if p["sub"] == nora.id]
    assert (state["state"], state["by"]) == ("matched", "external_id")


def test_an_address_that_was_given_to_somebody_else_is_left_to_a_person(world, activity):
    """The old Nora is known by it at Coursera, the new one has it at Moodle: never a guess."""
    settle(world, provisioning="invite")
    nora = newcomer(world)
    launch(world, nora, activity)
    address, nora.email = nora.email, "left@campus.example"
    launch(world, nora, activity)
    heir = world.campus.add_person("Nora", "Nextone", email=address)
    world.campus.enrol(world.school.context, heir, "learner")
    read_roster(world)
    world.coursera.grade(
        world.coursera.find(address), world.school.courses["columns"], "Averages", 61
    )

    assert world.sync().ok
    states = {p["sub"]: p["state"] for p in world.json("status")["people"]}
    assert (states[nora.id], states[heir.id]) == ("ambiguous", "ambiguous")
    assert world.book["Averages", nora] is None and world.book["Averages", heir] is None


def test_a_changed_setting_makes_nobody_a_second_person(world, activity):
    settle(world, provisioning="invite")
    nora = newcomer(world, idnumber="S-1")
    launch(world, nora, activity)
    settle(world, provisioning="enroll", identity={"external_id": "sourcedid"})
    launch(world, nora, activity)
    before = {person.external_id for person in world.coursera.people.values()}

    assert "S-1" not in before and nora.email in before
    assert len(world.coursera.enrollments(course=world.school.courses["columns"])) == 1


def test_somebody_matched_before_is_told_by_the_name_they_have_there(world, activity):
    """A Coursera account with an id of its own, matched by e-mail, before anybody was invited."""
    ben = world.school.learners[1]
    account = world.school.accounts[ben.id]
    world.coursera.name_person(account, "S-100")
    world.grade(ben, "columns", "Averages", 40)
    world.sync()
    settle(world, provisioning="enroll", identity={"external_id": "sub"})
    world.coursera.change_email(account, "ben@home.example")
    launch(world, ben, activity)
    ben.email = "benjamin@campus.example"
    launch(world, ben, activity)
    world.grade(ben, "columns", "Averages", 90)

    assert world.sync().ok and world.book["Averages", ben] == 90
    assert world.json("learner", "show", ben.id)["members"][0]["known_as"] == "S-100"
