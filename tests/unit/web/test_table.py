"""The instructor's table: who is shown, in which order; what becomes of it as a file."""

import csv
import io
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import requests

from passport_lti.extensions import db
from passport_lti.models import Activity, Cell, LineItem, Member, Provision
from passport_lti.web.export import guarded

GRADES = {"Amy": (80, 90), "Ben": (95, None), "Chloe": (None, 40), "Dan": (10, 20)}


@pytest.fixture
def browser(world: Any) -> Any:
    """The teacher at the table of a synced option B; Eve has not begun."""
    [made] = world.school.publish(
        world.tool, course="columns", strategy="granular_auto_columns", include_final="0"
    )
    course = world.school.courses["columns"]
    for learner, grades in zip(world.school.learners, GRADES.values(), strict=False):
        for item, grade in zip(course.items, grades, strict=False):
            if grade is not None:
                world.coursera.grade(world.school.accounts[learner.id], course, item.id, grade)
    browser = world.campus.browser(world.school.teacher)
    page = browser.launch(made)
    browser.submit(page.form("/sync"))
    return browser


def shown(page: Any) -> list[str]:
    """Given names in the order of the table."""
    heads = page.text.split('<th scope="row">')[1:]
    return [head.split()[0] for head in heads]


def ask(browser: Any, **fields: Any) -> list[str]:
    return shown(browser.submit(browser.page.form("/look"), **fields))


def column(world: Any, label: str) -> int:
    with world.app.app_context():
        return int(db.session.scalars(db.select(LineItem.id).filter_by(label=label)).one())


def session(browser: Any) -> str:
    return parse_qs(urlsplit(browser.page.url).query)["session"][0]


def place(browser: Any) -> str:
    return browser.page.url.partition("?")[0]


def test_everybody_by_name(browser: Any) -> None:
    assert shown(browser.page) == ["Amy", "Ben", "Chloe", "Dan", "Eve"]
    assert ask(browser, sort="-name") == ["Eve", "Dan", "Chloe", "Ben", "Amy"]


def test_a_name_is_found_and_stands_in_no_address(browser: Any) -> None:
    assert ask(browser, q="BROWN") == ["Ben"]
    assert "brown" not in browser.page.url.lower() and "1 of 5 learners" in browser.page.text
    assert ask(browser, q="@campus.example") == ["Amy", "Ben", "Chloe", "Dan", "Eve"]
    assert ask(browser, q="nobody") == []
    assert "Nobody fits what you chose" in browser.page.text


def test_by_a_column_and_by_progress_who_has_nothing_comes_last(world: Any, browser: Any) -> None:
    averages = column(world, "Averages")
    assert ask(browser, sort=f"-{averages}") == ["Ben", "Amy", "Dan", "Chloe", "Eve"]
    assert ask(browser, sort=f"{averages}") == ["Dan", "Amy", "Ben", "Chloe", "Eve"]
    assert ask(browser, sort="-progress") == ["Amy", "Dan", "Ben", "Chloe", "Eve"]
    assert ask(browser, sort="progress") == ["Chloe", "Ben", "Dan", "Amy", "Eve"]


def test_by_state_and_reason(world: Any, browser: Any) -> None:
    assert ask(browser, state="unmatched") == ["Eve"]
    assert ask(browser, state="missing") == ["Amy", "Ben", "Chloe", "Dan", "Eve"]
    with world.app.app_context():
        mine = db.select(Cell).join(Member).where(Member.name.like("Ben%"))
        cell = db.session.scalars(mine).one()
        cell.state, cell.reason = "rejected", "not_gradable"
        db.session.commit()
    assert ask(browser, state="rejected") == ["Ben"]
    assert ask(browser, state="delivered") == ["Amy", "Chloe", "Dan"]
    assert ask(browser, state="", reason="not_gradable") == ["Ben"]
    assert ask(browser, state="delivered", reason="not_gradable") == []


