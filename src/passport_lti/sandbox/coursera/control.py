"""The control room: everybody's grades, the courses' contents and the traps, for whoever tries."""

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request

from passport_lti.sandbox.coursera.signing_in import COOKIE
from passport_lti.sandbox.coursera.state import Course, Item
from passport_lti.sandbox.coursera.traps import CHOICES

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

PAGE = 50


def create_control(coursera: "PracticeCoursera") -> Blueprint:
    control = Blueprint("control", __name__, url_prefix="/control")

    @control.context_processor
    def common() -> dict[str, Any]:
        me = coursera.people.get(request.cookies.get(COOKIE, ""))
        return {"organisation": coursera.name, "me": me}

    @control.get("")
    def overview() -> str:
        return render_template(
            "coursera/control.html",
            programs=coursera.programs,
            count=lambda course: len(coursera.enrollments(course=course)),
            traps=coursera.traps,
            names=[trap.name for trap in fields(coursera.traps)],
            choices=CHOICES,
            ledger=coursera.ledger[-25:][::-1],
            arrivals=coursera.arrivals[-5:][::-1],
            is_duration=lambda value: isinstance(value, timedelta),
        )

    @control.post("/traps")
    def traps() -> Any:
        try:
            wanted = {trap.name: _value(trap.name, trap.default) for trap in fields(coursera.traps)}
            for name, value in wanted.items():
                setattr(coursera.traps, name, value)
        except (ValueError, OverflowError) as error:
            abort(400, str(error))
        return redirect("/control#traps", 303)

    @control.get("/courses/<course_id>")
    def course(course_id: str) -> str:
        found = course_by(course_id)
        enrollments = coursera.enrollments(course=found)
        start = max(request.args.get("start", 0, type=int), 0)
        return render_template(
            "coursera/control_course.html",
            course=found,
            enrollments=enrollments[start : start + PAGE],
            total=len(enrollments),
            start=start,
            page=PAGE,
            overall=lambda e: e.course.overall(e.standing.grades),
        )

    @control.post("/courses/<course_id>/grade")
    def grade(course_id: str) -> Any:
        found, form = course_by(course_id), request.form
        person = coursera.people.get(form.get("person", "")) or abort(404)
        text = form.get("percent", "").strip()
        try:
            coursera.grade(person, found, item_by(found), float(text) if text else None)
        except ValueError:
            abort(400, "A grade is a number between 0 and 100, or nothing.")
        return back(found)

    @control.post("/courses/<course_id>/complete")
    def complete(course_id: str) -> Any:
        found, form = course_by(course_id), request.form
        person = coursera.people.get(form.get("person", "")) or abort(404)
        coursera.complete(person, found, form.get("completed") == "yes")
        return back(found)

    @control.post("/courses/<course_id>/items")
    def items(course_id: str) -> Any:
        found, form = course_by(course_id), request.form
        name, action = form.get("name", "").strip(), form.get("action", "")
        weight = float(form.get("weight") or 0)
        if action in ("add", "save") and (not name or not 0 <= weight <= 100):
            abort(400, "An item has a name, and a weight of 0 to 100.")
        if action == "add":
            coursera.add_item(found, name, form.get("type", "EXAM"), weight)
        elif action == "save":
            item = item_by(found)
            coursera.rename_item(found, item, name)
            coursera.set_weight(found, item, weight)
        elif action == "remove":
            coursera.remove_item(found, item_by(found))
        else:
            abort(400, "What should happen to the item?")
        return back(found)

    def course_by(course_id: str) -> Course:
        return coursera.courses.get(course_id) or abort(404)

    def item_by(course: Course) -> Item:
        wanted = request.form.get("item", "")
        return next((i for i in course.items if i.id == wanted), None) or abort(404)

    def back(course: Course) -> Any:
        return redirect(f"/control/courses/{course.id}", 303)

    return control


def _value(name: str, default: object) -> object:
    """A trap as the form says it. Raises ValueError for nonsense."""
    text = request.form.get(name, "").strip()
    if isinstance(default, bool):
        return text == "on"
    if isinstance(default, timedelta):
        return timedelta(hours=float(text or 0))
    if isinstance(default, int):
        return max(int(text or default), 1)
    if text not in CHOICES[name]:
        raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}")
    return text
