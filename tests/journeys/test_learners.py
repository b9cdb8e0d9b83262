"""What is stored of a person: shown whole, erased whole."""

import pytest
from sqlalchemy import text

import databases


@pytest.fixture
def graded(world):
    """Amy launched and has a grade; so has Ben."""
    [activity] = world.publish("final", "final_grade")
    for learner in world.school.learners[:2]:
        world.campus.browser(learner).launch(activity)
        world.grade(learner, "final", "Loops quiz", 50)
    world.sync()
    return activity


def everything(world):
    return str(databases.content(world.environ["DEMO_DATABASE"]))


def test_show_by_email_and_by_sub(world, graded):
    amy = world.school.learners[0]
    by_email = world.json("learner", "show", amy.email.upper())

    assert by_email == world.json("learner", "show", amy.id)
    [member] = by_email["members"]
    assert member["email"] == amy.email and member["platform"] == "campus"
    assert by_email["memberships"][0]["role"] == "learner"
    assert by_email["matches"][0]["by"] == "external_id"
    assert by_email["cells"][0]["delivered_given"] == 15
    assert len(by_email["launches"]) == 1
    assert "nonce" not in str(by_email)
    assert amy.email in world.command("learner", "show", amy.email).stdout


def test_erase_leaves_no_trace_but_the_platforms_grade(world, graded):
    amy, ben = world.school.learners[:2]

    answer = world.command("learner", "erase", amy.email)

    assert answer.returncode == 0 and "next roster" in answer.stdout
    assert not any(world.json("learner", "show", amy.email).values())
    assert amy.email not in everything(world) and amy.name not in everything(world)
    assert ben.email in everything(world)
    assert world.book["Python Basics", amy] == 15
    assert world.command("learner", "erase", amy.email).returncode == 1


def test_a_learner_whom_nobody_matches_is_found_and_erased_too(world, graded):
    zoe = world.coursera.add_person("zoe@elsewhere.example", "zoe@elsewhere.example", "Zoe Zander")
    world.coursera.grade(zoe, world.school.courses["final"], "Loops quiz", 70)
    world.sync()

    shown = world.json("learner", "show", "zoe@elsewhere.example")
    assert [row["name"] for row in shown["unmatched"]] == ["Zoe Zander"]
    assert world.command("learner", "erase", "zoe@elsewhere.example").returncode == 0
    assert "zander" not in everything(world).lower()


def test_nobody_is_erased_by_the_sub_of_two_platforms(world, graded):
    amy = world.school.learners[0]
    with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
        connection.execute(
            text(
                "INSERT INTO platform (name, issuer, client_id, auth_login_url, auth_token_url, "
                "key_set_url, source, state, settings, failures, created_at) "
                "SELECT 'other', 'https://o', 'c', auth_login_url, auth_token_url, key_set_url, "
                "source, state, settings, failures, created_at FROM platform"
            )
        )
        connection.execute(
            text(
                "INSERT INTO member (platform_id, sub, name, email, external_id, seen_at) "
                "SELECT (SELECT id FROM platform WHERE name = 'other'), sub, 'Other Amy', '', '', "
                "seen_at FROM member WHERE sub = :sub"
            ),
            {"sub": amy.id},
        )

    answer = world.command("learner", "erase", amy.id)
    assert answer.returncode == 2 and "campus, other" in answer.stderr

    assert world.command("learner", "erase", amy.id, "--platform", "other").returncode == 0
    assert [row["name"] for row in world.json("learner", "show", amy.id)["members"]] == [amy.name]