def test_whoever_looked_so_comes_back_to_the_same_look(world: Any, browser: Any) -> None:
    with world.app.app_context():
        cell = db.session.scalars(db.select(Cell)).first()
        assert cell is not None
        cell.state, cell.reason = "rejected", "locked"
        db.session.commit()
    assert ask(browser, state="rejected", q="a") == ["Amy"]
    page = browser.submit(browser.page.form("/retry"))
    assert "Noted." in page.text and shown(page) == []  # it waits for its delivery now


def test_all_that_was_refused_is_tried_again(world: Any, browser: Any) -> None:
    with world.app.app_context():
        for cell in db.session.scalars(db.select(Cell).limit(3)):
            cell.state, cell.reason, cell.delivered_given = "rejected", "locked", 1.0
        db.session.commit()
    page = browser.get(browser.page.url)
    assert "Retry all 3 refused grades" in page.text
    page = browser.submit(page.form("/retry-all"))
    assert "Noted." in page.text and "Retry all" not in page.text
    browser.submit(page.form("/sync"))
    with world.app.app_context():
        assert set(db.session.scalars(db.select(Cell.state))) == {"delivered"}


def test_an_empty_cell_tells_why(world: Any, browser: Any) -> None:
    number = column(world, "Chance")
    with world.app.app_context():
        ids = {m.name.split()[0]: m.id for m in db.session.scalars(db.select(Member))}
    eve = browser.get(f"{place(browser)}/learners/{ids['Eve']}/columns/{number}",
                      session=session(browser))  # fmt: skip
    assert "Coursera reports nobody in this course who could be this person" in eve.text
    assert "/people/participants/" in eve.link("Match this person")
    ben = browser.get(f"{place(browser)}".partition("/learners")[0]
                      + f"/learners/{ids['Ben']}/columns/{number}",
                      session=session(browser))  # fmt: skip
    assert "Coursera reports no grade of this person for this item" in ben.text
    assert "up to 24 hours behind; the last activity recorded is of 20" in ben.text


def test_who_got_no_place_at_coursera_is_told_in_the_empty_cell(world: Any, browser: Any) -> None:
    number = column(world, "Chance")
    with world.app.app_context():
        eve = db.session.scalars(db.select(Member).where(Member.name.like("Eve%"))).one()
        activity = db.session.scalars(db.select(Activity)).one()
        db.session.add(
            Provision(
                member_fk=eve.id, connection=activity.connection, program_id=activity.program_id,
                course_id="", step="invite", state="rejected", reason="coursera_bad_request",
                created_at=eve.seen_at, changed_at=eve.seen_at,
            )
        )  # fmt: skip
        db.session.commit()
        path = f"{place(browser)}/learners/{eve.id}/columns/{number}"
    page = browser.get(path, session=session(browser))
    assert "the program has no seat left" in page.text and "coursera_bad_request" in page.text


def test_nobody_of_another_context_has_a_story_here(world: Any, browser: Any) -> None:
    number = column(world, "Chance")
    with world.app.app_context():
        somebody = db.session.scalars(db.select(Member)).first()
        assert somebody is not None
        stranger = Member(platform_id=somebody.platform_id, sub="elsewhere", name="Zed Zulu",
                          seen_at=somebody.seen_at)  # fmt: skip
        db.session.add(stranger)
        db.session.commit()
        path = f"{place(browser)}/learners/{stranger.id}/columns/{number}"
    answer = requests.get(path, {"session": session(browser)}, timeout=10)
    assert answer.status_code == 404 and "Zulu" not in answer.text


