"""A learner's first launch gives them a place at Coursera, in each of the three modes."""

import itertools
import logging
import threading

import pytest

import seats
from seats import asked, counted, drain, holding, launch, newcomer, rows, settle

MODES = ("none", "invite", "enroll")
DONE = {
    "none": [],
    "invite": [("invite", "done", "created")],
    "enroll": [("join", "done", "created"), ("enroll", "done", "created")],
}


@pytest.fixture
def linked(world):
    """Option A with an activity for one item."""
    item = world.school.courses["linked"].items[0]
    [activity] = world.publish("linked", "granular_deep_linked", item=[item.id])
    world.meet(activity)
    return activity, item


def person_at(world, learner):
    return world.coursera.find(learner.email)


@pytest.mark.parametrize("mode", MODES)
def test_somebody_new_launches_twice(world, linked, mode):
    activity, _ = linked
    settle(world, provisioning=mode)
    nora, program = newcomer(world), world.school.program
    for _ in range(2):
        launch(world, nora, activity)

    assert rows(world, nora) == DONE[mode]
    there = person_at(world, nora)
    assert (there is not None) == (mode != "none")
    if there is not None:
        assert (there.external_id, there.name) == (nora.email, nora.name)
        assert ((program, there) in world.coursera.invitations) == (mode == "invite")
        assert world.coursera.is_member(there, program) == (mode == "enroll")
        enrolled = world.coursera.enrollments(program, world.school.courses["linked"], there)
        assert len(enrolled) == (mode == "enroll")
    assert world.coursera.mails == []
    assert asked(world, "invitations") + asked(world, "memberships") == (mode != "none")


@pytest.mark.parametrize("mode", ["invite", "enroll"])
def test_whoever_is_there_already_is_done(world, linked, mode):
    """However Coursera says so: with a code and 400 or 409, or in words."""
    activity, _ = linked
    settle(world, provisioning=mode)
    coursera, program, course = world.coursera, world.school.program, world.school.courses["linked"]
    cases = itertools.product(("code", "conflict", "text"), ("invited", "member", "enrolled"))
    for number, (refusal, before) in enumerate(cases):
        coursera.traps.refusal = refusal
        learner = newcomer(world, f"Learner{number}")
        account = coursera.add_person(learner.email, learner.email, learner.name)
        if before == "invited":
            coursera.invitations[program, account] = coursera.now()
        elif before == "member":
            coursera.join(account, program)
        else:
            coursera.enrol(account, course)
        launch(world, learner, activity)

        assert {state for _, state, _ in rows(world, learner)} == {"done"}, (refusal, before)
        outcomes = {step: outcome for step, _, outcome in rows(world, learner)}
        if mode == "enroll":
            assert outcomes["join"] == ("created" if before == "invited" else "existed")
            assert outcomes["enroll"] == ("existed" if before == "enrolled" else "created")
            assert coursera.enrollments(program, course, account)
        else:
            assert outcomes == {"invite": "existed"}


