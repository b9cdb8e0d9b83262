"""Random histories: whatever happens in whatever order, in the end the gradebook is right.

`HISTORIES` in the environment plays so many of them, at random, and minimises what fails.
"""

import logging
import os
import sys
from contextlib import ExitStack
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from faults.dying import Point, dying_at
from faults.invariants import Listener
from faults.test_f42_killed import AROUND, DELIVERY, POLLING
from faults.weather import COURSERA_FAULTS, PLATFORM_FAULTS, Weather
from passport_lti.sandbox.campus.state import Activity, Context
from passport_lti.sandbox.coursera.state import Course, Item, Lesson
from worlds import opened

B, FINAL, A = "granular_auto_columns", "final_grade", "granular_deep_linked"

some = st.integers(0, 7)
"""One of what there is: counted round."""
percent = st.none() | st.integers(0, 100)
calls = st.integers(1, 2)
moments = st.sampled_from(("before", "after"))


def places(*points: tuple[str, str, int]) -> st.SearchStrategy[tuple[str, str]]:
    """One of the functions of the product that these points are about."""
    return st.sampled_from(sorted({(module, name) for module, name, _ in points}))


class Histories(RuleBasedStateMachine):
    """One school, its campus and Coursera; the rules are what happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.world: Weather = self.open.enter_context(opened(kind=Weather))
        logger = logging.getLogger("passport_lti")
        listener, level = Listener(self.world.watch.lines), logger.level
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        self.open.callback(logger.setLevel, level)
        self.open.callback(logger.removeHandler, listener)
        self.unopened: list[Activity] = []
        """Copies that nobody has launched yet."""
        self.removed: list[tuple[Lesson, Item]] = []
        self.numbers = 0

    def teardown(self) -> None:
        with self.open:
            if sys.exc_info()[0] is None:
                self.end()

    def end(self) -> None:
        """All is well again, and everything was opened once."""
        self.world.campus.faults.clear()
        self.world.coursera.faults.clear()
        while self.unopened:
            self.launch(0)
        self.world.recover()

    @initialize(also_linked=st.booleans())
    def publish(self, also_linked: bool) -> None:
        self.world.columns_published()
        if also_linked:
            chosen = [item.id for item in self.world.school.courses["linked"].items[:2]]
            self.world.publish("linked", A, item=chosen)

    # what there is

    @property
    def course(self) -> Course:
        return self.world.school.courses["columns"]

    @property
    def changed(self) -> dict[str, dict[str, str]]:
        return self.world.watch.seats[0].changed

    def contexts(self) -> list[Context]:
        return list(self.world.campus.contexts.values())

    def activities(self) -> list[Activity]:
        return [a for context in self.contexts() for a in self.world.campus.activities(context)]

    def have_columns(self) -> list[Activity]:
        return [a for a in self.activities() if self.course.id in a.custom]

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # at Coursera

    @rule(who=some, what=some, percent=percent)
    def grade(self, who: int, what: int, percent: int | None) -> None:
        learner = self.world.school.learners[who % 3]
        item = self.course.items[what % len(self.course.items)]
        self.world.grade(learner, "columns", item.name, percent)

    @rule(who=some, what=some, percent=percent)
    def grade_elsewhere(self, who: int, what: int, percent: int | None) -> None:
        item = self.world.school.courses["linked"].items[what % 2]
        self.world.grade(self.world.school.learners[who % 3], "linked", item.name, percent)

    @precondition(lambda self: len(self.course.items) + len(self.removed) < 5)
    @rule()
    def new_item(self) -> None:
        self.world.coursera.add_item(self.course, f"Bonus {self.number()}", weight=10)

    @rule(what=some)
    def rename(self, what: int) -> None:
        item = self.course.items[what % len(self.course.items)]
        self.world.coursera.rename_item(self.course, item, f"Part {self.number()}")

    @precondition(lambda self: len(self.course.items) > 2)
    @rule(what=some)
    def remove_item(self, what: int) -> None:
        item = self.course.items[what % len(self.course.items)]
        assert item.lesson is not None
        self.removed.append((item.lesson, item))
        self.world.coursera.remove_item(self.course, item)

    @precondition(lambda self: self.removed)
    @rule()
    def item_is_back(self) -> None:
        lesson, item = self.removed.pop()
        lesson.items.append(item)
        self.world.coursera._arrange(self.course)

    @rule(fault=st.sampled_from(COURSERA_FAULTS), times=st.integers(1, 4))
    def coursera_fails(self, fault: dict[str, Any], times: int) -> None:
        self.world.coursera.faults.add("/ent/", times=times, **fault)

    # at the campus

    @rule(who=some, where=some)
    def suspend_or_wake(self, who: int, where: int) -> None:
        context, learner = self.contexts()[where % len(self.contexts())], self.learner(who)
        if place := context.enrolments.get(learner.id):
            self.world.campus.suspend(context, learner, active=not place.active)

    @rule(who=some, where=some)
    def enrol_or_leave(self, who: int, where: int) -> None:
        context, learner = self.contexts()[where % len(self.contexts())], self.learner(who)
        if learner.id in context.enrolments:
            self.world.campus.unenrol(context, learner)
        else:
            self.world.campus.enrol(context, learner, "learner")

    @rule(who=some, column=some, percent=percent)
    def teacher_types_a_grade(self, who: int, column: int, percent: int | None) -> None:
        """A value that no course has, or nobody could tell whose it is; then Coursera has news."""
        columns = self.world.school.context.line_items
        chosen, learner = columns[column % len(columns)], self.learner(who)
        self.world.campus.override(chosen, learner, 7.1357 + self.number())
        for item in self.course.items:
            if chosen.resource_id.endswith(item.id):
                self.world.grade(learner, "columns", item.name, percent)

    @rule(what=some)
    def launch(self, what: int) -> None:
        """First what nobody has opened yet."""
        all_of_them = self.activities()
        activity = self.unopened.pop() if self.unopened else all_of_them[what % len(all_of_them)]
        page = self.world.campus.browser(self.world.school.teacher).launch(activity)
        assert page.status == 200, page.text

    @precondition(lambda self: not self.unopened)
    @rule(what=some, strategy=st.sampled_from((B, FINAL)), final=st.booleans())
    def change_option(self, what: int, strategy: str, final: bool) -> None:
        activity = self.have_columns()[what % len(self.have_columns())]
        browser = self.world.campus.browser(self.world.school.teacher)
        browser.launch(activity)
        browser.get(browser.page.link("Change option"))
        fields = {"strategy": strategy, "include_final": "1" if final else None}
        page = browser.submit(browser.page.form("/option"), **fields)
        assert "The option is changed" in page.text, page.text
        self.changed[activity.id] = {
            "strategy": strategy, "include_final": "1" if final else "", "items": "",
        }  # fmt: skip

    def alike(self) -> bool:
        """Whether it is plain which option a copy would have."""
        options = [self.changed.get(activity.id) for activity in self.have_columns()]
        return all(option == options[0] for option in options) and not self.unopened

    def inherit(self, twins: list[Activity]) -> None:
        self.unopened += twins
        [option, *_] = [self.changed.get(activity.id) for activity in self.have_columns()]
        for twin in twins:
            if option and self.course.id in twin.custom:
                self.changed[twin.id] = option

    @precondition(lambda self: self.alike() and len(self.contexts()) < 3)
    @rule(who=some)
    def copy_context(self, who: int) -> None:
        campus, source = self.world.campus, self.world.school.context
        copy = campus.copy_context(source, f"COPY{self.number()}", "Next year")
        campus.enrol(copy, self.world.school.teacher, "instructor")
        for learner in (self.learner(who), self.learner(who + 1)):
            campus.enrol(copy, learner, "learner")
        self.inherit(campus.activities(copy))

    @precondition(lambda self: self.alike() and len(self.activities()) < 6)
    @rule(what=some)
    def duplicate(self, what: int) -> None:
        here = self.world.campus.activities(self.world.school.context)
        self.inherit([self.world.campus.duplicate_activity(here[what % len(here)])])

    @rule(
        kind=st.sampled_from(
            ("scores", "scores", "results", "lineitems", "lineitem", "members", "token")
        ),
        fault=st.sampled_from(PLATFORM_FAULTS),
        times=st.integers(1, 4),
    )
    def platform_fails(self, kind: str, fault: dict[str, Any], times: int) -> None:
        self.world.campus.faults.add(kind, times=times, **fault)

    def learner(self, who: int) -> Any:
        return self.world.school.learners[who % 3]

    # at the tool

    @rule(minutes=st.sampled_from((1, 10, 65, 1500)))
    def time_passes(self, minutes: int) -> None:
        self.world.later(minutes=minutes)

    @rule()
    def sync(self) -> None:
        self.world.sync()

    @rule()
    def poll(self) -> None:
        self.world.poll()

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    # Each crash with news first: a process would mostly have nothing to die over otherwise.

    @rule(where=places(*POLLING), calls=calls, moment=moments, who=some, percent=percent)
    def crash_in_a_poll(
        self, where: tuple[str, str], calls: int, moment: str, who: int, percent: int | None
    ) -> None:
        self.grade(who, who // 2, percent)
        with dying_at(self.world, Point(*where, calls, moment)):
            self.world.poll()

    @rule(where=places(*DELIVERY), calls=calls, moment=moments, who=some, percent=percent)
    def crash_in_a_delivery(
        self, where: tuple[str, str], calls: int, moment: str, who: int, percent: int | None
    ) -> None:
        self.grade(who, who // 2, percent)
        self.world.poll()
        with dying_at(self.world, Point(*where, calls, moment)):
            self.world.deliver()

    @rule(
        where=places(*POLLING, *DELIVERY, *AROUND), calls=calls, moment=moments, who=some,
        percent=percent,
    )  # fmt: skip
    def crash_in_a_sync(
        self, where: tuple[str, str], calls: int, moment: str, who: int, percent: int | None
    ) -> None:
        self.grade(who, who // 2, percent)
        with dying_at(self.world, Point(*where, calls, moment)):
            self.world.sync()


def test_in_the_end_every_gradebook_is_right() -> None:
    long = int(os.environ.get("HISTORIES", "0"))
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=long or 15,
            stateful_step_count=20,
            derandomize=not long,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if long else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
