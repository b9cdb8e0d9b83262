"""Pages for everybody: sign in, my courses, a context, an activity in a frame."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, redirect, render_template, request, url_for

from passport_lti.sandbox.campus.here import error_page, person_here, the_visit
from passport_lti.sandbox.campus.state import Context, Person

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


def pages(campus: "Campus") -> Blueprint:
    """Front page, courses, activities."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def front() -> Any:
        person = person_here(campus)
        if person is None:
            return render_template("front.html", groups=_groups(campus))
        return render_template("courses.html", contexts=_own(campus, person))

    @pages.post("/login/index.php")
    def sign_in() -> Any:
        person = campus.people.get(request.form.get("person", ""))
        if person is None or person.deleted or person.suspended:
            return error_page("Invalid login, please try again")
        old = the_visit(campus)
        if old is not None:
            campus.visits.end(old)
        g.new_visit = campus.visits.begin(person)
        return redirect(url_for("pages.front"))

    @pages.post("/login/logout.php")
    def sign_out() -> Any:
        visit = the_visit(campus)
        if visit is not None:
            campus.visits.end(visit)
        return redirect(url_for("pages.front"))

    @pages.get("/course/view.php")
    def context() -> Any:
        person = person_here(campus)
        found = campus.contexts.get(request.args.get("id", ""))
        if person is None:
            return redirect(url_for("pages.front"))
        if found is None:
            return error_page("Can't find data record in database table course")
        if not person.admin and person.id not in found.enrolments:
            return error_page("You can not enrol yourself in this course")
        created = [n for n in request.args.get("created", "").split(",") if n]
        grades = {
            item.activity.id: (item, item.grades.get(person.id))
            for item in found.line_items
            if item.activity is not None
        }
        return render_template(
            "context.html",
            context=found,
            teaches=found.instructor(person),
            tools=[t for t in campus.tools.values() if t.deep_link_url and t.in_chooser],
            created=created,
            grades=grades,
        )

    @pages.get("/mod/lti/view.php")
    def view() -> Any:
        activity = campus.activity(request.args.get("id", ""))
        if "l" in request.args:
            activity = campus.instance(request.args["l"])
        if activity is None:
            return error_page("Invalid course module ID")
        if person_here(campus) is None:
            return redirect(url_for("pages.front"))
        return render_template("view.html", activity=activity, context=activity.context)

    @pages.get("/mod/lti/return.php")
    def back() -> Any:
        context_id = request.args.get("course", "")
        return redirect(url_for("pages.context", id=context_id))

    return pages


def _groups(campus: "Campus") -> list[tuple[str, list[Person]]]:
    """Everybody by what they do here."""
    teaching = {
        place.person.id
        for context in campus.contexts.values()
        for place in context.enrolments.values()
        if place.role == "instructor"
    }
    people = [p for p in campus.people.values() if not p.deleted]
    people.sort(key=lambda p: (p.family, p.given))
    return [
        ("Teachers", [p for p in people if p.id in teaching and not p.admin]),
        ("Students", [p for p in people if p.id not in teaching and not p.admin]),
        ("Administrators", [p for p in people if p.admin]),
    ]


def _own(campus: "Campus", person: Person) -> list[Context]:
    return [
        context
        for context in campus.contexts.values()
        if person.admin
        or (person.id in context.enrolments and context.enrolments[person.id].active)
    ]
