"""F10 to F21: reports that are incomplete, turn in circles, contradict themselves or the clock."""

import time

import pytest

GRADEBOOK = "courseGradebookReports"


def rows(edit):
    """A change of the gradebook report: `edit` gets its rows and returns the ones to send."""

    def change(document):
        document["elements"] = edit(document["elements"])
        return document

    return change


def report(world, edit, times=None):
    return world.coursera.faults.add(GRADEBOOK, times=times, change=rows(edit))


def pages_of(world, size):
    world.services.coursera("practice").connection = world.services.coursera(
        "practice"
    ).connection.model_copy(update={"page_size": size})


def everybody(world, percent=50):
    for number, learner in enumerate(world.school.learners):
        world.grade(learner, "columns", "Averages", percent + number)


def averages(world):
    return [world.book["Averages", learner] for learner in world.school.learners]


def test_f10_fewer_rows_than_the_total_says_delete_nothing(world):
    everybody(world)
    assert world.sync().ok
    report(world, lambda found: found[:2])
    world.grade(world.school.learners[0], "columns", "Averages", 70)

    assert world.sync().ok
    assert averages(world) == [70, 51, 52, 53, 54]
    assert {state for state, _ in [world.cell("Averages", p) for p in world.school.learners]} == {
        "delivered"
    }


@pytest.mark.parametrize("edit", [lambda found: [], lambda found: found[:0] + found[-1:]])
def test_f10_an_empty_report_empties_no_gradebook(world, edit):
    everybody(world)
    assert world.sync().ok
    report(world, edit)

    assert world.sync().ok
    assert averages(world) == [50, 51, 52, 53, 54]


def test_f10_an_empty_last_page_is_the_end(world):
    world.coursera.traps.empty_last_page = True
    pages_of(world, 2)
    everybody(world)

    assert world.sync().ok
    assert averages(world) == [50, 51, 52, 53, 54]


@pytest.mark.parametrize("kind", ["repeat", "cycle"])
def test_f11_pages_in_a_circle_end_and_plan_nothing(world, kind):
    everybody(world)
    pages_of(world, 2)
    world.coursera.traps.next_kind = kind
    before = world.coursera.count("gradebook")

    outcome = world.sync()
    world.coursera.traps.next_kind = "string"

    assert not outcome.ok and "circles" in " ".join(outcome.problems)
    assert world.coursera.count("gradebook") - before < 20
    assert averages(world) == [80, None, None, None, None]


def test_f11_pages_without_end_are_noticed_by_their_content(world):
    everybody(world)
    pages_of(world, 2)
    world.coursera.traps.next_kind = "endless"
    before = world.coursera.count("gradebook")

    outcome = world.sync()
    world.coursera.traps.reset()

    assert not outcome.ok and "circles" in " ".join(outcome.problems)
    assert world.coursera.count("gradebook") - before < 60
    assert averages(world) == [80, None, None, None, None]


def test_f12_rows_that_move_between_two_pages_arrive_with_the_next_poll(world):
    pages_of(world, 2)
    everybody(world)
    amy, account = world.school.learners[0], world.school.accounts
    course = world.school.courses["columns"]

    def leave(document):
        """After the first page its first row goes away, and all others move up by one."""
        world.coursera.unenrol(account[amy.id], course)
        return document

    world.coursera.faults.add("start=0", times=1, change=leave)
    assert world.sync().ok
    world.grade(amy, "columns", "Averages", 99)

    assert world.sync().ok
    assert averages(world) == [99, 51, 52, 53, 54]


def test_f12_a_row_that_is_inserted_while_reading_is_there_once(world):
    pages_of(world, 2)
    everybody(world)

    def twice(document):
        document["elements"] = document["elements"] + document["elements"][:1]
        return document

    world.coursera.faults.add(GRADEBOOK, times=None, change=twice)

    assert world.sync().ok
    assert averages(world) == [50, 51, 52, 53, 54]


def test_f13_of_two_rows_for_one_learner_the_later_counts_in_any_order(world):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 90)

    def stale_too(found):
        [row] = [r for r in found if r["externalId"] == amy.email]
        old = {**row, "lastActivityAt": row["lastActivityAt"] - 60_000, "overallCourseGrade": 1.0}
        old["itemGradebooks"] = [{**i, "itemGrade": 3.0} for i in row["itemGradebooks"]]
        return [*found, old] if world.coursera.count("gradebook") % 2 else [old, *found]

    report(world, stale_too)
    for _ in range(3):
        assert world.sync().ok

    assert world.book["Averages", amy] == 90


@pytest.mark.parametrize(
    "value", [101, -1, 1e9, None, True, "ninety", "NaN", "1e400", {}, [], float("nan"), 10**400]
)
def test_f14_what_is_no_grade_is_not_sent_and_changes_nothing(world, value):
    amy, ben = world.school.learners[:2]
    world.grade(ben, "columns", "Averages", 61)

    def spoil(found):
        for row in found:
            if row["externalId"] == amy.email:
                row["overallCourseGrade"] = value
                for item in row["itemGradebooks"]:
                    item["itemGrade"] = value
        return found

    report(world, spoil)

    assert world.sync().ok
    assert (world.book["Averages", amy], world.book["Averages", ben]) == (80, 61)


