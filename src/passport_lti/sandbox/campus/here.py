"""What the campus's pages share: who is here, error pages, forms that submit themselves."""

from typing import TYPE_CHECKING, Any, Literal, overload

from flask import Response, g, make_response, render_template, request

from passport_lti.sandbox.campus.state import Person
from passport_lti.sandbox.campus.visits import COOKIE, Visit

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus


@overload
def the_visit(campus: "Campus", begin: Literal[True]) -> Visit: ...
@overload
def the_visit(campus: "Campus", begin: bool = False) -> Visit | None: ...
def the_visit(campus: "Campus", begin: bool = False) -> Visit | None:
    """The visit of this browser; with `begin`, a new one if there is none."""
    visit = campus.visits.find(request.cookies.get(COOKIE))
    if visit is None and begin:
        visit = g.new_visit = campus.visits.begin()
    return visit


def set_cookie(response: Response) -> Response:
    """Moodle's cookie: no SameSite, so browsers treat it as Lax."""
    visit: Visit | None = g.get("new_visit")
    if visit is not None:
        response.set_cookie(COOKIE, visit.key, path="/", httponly=True)
    return response


def error_page(text: str, status: int = 404) -> Response:
    """Moodle says 404 whatever went wrong."""
    return make_response(render_template("error.html", text=text), status)


def self_submitting(
    action: str, fields: dict[str, str], title: str, target: str = "", method: str = "post"
) -> Response:
    """A page whose only form submits itself, with a button for browsers without scripts."""
    page: dict[str, Any] = {"action": action, "fields": fields, "title": title}
    return make_response(render_template("auto.html", target=target, method=method, **page))


def person_here(campus: "Campus") -> Person | None:
    visit = the_visit(campus)
    return visit.person if visit else None


def repost() -> Response:
    """A frame of another site came without our cookie: ask the same again from our own page."""
    fields = {**request.form.to_dict(), "repost": "1"}
    query = request.query_string.decode()
    address = f"{request.path}?{query}" if query else request.path
    return self_submitting(address, fields, "Moving on")
