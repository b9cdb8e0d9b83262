"""Planning: what was last planned hides nothing, and what could not be planned is said."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from faults.dying import Point, dying_at
from faults.weather import Weather
from passport_lti import leases
from passport_lti.extensions import db
from passport_lti.models import Context, Match, Member
from passport_lti.sandbox.campus.state import Person
from passport_lti.sync.people import choices
from passport_lti.sync.poll import cells
from passport_lti.sync.poll.planned import Note
from worlds import opened


def option(world: Weather, activity, **fields) -> None:
    browser = world.campus.browser(world.school.teacher)
    browser.launch(activity)
    browser.get(browser.page.link("Change option"))
    page = browser.submit(browser.page.form("/option"), **fields)
    assert "The option is changed" in page.text, page.text


def shown(world: Weather, label: str) -> float | None:
    [column] = [c for c in world.school.context.line_items if c.label == label]
    grade = column.grades.get(world.school.learners[0].id)
    return grade and grade.value


def test_a_column_that_was_away_for_a_moment_gets_what_waited_for_it(world: Weather) -> None:
    """The process dies as soon as the cells are given up; then the teacher changes their mind."""
    [activity] = world.campus.activities(world.school.context)
    world.grade(world.school.learners[0], "columns", "Chance", 70)
    world.campus.faults.add("scores", status=503, times=None)
    world.sync()
    columns_stand = Point("passport_lti.sync.people.roster", "confirmed", 1, "before")
    with dying_at(world, columns_stand) as dead:
        option(world, activity, strategy="final_grade", include_final=None)
        world.sync()
    assert dead.is_set()
    option(world, activity, strategy="granular_auto_columns", include_final="1")
    world.recover()
    assert shown(world, "Chance") == 70


def test_a_grade_that_was_older_than_what_we_had_is_looked_at_again(world: Weather) -> None:
    """An old report comes in between: what it says must not hide what the next one says."""
    amy, course = world.school.learners[0], world.school.courses["columns"]
    [row] = world.coursera.enrollments(course=course, person=world.school.accounts[amy.id])
    before = row.standing.last_activity
    world.grade(amy, "columns", "Averages", 60)
    assert world.sync().ok and shown(world, "Averages") == 60
    row.standing.last_activity = before - 86_400_000
    row.standing.grades[course.items[0].id] = 0.9
    world.sync()
    assert shown(world, "Averages") == 60
    # The same value, but from now.
    row.standing.last_activity = before + 86_400_000
    world.sync()
    assert shown(world, "Averages") == 90


def test_who_has_no_news_keeps_the_mark(world: Weather) -> None:
    world.grade(world.school.learners[1], "columns", "Averages", 40)
    assert world.sync().ok
    before = marks(world)
    assert len(before) == 2 and all(before.values())
    world.grade(world.school.learners[1], "columns", "Averages", 50)
    assert world.sync().ok
    assert [sub for sub, mark in marks(world).items() if mark != before[sub]] == [
        world.school.learners[1].id
    ]


def test_who_wakes_after_somebody_else_has_planned_notes_nothing(
    world: Weather, monkeypatch
) -> None:
    """It slept between its last look at the lease and its note; then a grade goes back."""
    amy = world.school.learners[0]
    [row] = world.coursera.enrollments(
        course=world.school.courses["columns"], person=world.school.accounts[amy.id]
    )
    row.standing.last_activity += 1_000
    note, outcomes = cells.note, []

    def asleep(notes: list[Note]) -> None:
        monkeypatch.setattr(cells, "note", note)
        world.later(minutes=5)
        world.grade(amy, "columns", "Averages", 90)
        with ThreadPoolExecutor() as another:
            outcomes.append(another.submit(world.sync).result())
        note(notes)

    monkeypatch.setattr(cells, "note", asleep)
    world.sync()
    [outcome] = outcomes
    assert outcome.ok and shown(world, "Averages") == 90
    world.grade(amy, "columns", "Averages", 80)
    assert world.sync().ok
    assert shown(world, "Averages") == 80


def test_what_another_process_does_not_come_to_an_end_with_is_a_problem(world: Weather) -> None:
    world.grade(world.school.learners[0], "columns", "Chance", 70)
    with world.app.app_context():
        context = db.session.scalars(db.select(Context)).one()
        name = f"plan:{context.id}"
        assert leases.take(name, "another", world.now(), timedelta(hours=1))
    outcome = world.sync()
    [problem] = outcome.problems
    assert "is not planned" in problem and not outcome.ok
    with world.app.app_context():
        leases.give_back(name, "another")
    assert world.sync().ok
    assert world.cell("Chance", world.school.learners[0]) == ("delivered", None)


def confirmed_late(world: Weather, monkeypatch, person: Person, external_id: str) -> None:
    """Have an account confirmed after the next plan has read who is who, before it is through."""
    marked = cells.Cells._marked

    def confirm() -> None:
        with world.app.app_context():
            context = db.session.scalars(db.select(Context)).one()
            member = db.session.scalars(db.select(Member).where(Member.sub == person.id)).one()
            choices.confirm(context, member, external_id, world.now())
            db.session.remove()

    def late(self: cells.Cells, lines: Iterator[cells.Line]) -> Iterator[tuple[cells.Line, bytes]]:
        monkeypatch.setattr(cells.Cells, "_marked", marked)
        found = list(lines)
        with ThreadPoolExecutor() as another:
            another.submit(confirm).result()
        return marked(self, iter(found))

    monkeypatch.setattr(cells.Cells, "_marked", late)


def test_what_a_person_says_during_a_plan_is_not_forgotten(world: Weather, monkeypatch) -> None:
    amy, ben = world.school.learners[:2]
    account = world.school.accounts[ben.id]
    account.external_id = account.email = "private@home.example"
    world.grade(ben, "columns", "Averages", 55)
    assert world.sync().ok
    confirmed_late(world, monkeypatch, ben, "private@home.example")
    world.grade(amy, "columns", "Averages", 66)
    assert world.sync().ok
    assert world.sync().ok
    assert world.cell("Averages", ben) == ("delivered", None)


def test_what_a_person_corrects_during_a_plan_is_not_planned_again(monkeypatch) -> None:
    """The right account was active long before the wrong one: its grade would look old."""
    with opened(kind=Weather) as world:
        world.columns_published()
        ben, course = world.school.learners[1], world.school.courses["columns"]
        right = world.coursera.add_person("private@home.example", "private@home.example", "Ben")
        world.coursera.grade(right, course, "Averages", 30)
        [row] = world.coursera.enrollments(course=course, person=right)
        row.standing.last_activity -= 86_400_000
        world.grade(ben, "columns", "Averages", 80)
        assert world.sync().ok
        confirmed_late(world, monkeypatch, ben, "private@home.example")
        world.grade(ben, "columns", "Averages", 90)
        world.sync()
        assert world.book["Averages", ben] == 80
        world.sync()
        assert world.book["Averages", ben] == 30


def marks(world: Weather) -> dict[str, bytes | None]:
    with world.app.app_context():
        query = db.select(Member.sub, Match.mark).join(Member, Match.member_fk == Member.id)
        return {row.sub: row.mark for row in db.session.execute(query)}
