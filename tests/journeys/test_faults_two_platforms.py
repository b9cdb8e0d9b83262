"""Two platforms: what happens to one of them is no concern of the other."""

import threading


def test_one_that_is_down_delays_nothing_of_the_other(world, other):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 70)
    world.campus.faults.add("*", status=503, times=None)

    first = world.sync()
    values = [other.campus.gradebook(other.context)["Averages", other.learners[0]]]
    world.campus.faults.clear()
    second = world.command("sync")

    assert not first.ok and values == [70]
    assert second.returncode == 0, second.stdout + second.stderr
    assert world.book["Averages", amy] == 70
    assert world.sync().summary["http_requests"]["platform"] == 0


def test_a_platform_filter_sends_to_nothing_else(world, other):
    amy = world.school.learners[0]
    assert world.sync().ok
    world.grade(amy, "columns", "Averages", 44)
    world.campus.ledger.clear()
    world.coursera.ledger.clear()

    assert world.command("sync", "--platform", "other").returncode == 0

    assert other.campus.gradebook(other.context)["Averages", other.learners[0]] == 44
    assert world.campus.ledger.requests == []
    assert world.coursera.count("gradebook") == 1
    assert world.sync().ok and world.book["Averages", amy] == 44


def test_two_tenants_with_the_same_sub_and_e_mail_never_meet(world, other):
    ours, theirs = world.school.learners[0], other.learners[0]
    assert (ours.id, ours.email) == (theirs.id, theirs.email)
    [mine] = world.publish("final", "final_grade")
    world.campus.browser(ours).launch(mine)
    world.grade(ours, "final", "Loops quiz", 50)
    world.grade(ours, "columns", "Averages", 61)
    world.campus.override(world.book.line_item("Everyday Statistics"), ours, 1)
    other.campus.ledger.clear()

    world.sync()

    held = [cell for cell in world.cells() if cell["reason"] == "overridden"]
    assert [cell["platform"] for cell in held] == ["campus"]
    assert world.book["Python Basics", ours] == 15
    theirs_book = other.campus.gradebook(other.context)
    assert theirs_book.columns.count("Python Basics") == 0
    assert theirs_book["Everyday Statistics", theirs] == 15.25
    assert {score.user_id for score in other.campus.ledger.scores} == {theirs.id}

    assert world.command("learner", "erase", ours.id, "--platform", "campus").returncode == 0
    left = world.json("status", "--platform", "other")["cells"]
    assert {cell["member"]["sub"] for cell in left} == {theirs.id}


def test_a_choice_on_one_platform_means_nothing_on_the_other(world, other):
    """The same sub, name and e-mail on both: each instructor decides for the own platform."""
    ours, theirs = world.school.learners[0], other.learners[0]
    account = world.school.accounts[ours.id]
    world.coursera.change_email(account, "amy@home.example")
    account.external_id = ""
    world.grade(ours, "columns", "Averages", 70)
    world.sync()

    browser = world.campus.browser(world.school.teacher)
    page = browser.launch(world.school.context.activities[0])
    page = browser.get(page.link("People"))
    forms = [f for f in page.forms if f.action.endswith("/confirm")]
    browser.submit(forms[0])
    for thread in threading.enumerate():
        if thread.name.startswith("sync-"):
            thread.join(60)
    world.sync()
    there = other.campus.browser(other.teacher)
    seen = there.launch(other.context.activities[0])
    seen = there.get(seen.link("People"))

    assert len(forms) == 2, "one pair, suggested from either side"
    assert world.book["Averages", ours] == 70
    assert other.campus.gradebook(other.context)["Averages", theirs] is None
    assert seen.text.count("This is Amy Adams") == 2 and "Ben Brown" not in seen.text
    states = {row["platform"]: row["by"] for row in world.json("status")["people"]
              if row["sub"] == ours.id}  # fmt: skip
    assert states == {"campus": "confirmed", "other": None}