def test_who_is_known_by_another_name_keeps_it_and_is_enrolled_by_it(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll", identity={"external_id": "sub"})
    ben, course = world.school.learners[1], world.school.courses["linked"]
    account = world.school.accounts[ben.id]
    account.external_id = "S-100"
    world.coursera.name_person(account, "S-100")
    world.coursera.join(account, world.school.program)
    launch(world, ben, activity)

    assert rows(world, ben) == [("join", "done", "existed"), ("enroll", "done", "created")]
    assert [e.person for e in world.coursera.enrollments(course=course)] == [account]
    world.coursera.change_email(account, "ben@home.example")
    world.grade(ben, "linked", "Reading charts", 70)
    assert world.sync().ok and world.book[activity.title, ben] == 70


def test_what_coursera_answers_to_call_somebody_is_remembered(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll", identity={"external_id": "sub"})
    ben = world.school.learners[1]
    world.coursera.name_person(world.school.accounts[ben.id], "S-100")
    launch(world, ben, activity)

    [member] = world.json("learner", "show", ben.id)["members"]
    assert (member["known_as"], member["external_id"]) == ("S-100", ben.id)


def test_a_second_course_of_the_program_takes_no_second_seat(world, linked):
    activity, _ = linked
    [other] = world.publish("final", "final_grade")
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    launch(world, nora, activity)
    launch(world, nora, other)

    assert [step for step, state, _ in rows(world, nora)] == ["join", "enroll", "enroll"]
    assert {state for _, state, _ in rows(world, nora)} == {"done"}
    assert asked(world, "memberships") == 1
    found = counted(world)
    assert (found.members, found.enrollments, found.waiting) == (1, 2, 0)


TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/roles"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
NO_LEARNERS = {
    "test user": [LEARNER, TEST_USER],
    "switched administrator": [LEARNER, ADMINISTRATOR],
    "instructor too": [LEARNER, "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"],
    "mentor": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"],
    "observer": ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Observer"],
    "no role": [],
}


@pytest.mark.parametrize("mode", ["invite", "enroll"])
def test_nobody_but_learners_takes_a_seat(world, linked, mode):
    activity, _ = linked
    settle(world, provisioning=mode)
    for number, (who, roles) in enumerate(NO_LEARNERS.items()):
        person = newcomer(world, f"Person{number}")
        world.campus.on_id_token = lambda header, claims, key, roles=roles: (
            header, {**claims, CLAIM: roles},
        )  # fmt: skip
        browser = world.campus.browser(person)
        page = browser.launch(activity)
        for way in {url for _, url in page.links if "/go/" in url}:
            assert browser.get(way).url.startswith(world.coursera.url)

        assert rows(world) == [] and person_at(world, person) is None, who


@pytest.mark.parametrize("mode", ["invite", "enroll"])
@pytest.mark.parametrize("known_by", ["roster", "launch"])
def test_a_teacher_who_looks_as_a_learner_takes_no_seat(world, linked, mode, known_by):
    activity, _ = linked
    settle(world, provisioning=mode)
    teacher = world.campus.add_person("Tom", "Tutor")
    world.campus.enrol(world.school.context, teacher, "instructor")
    if known_by == "roster":
        world.sync()
    else:
        world.campus.browser(teacher).launch(activity)
    # Moodle's "switch role to student" says nothing but that he is a learner.
    world.campus.on_id_token = lambda header, claims, key: (header, {**claims, CLAIM: [LEARNER]})
    for _ in range(2):
        launch(world, teacher, activity)

    assert rows(world) == [] and person_at(world, teacher) is None


def test_a_teacher_who_opens_the_course_from_the_instructors_page_takes_no_seat(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll")
    browser = world.campus.browser(world.school.teacher)
    page = browser.launch(activity)
    [way] = {url for text, url in page.links if "/go/" in url}
    assert browser.get(way).url.startswith(world.coursera.url)

    assert rows(world) == []


FAILURES = {
    "down": ({"status": 503}, "due", "coursera_down"),
    "page of a gateway": ({"status": 502, "body": "<html>"}, "due", "coursera_down"),
    "hangs up": ({"drop": True}, "due", "coursera_down"),
    "no JSON": ({"truncate": True}, "due", "coursera_malformed"),
    "too fast": (
        {"status": 429, "headers": {"Retry-After": "120"}}, "due", "coursera_rate_limited"
    ),
    "not entitled": ({"status": 403}, "due", "coursera_forbidden"),
    "wrong key": ({"status": 401}, "due", "coursera_refused"),
    "refused": (
        {"status": 400, "body": '{"errorCode":"SOMETHING_NEW"}'}, "rejected",
        "coursera_bad_request",
    ),
    "no such program": ({"status": 404}, "rejected", "coursera_gone"),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["invite", "enroll"])
def test_a_failure_blocks_nobody_is_said_and_is_made_good(world, linked, mode, caplog):
    activity, _ = linked
    settle(world, provisioning=mode)
    first = {"invite": "invitations", "enroll": "memberships"}[mode]
    teacher = world.campus.browser(world.school.teacher)
    for number, (what, (fault, state, reason)) in enumerate(FAILURES.items()):
        learner = newcomer(world, f"Learner{number}")
        world.coursera.faults.add(first, times=None, **fault)
        with caplog.at_level(logging.INFO, "passport_lti"):
            launch(world, learner, activity)

        assert rows(world, learner)[0][1:] == (state, reason), what
        assert reason in caplog.text
        assert learner.email not in caplog.text and learner.name not in caplog.text
        page = teacher.launch(activity)
        address = next(url for _, url in page.links if url.split("?")[0].endswith("/people"))
        page = teacher.get(address)
        assert learner.name in page.text and reason in page.text, what
        world.coursera.faults.clear()
        if state == "due":
            drain(world, hours=2)
            assert {state for _, state, _ in rows(world, learner)} == {"done"}, what
        else:
            launch(world, learner, activity)
            assert rows(world, learner)[0][1] == "rejected", what


def test_what_was_refused_is_tried_again_by_a_later_launch(world, linked, monkeypatch):
    activity, _ = linked
    settle(world, provisioning="enroll")
    nora, program = newcomer(world), world.school.program
    program.seats = 0
    launch(world, nora, activity)
    assert rows(world, nora) == [
        ("join", "rejected", "coursera_bad_request"), ("enroll", "rejected", "not_joined"),
    ]  # fmt: skip
    assert counted(world).problems == {"coursera_bad_request": 1}
    program.seats = 1
    monkeypatch.setattr("passport_lti.sync.seats.wishes.AGAIN", type(seats.wishes.AGAIN)(0))
    launch(world, nora, activity)

    assert rows(world, nora) == DONE["enroll"]
    assert world.coursera.seats_taken(program) == 1


@pytest.mark.parametrize("mode", ["invite", "enroll"])
def test_coursera_that_hangs_holds_no_launch(world, linked, mode):
    """The request is not answered before the learner is there: nothing here waits for a time."""
    activity, _ = linked
    settle(world, provisioning=mode)
    nora = newcomer(world)
    with holding(world, "POST /ent/api") as released:
        launch(world, nora, activity)
        assert not released.is_set()
        assert {state for _, state, _ in rows(world, nora)} == {"due"}
    seats.finish(world)

    assert {state for _, state, _ in rows(world, nora)} == {"done"}
    assert rows(world, nora) == DONE[mode]


def test_where_coursera_does_not_answer_the_next_learners_are_not_held_at_all(world, linked):
    activity, _ = linked
    settle(world, provisioning="invite")
    world.coursera.faults.add("invitations", status=503, times=None)
    first, *others = [newcomer(world, name) for name in ("Nora", "Nils", "Nina")]
    for learner in (first, *others):
        launch(world, learner, activity)
    calls = [entry for entry in world.coursera.ledger if entry.kind == "invitations"]

    assert len(calls) == 1
    assert [state for _, state, _ in rows(world)] == ["due"] * 3
    world.coursera.faults.clear()
    drain(world, minutes=5)
    assert [state for _, state, _ in rows(world)] == ["done"] * 3


def test_two_launches_at_once_make_one_invitation(world, linked):
    activity, _ = linked
    settle(world, provisioning="invite")
    nora = newcomer(world)
    browsers = [world.campus.browser(nora) for _ in range(4)]
    together = threading.Barrier(len(browsers))
    pages = []

    def go(browser):
        together.wait()
        pages.append(browser.launch(activity))

    threads = [threading.Thread(target=go, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seats.finish(world)

    assert [page.url.startswith(world.coursera.url) for page in pages] == [True] * 4
    assert rows(world, nora) == DONE["invite"]
    assert [e.status for e in world.coursera.ledger if e.kind == "invitations"] == [200]


def test_two_first_launches_of_two_courses_at_once_enrol_in_both(world, linked):
    activity, _ = linked
    [other] = world.publish("final", "final_grade")
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    threads = [
        threading.Thread(target=world.campus.browser(nora).launch, args=(one,))
        for one in (activity, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seats.finish(world)
    drain(world, minutes=1)

    assert sorted(rows(world, nora)) == sorted([*DONE["enroll"], ("enroll", "done", "created")])
    assert asked(world, "memberships") == 1


def test_an_answer_that_is_lost_is_asked_for_again(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    world.coursera.faults.add("memberships", lose=True)
    world.coursera.faults.add("programEnrollments", lose=True)
    launch(world, nora, activity)
    drain(world, hours=1)
    drain(world, hours=3)

    assert rows(world, nora) == [("join", "done", "existed"), ("enroll", "done", "existed")]
    assert world.coursera.seats_taken(world.school.program) == 1


def test_what_a_process_left_is_done_by_another_one(world, linked):
    """The web process ends with everything undone; `passport-lti scheduler` goes on."""
    activity, _ = linked
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    world.services.ending.set()
    launch(world, nora, activity)
    assert {state for _, state, _ in rows(world, nora)} == {"due"}

    with seats.running(world, "scheduler"):
        assert seats.wait_for(lambda: rows(world, nora) == DONE["enroll"])


@pytest.mark.parametrize("change", ["mode", "platform", "enrolment"])
def test_what_is_wanted_no_more_is_not_done_later(world, linked, change):
    activity, _ = linked
    settle(world, provisioning="invite")
    nora = newcomer(world)
    world.coursera.faults.add("invitations", status=503, times=None)
    launch(world, nora, activity)
    world.coursera.faults.clear()
    if change == "mode":
        settle(world, provisioning="none")
    elif change == "platform":
        assert world.command("platform", "remove", "campus").returncode == 0
    else:
        world.campus.unenrol(world.school.context, nora)
        world.meet(activity)
        seats.read_roster(world)
    drain(world, hours=2)

    expected = "not_enrolled" if change == "enrolment" else "switched_off"
    assert rows(world, nora) == [("invite", "rejected", expected)]
    assert person_at(world, nora) is None


@pytest.mark.parametrize(
    ("hidden", "kind", "reason"),
    [
        ("share_email", "email", "no_external_id"),
        ("share_email", "sub", "no_email"),
        ("share_name", "username", "no_external_id"),
        ("idnumber", "sourcedid", "no_external_id"),
    ],
)
def test_what_the_platform_hides_is_said_and_mended_by_the_next_launch(
    world, linked, hidden, kind, reason
):
    activity, _ = linked
    settle(world, provisioning="invite", identity={"external_id": kind})
    nora = newcomer(world)
    if hidden != "idnumber":
        # The registration also asked for the user name as a parameter of its own.
        world.tool.custom = ""
        setattr(world.tool, hidden, False)
    launch(world, nora, activity)
    assert rows(world, nora) == [("invite", "held", reason)]
    assert counted(world).problems == {reason: 1}
    said = world.command("doctor").stdout
    assert reason in said

    world.tool.share_email = world.tool.share_name = True
    nora.idnumber = "S-77"
    launch(world, nora, activity)
    assert rows(world, nora) == DONE["invite"]


def test_the_numbers_of_two_moodles_are_not_taken_for_one_person(world, linked):
    activity, _ = linked
    settle(world, provisioning="invite", identity={"external_id": "sub"})
    nora = newcomer(world)
    launch(world, nora, activity)
    with seats.second_campus(world) as other:
        twin, there = other.learner(nora.id)
        settle(world, "other", provisioning="invite", identity={"external_id": "sub"})
        launch_there = other.campus.browser(twin).launch(there)
        assert launch_there.url.startswith(world.coursera.url)
        assert twin.id == nora.id
        assert rows(world) == [*DONE["invite"], ("invite", "held", "id_shared")]
        said = world.command("doctor").stdout
    assert "identity.external_id" in said and "id_shared" in said


def test_seats_are_counted_for_the_administrator(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll")
    program = world.school.program
    world.coursera.join(world.school.accounts[world.school.learners[0].id], program)
    program.seats = 2
    for learner in (world.school.learners[0], newcomer(world, "Nora"), newcomer(world, "Nils")):
        launch(world, learner, activity)
    found = counted(world)

    assert (found.program, found.members, found.before) == (program.name, 2, 1)
    assert found.problems == {"coursera_bad_request": 1}
    [line] = [line for line in world.command("doctor").stdout.splitlines() if program.name in line]
    assert "2 members, 2 enrollments by launches (1 were there before)" in line
    assert "1 coursera_bad_request" in line and "no seat left" in line


def test_erasing_a_learner_takes_the_record_and_says_what_stays(world, linked):
    activity, _ = linked
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    launch(world, nora, activity)
    shown = world.json("learner", "show", nora.email)["provisions"]
    assert [(row["step"], row["state"]) for row in shown] == [("join", "done"), ("enroll", "done")]

    said = world.command("learner", "erase", nora.email)
    assert said.returncode == 0 and "provisions" in said.stdout
    assert "membership" in said.stdout and "seat" in said.stdout
    assert rows(world) == []
    assert world.coursera.is_member(person_at(world, nora), world.school.program)
