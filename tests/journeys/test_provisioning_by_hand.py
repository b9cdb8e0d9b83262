"""An instructor gives a learner whom Coursera does not know a place there, from the empty cell."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from passport_lti.extensions import db
from passport_lti.models import Member
from seats import asked, drain, holding, newcomer, rows, settle, wait_for
from worlds import World

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/roles"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
LABEL = {"invite": "Invite to Coursera", "enroll": "Enroll at Coursera"}
SAID = {"invite": "Invited to the program", "enroll": "Enrolled in the course"}


@pytest.fixture
def activity(world):
    [activity] = world.publish("columns", "granular_auto_columns", include_final="1")
    world.meet(activity)
    return activity


def story(world: World, activity, person, teacher=None):
    """The browser of the teacher, at the empty cell of somebody in the first column."""
    world.sync()
    browser = world.campus.browser(teacher or world.school.teacher)
    page = browser.launch(activity)
    row = page.text[page.text.index(f'<th scope="row">{person.name}') :]
    path = row.partition("/learners/")[2].partition("?")[0]
    [way] = [url for _, url in page.links if f"/learners/{path}?" in url]
    browser.get(way)
    return browser


@pytest.mark.parametrize("mode", ["invite", "enroll"])
def test_a_learner_who_never_launched_gets_a_place_by_a_button(world, activity, mode):
    settle(world, provisioning=mode)
    nora, program = newcomer(world), world.school.program
    browser = story(world, activity, nora)
    assert LABEL[mode] in browser.page.text and rows(world, nora) == []

    page = browser.submit(browser.page.form("/invite"))
    assert page.status == 200 and SAID[mode] in page.text
    there = world.coursera.find(nora.email)
    assert (there.external_id, there.name) == (nora.email, nora.name)
    assert ((program, there) in world.coursera.invitations) == (mode == "invite")
    assert world.coursera.is_member(there, program) == (mode == "enroll")
    assert world.coursera.mails == []
    with pytest.raises(LookupError):
        page.form("/invite")


def test_where_nothing_is_provisioned_the_setting_is_named(world, activity):
    nora = newcomer(world)
    page = story(world, activity, nora).page
    assert "<code>provisioning</code> is <code>none</code>" in page.text
    with pytest.raises(LookupError):
        page.form("/invite")


def test_a_form_that_was_open_when_it_was_switched_off_does_nothing(world, activity):
    settle(world, provisioning="invite")
    nora = newcomer(world)
    browser = story(world, activity, nora)
    settle(world, provisioning="none")
    page = browser.submit(browser.page.form("/invite"))
    assert "<code>none</code>" in page.text
    assert rows(world, nora) == [] and world.coursera.find(nora.email) is None


def test_two_hands_at_once_ask_coursera_once(world, activity):
    settle(world, provisioning="enroll")
    nora = newcomer(world)
    browsers = [story(world, activity, nora) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        pages = list(pool.map(lambda b: b.submit(b.page.form("/invite")), browsers))
    assert [page.status for page in pages] == [200] * 3
    assert wait_for(lambda: {state for _, state, _ in rows(world, nora)} == {"done"})
    assert [step for step, *_ in rows(world, nora)] == ["join", "enroll"]
    assert asked(world, "memberships") == 1


def test_a_slow_coursera_keeps_nobody_waiting_and_the_wish_stays(world, activity):
    settle(world, provisioning="invite")
    nora = newcomer(world)
    browser = story(world, activity, nora)
    with holding(world, "invitations"):
        page = browser.submit(browser.page.form("/invite"))
        assert "this is done by itself" in page.text
        assert [state for _, state, _ in rows(world, nora)] == ["due"]
    assert wait_for(lambda: rows(world, nora) == [("invite", "done", "created")])


def test_what_coursera_refused_is_tried_again_at_once(world, activity):
    settle(world, provisioning="invite")
    nora = newcomer(world)
    browser = story(world, activity, nora)
    refusal = {"status": 400, "body": '{"errorCode":"SOMETHING_NEW"}'}
    world.coursera.faults.add("invitations", times=1, **refusal)
    page = browser.submit(browser.page.form("/invite"))
    assert "coursera_bad_request" in page.text
    page = browser.submit(page.form("/invite"))
    assert SAID["invite"] in page.text and "coursera_bad_request" not in page.text


def test_without_an_address_the_story_says_what_is_missing(world, activity):
    settle(world, provisioning="invite", identity={"external_id": "sub"})
    nora = newcomer(world, email="")
    nora.email = ""
    browser = story(world, activity, nora)
    page = browser.submit(browser.page.form("/invite"))
    assert "no_email" in page.text and rows(world, nora) == [("invite", "held", "no_email")]


def test_who_also_teaches_takes_no_seat(world, activity):
    """A teacher whom the roster calls a learner by now, or who launched as one for a look."""
    settle(world, provisioning="enroll")
    tutor = world.campus.add_person("Tom", "Tutor")
    world.campus.enrol(world.school.context, tutor, "instructor")
    world.campus.browser(tutor).launch(activity)
    nora = newcomer(world)
    browser = story(world, activity, nora)
    mine = browser.page.form("/invite")
    with world.app.app_context():
        ids = {m.sub: m.id for m in db.session.scalars(db.select(Member))}
    action = mine.action.replace(f"/learners/{ids[nora.id]}/", f"/learners/{ids[tutor.id]}/")
    answer = browser.post(action, {"session": mine.value("session")})
    assert answer.status == 404

    # "Switch role to student": the launch says learner, and the roster is not read yet.
    world.campus.on_id_token = lambda header, claims, key: (header, {**claims, CLAIM: [LEARNER]})
    world.campus.browser(tutor).launch(activity)
    world.campus.on_id_token = None
    page = browser.post(action, {"session": mine.value("session")})
    assert page.status == 200 and "takes no place at Coursera" in page.text
    drain(world)
    assert rows(world) == [] and world.coursera.find(tutor.email) is None


def test_the_button_is_for_this_activitys_instructor_alone(world, activity):
    settle(world, provisioning="enroll")
    [other] = world.publish("final", "final_grade")
    nora = newcomer(world)
    form = story(world, activity, nora).page.form("/invite")
    browser = world.campus.browser(world.school.teacher)
    elsewhere = browser.launch(other).form("/sync").value("session")
    for session in (elsewhere, "", form.value("session") + "x"):
        assert browser.post(form.action, {"session": session}).status == 403
    assert rows(world) == []