def lines(browser: Any, name: str, **query: str) -> list[list[str]]:
    answer = requests.get(f"{place(browser)}/{name}", {"session": session(browser), **query},
                          timeout=10)  # fmt: skip
    assert answer.status_code == 200 and answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_table_as_a_file(world: Any, browser: Any) -> None:
    with world.app.app_context():
        amy = db.session.scalars(db.select(Member).where(Member.name.like("Amy%"))).one()
        amy.name = '=HYPERLINK("http://evil.example","Zoë")'
        db.session.commit()
    found = lines(browser, "grades.csv")
    assert found[0][:4] == ["Learner", "E-mail address", "At Coursera", "Graded"]
    at = found[0].index("Averages / 100")
    assert found[0][at + 1 : at + 3] == ["Averages: state", "Chance / 100"]
    assert len(found) == 6 and all(len(line) == len(found[0]) for line in found)
    by_name = {line[0]: line for line in found}
    assert by_name["Ben Brown"][2:4] == ["found", "1"]
    assert by_name["Ben Brown"][at : at + 3] == ["95", "in the gradebook", ""]
    assert by_name["Eve Evans"][2:4] == ["not found", "0"] and not any(by_name["Eve Evans"][4:])
    assert """'=HYPERLINK("http://evil.example","Zoë")""" in by_name
    [_, eve] = lines(browser, "grades.csv", state="unmatched")
    assert eve[0] == "Eve Evans"


def test_every_cell_with_its_times_as_a_file(browser: Any) -> None:
    found = lines(browser, "cells.csv")
    assert len(found) == 1 + 6
    amy = dict(zip(found[0], found[1], strict=True))
    assert (amy["Learner"], amy["Column"], amy["Coursera says"]) == ("Amy Adams", "Averages", "80")
    assert amy["State"] == "in the gradebook" and amy["Accepted by the platform"].startswith("20")


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\n=1"])
def test_nothing_in_a_file_is_a_formula(value: str) -> None:
    assert guarded(value) == f"'{value}"


@pytest.mark.parametrize("value", ["Amy", "", "85.5", "a=b", "9-1"])
def test_plain_values_stay_as_they_are(value: str) -> None:
    assert guarded(value) == value


def test_charts_are_pictures_with_all_their_figures(browser: Any) -> None:
    for name in ("progress.svg", "syncs.svg"):
        for look in ({}, {"shade": "dark"}, {"size": "narrow"}):
            query = {"session": session(browser), **look}
            answer = requests.get(f"{place(browser)}/{name}", query, timeout=10)
            assert answer.headers["Content-Type"].startswith("image/svg+xml")
            picture = ElementTree.fromstring(answer.content)
            assert picture.tag.endswith("svg") and b"<script" not in answer.content
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = browser.get(f"{place(browser)}/figures", session=session(browser))
    words = " ".join(page.text.replace("</th>", " ").replace("</td>", " ").split())
    assert '<th scope="row" class="fw-normal">Averages <td class="text-end">3 ' in words
    assert page.text.count('class="text-end">6</td>') == 1  # all that arrived, today


def test_a_sync_is_followed_to_its_end(world: Any, browser: Any) -> None:
    course, amy = world.school.courses["columns"], world.school.learners[0]
    world.coursera.grade(world.school.accounts[amy.id], course, course.items[0].id, 81)
    url, value = place(browser), session(browser)
    began = requests.post(f"{url}/sync", {"session": value, "live": "1"}, timeout=10).json()
    for _ in range(200):
        query = {"session": value, "since": began["since"]}
        now = requests.get(f"{url}/progress", query, timeout=10).json()
        if not now["running"]:
            break
        with world.app.app_context():
            db.session.connection()
    assert (now["running"], now["sent"], now["due"]) == (False, 1, 0)
    assert "Done: 1 grade is new in the gradebook." in now["text"]
    assert "up to 24 hours behind; the last activity recorded is of" in now["text"]
    assert world.campus.gradebook(world.school.context)["Averages", amy] == 81


def test_a_sync_in_another_process_is_seen(world: Any, browser: Any) -> None:
    from datetime import timedelta

    from passport_lti.sync import leases

    with world.app.app_context():
        now = world.services.clock()
        leases.take("page-sync-1", "another process", now, timedelta(minutes=1))
    page = browser.get(browser.page.url)
    assert 'id="live" data-since="' in page.text
    with world.app.app_context():
        leases.give_back("page-sync-1", "another process")
    assert 'id="live" data-since="' not in browser.get(browser.page.url).text
