"""Pages for teachers: adding content, gradebook, participants."""

import secrets
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from passport_lti.sandbox.campus import deep_linking
from passport_lti.sandbox.campus.deep_linking import Selection
from passport_lti.sandbox.campus.here import error_page, repost, self_submitting, the_visit
from passport_lti.sandbox.campus.keys import BadToken
from passport_lti.sandbox.campus.state import Context, Person
from passport_lti.sandbox.campus.visits import Visit

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_NO_PERMISSION = "Sorry, but you do not currently have permissions to do that"


def teaching(campus: "Campus") -> Blueprint:
    """What only a teacher of the context (or an administrator) may open."""
    pages = Blueprint("teaching", __name__)

    def teacher(context_id: str) -> tuple[Visit, Person, Context] | None:
        visit = the_visit(campus)
        context = campus.contexts.get(context_id)
        if visit is None or visit.person is None or context is None:
            return None
        return (visit, visit.person, context) if context.instructor(visit.person) else None

    @pages.get("/course/modedit.php")
    def edit() -> Any:
        """Add content: the picker in a frame, or what it returned and nobody has saved yet."""
        found = teacher(request.args.get("course", ""))
        if found is None:
            return error_page(_NO_PERMISSION)
        visit, _, context = found
        draft = request.args.get("draft", "")
        if draft:
            selection = visit.drafts.get(draft)
            if selection is None:
                return error_page("This content was saved already or has expired")
            return render_template(
                "drafts.html", context=context, selection=selection, draft=draft, visit=visit
            )
        tool = campus.tools.get(request.args.get("typeid", ""))
        if tool is None:
            return error_page("This tool is not here any more")
        return render_template("select.html", context=context, tool=tool)

    @pages.post("/mod/lti/contentitem_return.php")
    def content_return() -> Any:
        """The tool's form ends here, still inside the frame."""
        if the_visit(campus) is None and "repost" not in request.form:
            return repost()
        found = teacher(request.args.get("course", ""))
        tool = campus.tools.get(request.args.get("id", ""))
        if found is None or tool is None:
            return error_page(_NO_PERMISSION)
        visit, _, context = found
        if request.args.get("sesskey") != visit.sesskey:
            return error_page("Your session has most likely timed out. Please log in again")
        try:
            selection = deep_linking.received(campus, tool, context, request.form.get("JWT", ""))
        except BadToken as bad:
            return error_page(f"Exception - {bad}")
        if not selection.drafts:
            # The window closes and nobody learns why: so does Moodle.
            address = url_for("pages.context")
            fields = {"id": context.id}
            return self_submitting(address, fields, "Closing", target="_top", method="get")
        key = secrets.token_hex(6)
        visit.drafts[key] = selection
        fields = {"course": context.id, "draft": key}
        address = url_for("teaching.edit")
        return self_submitting(address, fields, "Content selected", target="_top", method="get")

    @pages.post("/course/modedit.php")
    def save() -> Any:
        found = teacher(request.form.get("course", ""))
        if found is None:
            return error_page(_NO_PERMISSION)
        visit, _, context = found
        if request.form.get("sesskey") != visit.sesskey:
            return error_page("Your session has most likely timed out. Please log in again")
        draft = request.form.get("draft", "")
        selection: Selection | None = visit.drafts.get(draft)
        if selection is None:
            return error_page("This content was saved already or has expired")
        if len(selection.drafts) == 1:
            only = selection.drafts[0]
            only.title = request.form.get("name", only.title).strip() or only.title
            only.custom = "\n".join(request.form.get("custom", only.custom).splitlines())
            if only.problem:
                return render_template(
                    "drafts.html", context=context, selection=selection, draft=draft, visit=visit
                )
        visit.drafts.pop(draft)
        made = deep_linking.create(campus, selection)
        created = ",".join(activity.cmid for activity in made)
        return redirect(url_for("pages.context", id=context.id, created=created))

    @pages.get("/grade/report/grader/index.php")
    def gradebook() -> Any:
        found = teacher(request.args.get("id", ""))
        if found is None:
            return error_page(_NO_PERMISSION)
        _, _, context = found
        with campus.lock:
            people, items = context.learners(), list(context.line_items)
            return render_template("gradebook.html", context=context, people=people, items=items)

    @pages.post("/grade/report/grader/index.php")
    def change_grade() -> Any:
        """A teacher types a grade into a cell; an empty one clears it."""
        found = teacher(request.form.get("id", ""))
        item = campus.line_items.get(request.form.get("item", ""))
        person = campus.people.get(request.form.get("person", ""))
        if found is None or item is None or person is None:
            return error_page(_NO_PERMISSION)
        text = request.form.get("value", "").strip().replace(",", ".")
        try:
            campus.override(item, person, float(text) if text else None)
        except ValueError:
            return error_page("The grade entered is not a number")
        return redirect(url_for("teaching.gradebook", id=found[2].id))

    @pages.get("/user/index.php")
    def participants() -> Any:
        found = teacher(request.args.get("id", ""))
        if found is None:
            return error_page(_NO_PERMISSION)
        places = sorted(
            found[2].enrolments.values(), key=lambda p: (p.role, p.person.family, p.person.given)
        )
        return render_template("participants.html", context=found[2], places=places)

    return pages
