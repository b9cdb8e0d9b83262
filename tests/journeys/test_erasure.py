"""Erasing a learner: nothing is left anywhere, and Coursera's reports bring nothing back."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

import databases
from passport_lti.extensions import db
from passport_lti.models import Activity, Context

CANARY = "Quetzalia"
EMAIL = "quetzalia.xochitl@canary.example"


@pytest.fixture
def story(world):
    """A learner with a launch, grades, a regrade, a held grade and a history, beside others."""
    learner = world.campus.add_person(CANARY, "Xochitl", email=EMAIL)
    world.campus.enrol(world.school.context, learner, "learner")
    account = world.coursera.add_person(EMAIL, EMAIL, learner.name)
    world.school.accounts[learner.id] = account
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.campus.browser(learner).launch(activity)
    for person in (learner, world.school.learners[0]):
        world.grade(person, "columns", "Averages", 50)
        world.grade(person, "columns", "Chance", 60)
    world.sync()
    world.campus.override(world.book.line_item("Chance"), learner, 11)
    world.grade(learner, "columns", "Averages", 70)
    world.grade(learner, "columns", "Chance", 80)
    world.sync()
    world.learner, world.activity = learner, activity
    return world


def found_in_rows(world, *words):
    """Tables and columns in which one of the words stands."""
    with databases.connected(world.environ["DEMO_DATABASE"]) as connection:
        return sorted(
            {
                (table, column)
                for table in inspect(connection).get_table_names()
                for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
                for column, value in row.items()
                if any(word.lower() in str(value).lower() for word in words)
            }
        )


def found_in_files(world, *words):
    """The files of the database and of the cache with one of the words in their bytes."""
    folder = Path(world.environ["DEMO_FOLDER"])
    return sorted(
        file.name
        for file in folder.rglob("*")
        if file.is_file() and any(w.lower().encode() in file.read_bytes().lower() for w in words)
    )


def replanned(world, *, roster=False):
    """A sync that plans all cells anew, as after any news in the course."""
    with world.app.app_context():
        db.session.execute(db.update(Activity).values(planned_digest=""))
        if not roster:
            # As if the list was read a moment ago: whoever is on it comes back by it.
            soon = world.services.clock() + timedelta(hours=1)
            db.session.execute(db.update(Context).values(roster_read_at=soon))
        db.session.commit()
    return world.sync()


def test_what_is_stored_of_a_person_is_in_two_tables_and_no_more(story):
    assert found_in_rows(story, CANARY, EMAIL) == [
        ("match", "external_id"),
        ("match", "name"),
        ("member", "email"),
        ("member", "external_id"),
        ("member", "given_name"),
        ("member", "known_as"),
        ("member", "name"),
    ]


def test_of_a_teacher_who_is_only_listed_nothing_but_the_id_is_stored(story):
    tina = story.campus.add_person("Tina", "Tlaloc", email="tina.tlaloc@canary.example")
    story.campus.enrol(story.school.context, tina, "instructor")
    replanned(story, roster=True)

    [member] = story.json("learner", "show", tina.id)["members"]
    assert (member["name"], member["email"], member["external_id"]) == ("", "", "")
    assert found_in_rows(story, "Tlaloc") == []


def test_after_erasing_no_row_and_no_byte_is_left(story):
    answer = story.command("learner", "erase", EMAIL)

    assert answer.returncode == 0
    for kind in ("changes", "cells", "matches", "memberships", "launches", "members"):
        assert kind in answer.stdout
    assert found_in_rows(story, CANARY, EMAIL) == []
    assert found_in_files(story, CANARY, EMAIL) == []
    assert not any(story.json("learner", "show", EMAIL).values())


def test_the_command_says_what_happens_next(story):
    said = story.command("learner", "erase", EMAIL).stdout

    for part in ("gradebook stay", "as a teacher's", "not stored again", "launches", "roster"):
        assert part in said


def test_coursera_goes_on_reporting_and_nothing_comes_back(story):
    story.command("learner", "erase", EMAIL)
    story.grade(story.learner, "columns", "Averages", 90)
    outcome = replanned(story)

    assert outcome.ok
    assert found_in_rows(story, CANARY, EMAIL) == []
    assert story.json("status")["unmatched_learners"] == []
    assert story.book["Averages", story.learner] == 70


def test_somebody_else_whom_nobody_matches_is_still_listed(story):
    story.command("learner", "erase", EMAIL)
    zoe = story.coursera.add_person("zoe@elsewhere.example", "zoe@elsewhere.example", "Zoe")
    story.coursera.grade(zoe, story.school.courses["columns"], "Averages", 70)
    replanned(story)

    assert [row["name"] for row in story.json("status")["unmatched_learners"]] == ["Zoe"]


def test_who_was_never_a_member_stays_forgotten_too(story):
    zoe = story.coursera.add_person("zoe@elsewhere.example", "zoe@elsewhere.example", "Zoe Zander")
    story.coursera.grade(zoe, story.school.courses["columns"], "Averages", 70)
    replanned(story)
    assert story.command("learner", "erase", "zoe@elsewhere.example").returncode == 0
    replanned(story)

    assert found_in_rows(story, "zoe@elsewhere.example", "Zander") == []


def test_who_is_still_on_the_roster_comes_back_with_it(story):
    story.command("learner", "erase", EMAIL)
    story.campus.ledger.clear()
    outcome = replanned(story, roster=True)

    assert outcome.ok and story.book["Averages", story.learner] == 70
    assert [row["email"] for row in story.json("learner", "show", EMAIL)["members"]] == [EMAIL]
    [held] = [c for c in story.cells() if c["state"] == "held"]
    assert held["reason"] == "overridden" and story.book["Chance", story.learner] == 11
    assert story.campus.ledger.scores == []


def test_who_launches_again_comes_back_by_it(story):
    story.command("learner", "erase", EMAIL)
    story.campus.browser(story.learner).launch(story.activity)
    story.grade(story.learner, "columns", "Case study", 90)
    replanned(story)

    assert story.book["Case study", story.learner] == 90
    assert len(story.json("learner", "show", EMAIL)["launches"]) == 1
