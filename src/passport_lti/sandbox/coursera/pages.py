"""The learner's pages: from a launch to a finished item."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request

from passport_lti.sandbox.coursera.catalogue import launch_url
from passport_lti.sandbox.coursera.ledger import Arrival
from passport_lti.sandbox.coursera.photos import photo
from passport_lti.sandbox.coursera.signing_in import COOKIE, add_sign_in
from passport_lti.sandbox.coursera.state import Course, Enrollment, Item, Person, Program

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

EFFECTS = {
    "productId": "names the course",
    "productType": "says that it is a course",
    "itemId": "leads on to this item",
    "attemptSSOLogin": "asks for the organisation's sign-in",
    "authProvider": "names the identity provider",
    "authMode": "asks to sign in, not to sign up",
    "showMiniModal": "shows the course in a small window",
    "collectionId": "names a collection of the program",
}


def create_pages(coursera: "PracticeCoursera") -> Blueprint:
    pages = Blueprint("page", __name__)

    def signed_in() -> Person | None:
        return coursera.people.get(request.cookies.get(COOKIE, ""))

    @pages.context_processor
    def common() -> dict[str, Any]:
        return {"organisation": coursera.name, "me": signed_in()}

    @pages.get("/")
    def home() -> str:
        return render_template("coursera/home.html", programs=coursera.programs)

    @pages.get("/programs/<slug>")
    @pages.get("/programs/<slug>/learn/<course_slug>")
    def program(slug: str, course_slug: str = "") -> Any:
        place = program_by(slug)
        wanted = {key: value for key, value in request.args.items() if key != "arrived"}
        if wanted and "arrived" not in request.args:
            coursera.arrivals.append(Arrival(request.path, wanted))
        me = signed_in()
        # The same address, marked: coming back to it is not one more arrival.
        here = f"{request.path}?{urlencode({**wanted, 'arrived': 1})}"
        if me is None or not me.linked:
            if coursera.provider and wanted.get("attemptSSOLogin") == "true":
                return redirect("/saml/login?" + urlencode({"next": here}))
            return redirect("/signin?" + urlencode({"next": here, **sso(wanted)}))
        course = next(
            (c for c in place.courses if c.id == wanted.get("productId") or c.slug == course_slug),
            None,
        )
        if (place, me) in coursera.invitations and not coursera.is_full(place):
            # Who is invited is accepted by opening the program's link (facts, 3.6).
            coursera.join(me, place)
        member = coursera.is_member(me, place)
        enrolled = {e.course: e for e in coursera.enrollments(place, person=me)} if member else {}
        if course in enrolled and course is not None:
            item_id = wanted.get("itemId", "")
            known = any(item.id == item_id for item in course.all_items)
            query = "" if known or not item_id else "?" + urlencode({"missing": item_id})
            return redirect(f"/learn/{course.slug}" + (f"/item/{item_id}" if known else query))
        return render_template(
            "coursera/program.html",
            program=place,
            course=course,
            missing_course=bool(wanted.get("productId") or course_slug) and course is None,
            member=member,
            enrolled=enrolled,
            here=here,
            wanted=wanted,
            effects=EFFECTS,
            launch_url=launch_url,
        )

    @pages.post("/programs/<slug>/join")
    def join(slug: str) -> Any:
        me, place = signed_in() or abort(401), program_by(slug)
        if coursera.is_full(place) and not coursera.is_member(me, place):
            abort(403, "The program has no seat left.")
        coursera.join(me, place)
        return redirect(onward(f"/programs/{slug}"), 303)

    @pages.post("/programs/<slug>/enrol")
    def enrol(slug: str) -> Any:
        place = program_by(slug)
        me, course = signed_in() or abort(401), coursera.courses.get(request.form["course"])
        if course not in place.courses or course is None or not coursera.is_member(me, place):
            abort(404)
        coursera.enrol(me, course, place)
        return redirect(onward(f"/learn/{course.slug}"), 303)

    @pages.get("/photos/<course_id>.png")
    def picture(course_id: str) -> Any:
        if course_id not in coursera.courses:
            abort(404)
        return Response(photo(course_id), mimetype="image/png")

    @pages.get("/learn/<slug>")
    @pages.get("/learn/<slug>/home/<path:rest>")
    def course(slug: str, rest: str = "") -> Any:
        found = course_by(slug)
        if signed_in() is None:
            return redirect("/signin?" + urlencode({"next": request.path}))
        return render_template(
            "coursera/course.html",
            course=found,
            program=coursera.program_of(found),
            enrollment=enrollment(found),
            overall=overall(found),
            missing=request.args.get("missing", ""),
        )

    @pages.get("/learn/<slug>/<kind>/<item_id>")
    @pages.get("/learn/<slug>/<kind>/<item_id>/<name>")
    def item(slug: str, item_id: str, kind: str = "", name: str = "") -> Any:
        found = course_by(slug)
        chosen = item_by(found, item_id)
        if signed_in() is None:
            return redirect("/signin?" + urlencode({"next": request.path}))
        mine = enrollment(found)
        if mine is None:
            return redirect(f"/learn/{slug}")
        order = list(found.all_items)
        place = order.index(chosen)
        return render_template(
            "coursera/item.html",
            course=found,
            item=chosen,
            enrollment=mine,
            overall=overall(found),
            following=order[place + 1] if place + 1 < len(order) else None,
            just_now="done" in request.args,
        )

    @pages.post("/learn/<slug>/item/<item_id>")
    def finish(slug: str, item_id: str) -> Any:
        found = course_by(slug)
        chosen, me = item_by(found, item_id), signed_in() or abort(401)
        if enrollment(found) is None:
            abort(403)
        if chosen.gradable:
            score = request.form.get("score", type=float)
            if score is None or not 0 <= score <= 100:
                abort(400, "A score is a number between 0 and 100.")
            coursera.grade(me, found, chosen, score)
        else:
            coursera.view(me, found, chosen)
        return redirect(f"/learn/{slug}/item/{item_id}?done=1", 303)

    @pages.app_errorhandler(400)
    @pages.app_errorhandler(401)
    @pages.app_errorhandler(403)
    @pages.app_errorhandler(404)
    def failed(error: Any) -> Any:
        return render_template(
            "coursera/failed.html", error=error, organisation=coursera.name, me=signed_in()
        ), error.code

    def program_by(slug: str) -> Program:
        return next((p for p in coursera.programs if p.slug == slug), None) or abort(404)

    def course_by(slug: str) -> Course:
        return next((c for c in coursera.courses.values() if c.slug == slug), None) or abort(404)

    def item_by(course: Course, item_id: str) -> Item:
        return next((i for i in course.all_items if i.id == item_id), None) or abort(404)

    def enrollment(course: Course) -> Enrollment | None:
        found = coursera.enrollments(course=course, person=signed_in() or abort(401))
        return found[0] if found else None

    def overall(course: Course) -> float | None:
        me = signed_in()
        return coursera.overall(me, course) if me else None

    add_sign_in(coursera, pages, onward)
    return pages


def sso(wanted: dict[str, str]) -> dict[str, str]:
    """What of a launch concerns the sign-in."""
    if wanted.get("attemptSSOLogin") != "true":
        return {}
    return {"sso": wanted.get("authProvider") or "your organisation"}


def onward(otherwise: str) -> str:
    """The page of this site to go on to, as the form says it."""
    wanted = request.form.get("next", "")
    # "//host" and "/\host" are other sites to a browser.
    return wanted if wanted.startswith("/") and wanted[1:2] not in ("/", "\\") else otherwise