@pytest.mark.parametrize("value", ["95", 95, 95.0])
def test_f14_numbers_as_text_are_grades(world, value):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 95)

    def as_text(found):
        for row in found:
            for item in row["itemGradebooks"]:
                item["itemGrade"] = value if item["itemGrade"] is not None else None
        return found

    report(world, as_text)

    assert world.sync().ok
    assert world.book["Averages", amy] == 95


def test_f14_a_grade_is_sent_with_the_five_decimals_that_a_gradebook_keeps(world):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 33.3333)

    assert world.sync().ok
    assert world.book["Averages", amy] == 33.3333


def test_f15_a_renamed_item_renames_its_column_once(world):
    item = world.book.line_item("Averages")
    world.coursera.rename_item(world.school.courses["columns"], "Averages", "Means")

    assert world.sync().ok and world.sync().ok
    assert world.book.line_item("Means") is item and "Averages" not in world.book.columns
    assert world.campus.ledger.count("lineitem", "PUT") == 1


def test_f16_an_item_that_comes_back_has_its_old_column(world):
    course, amy = world.school.courses["columns"], world.school.learners[0]
    item, column = course.item("Chance"), world.book.line_item("Chance")
    world.coursera.remove_item(course, "Chance")
    assert world.sync().ok
    course.modules[-1].lessons[-1].items.append(item)
    world.coursera._arrange(course)
    world.grade(amy, "columns", "Chance", 64)

    assert world.sync().ok
    assert world.book.line_item("Chance") is column
    assert world.book["Chance", amy] == 64


def test_f16_an_item_that_comes_back_under_another_id_has_a_new_column_once(world):
    course, amy = world.school.courses["columns"], world.school.learners[0]
    world.coursera.remove_item(course, "Averages")
    assert world.sync().ok
    world.coursera.add_item(course, "Averages", weight=25)
    world.grade(amy, "columns", "Averages", 64)

    assert world.sync().ok and world.sync().ok
    values = [item.grades[amy.id].value for item in world.book.line_items
              if item.label == "Averages"]  # fmt: skip
    assert values == [80, 64]


@pytest.mark.parametrize("weight", [10, 50])
def test_f17_another_weight_resizes_the_column_before_scores_are_sent(bare, weight):
    bare.columns_published(points="weight")
    amy = bare.school.learners[0]
    assert bare.book["Averages", amy] == 20
    bare.coursera.set_weight(bare.school.courses["columns"], "Averages", weight)
    bare.grade(amy, "columns", "Averages", 60)

    assert bare.sync().ok
    assert bare.book.line_item("Averages").maximum == weight
    assert bare.book["Averages", amy] == weight * 0.6


def test_f18_another_address_at_coursera_changes_nobody(world):
    amy = world.school.learners[0]
    world.coursera.change_email(world.school.accounts[amy.id], "new@else.example")
    world.grade(amy, "columns", "Averages", 85)

    assert world.sync().ok
    assert world.book["Averages", amy] == 85


def test_f18_two_learners_with_one_address_are_nobodys_grades(world):
    amy, ben = world.school.learners[:2]
    world.grade(ben, "columns", "Averages", 55)
    assert world.sync().ok
    twin = world.campus.add_person("Ben", "Twin", email=ben.email.upper())
    world.campus.enrol(world.school.context, twin, "learner")
    world.later(hours=25)
    assert world.sync().ok
    before = len(world.campus.ledger.scores)
    world.grade(ben, "columns", "Averages", 56)
    world.grade(amy, "columns", "Averages", 81)

    world.sync()
    sent = {score.user_id for score in world.campus.ledger.scores[before:]}
    world.campus.unenrol(world.school.context, twin)
    world.later(hours=25)

    assert sent == {amy.id}
    assert world.sync().ok and world.book["Averages", ben] == 56


def test_f19_a_learner_who_left_the_program_keeps_the_grade(world):
    amy = world.school.learners[0]
    world.coursera.remove_person(world.school.accounts[amy.id])

    assert world.sync().ok
    assert world.book["Averages", amy] == 80
    assert world.cell("Averages", amy) == ("delivered", None)


def test_f20_an_older_report_after_a_newer_one_is_not_believed(world):
    kept = []
    report(world, lambda found: kept.append(found) or found, times=1)
    world.sync()
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 90)
    assert world.sync().ok
    report(world, lambda found: kept[0])

    assert world.sync().ok
    assert world.book["Averages", amy] == 90


def test_f20_a_report_that_is_hours_late_arrives_in_the_end(world):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 90)
    world.coursera.traps.delay = world.now() - world.now().replace(year=world.now().year - 1)
    late = world.sync()
    world.coursera.traps.reset()

    assert late.ok and world.sync().ok
    assert world.book["Averages", amy] == 90


def test_f21_a_coursera_in_the_future_blocks_no_later_grade(world):
    amy = world.school.learners[0]
    world.grade(amy, "columns", "Averages", 90)

    def tomorrow(found):
        return [{**row, "lastActivityAt": row["lastActivityAt"] + 86_400_000} for row in found]

    report(world, tomorrow)
    assert world.sync().ok
    world.coursera.faults.clear()
    world.later(minutes=10)
    world.grade(amy, "columns", "Averages", 95)

    assert world.sync().ok
    assert world.book["Averages", amy] == 95
    stamps = [score.timestamp for score in world.campus.ledger.scores]
    assert max(stamps) <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(world.campus.now() + 2))
