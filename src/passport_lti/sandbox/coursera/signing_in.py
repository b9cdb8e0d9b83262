"""Signing in: choosing who one is, and the first time tying that to a Coursera account."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request

from passport_lti.sandbox.coursera.single_sign_on import add_single_sign_on
from passport_lti.sandbox.coursera.state import Person

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera

COOKIE = "coursera_person"
SHOWN = 40
"""People to choose from; of a crowd only the first."""


def add_sign_in(
    coursera: "PracticeCoursera", pages: Blueprint, onward: Callable[[str], str]
) -> None:
    """Add the sign-in to the pages."""

    @pages.get("/signin")
    def sign_in() -> str:
        people = list(coursera.people.values())
        return render_template(
            "coursera/signin.html",
            people=people[:SHOWN],
            more=max(len(people) - SHOWN, 0),
            next=request.args.get("next", "/"),
            sso=request.args.get("sso", ""),
            wrong=request.args.get("wrong", ""),
        )

    @pages.post("/signin")
    def choose() -> Any:
        form, next_page = request.form, onward("/")
        if form.get("new"):
            email, name = form.get("email", "").strip(), form.get("name", "").strip()
            if "@" not in email or not name:
                return again(next_page, "A new account needs a name and an e-mail address.")
            if coursera.find(email):
                return again(next_page, f"{email} has an account already: choose it above.")
            person = coursera.add_person("", email, name)
            person.linked = True
            return welcome(person, next_page)
        person = coursera.people.get(form.get("person", "")) or coursera.find(
            form.get("email", "").strip()
        )  # type: ignore[assignment]
        if person is None:
            return again(next_page, "Nobody has this e-mail address.")
        if person.linked:
            return welcome(person, next_page)
        return render_template("coursera/link.html", person=person, next=next_page)

    @pages.get("/signin/link")
    def first_visit() -> Any:
        person = coursera.people.get(request.args.get("person", "")) or abort(404)
        return render_template(
            "coursera/link.html", person=person, next=request.args.get("next", "/")
        )

    @pages.post("/signin/link")
    def link() -> Any:
        person = coursera.people.get(request.form.get("person", "")) or abort(404)
        email = request.form.get("email", "").strip()
        with coursera.lock:
            if request.form.get("choice") == "existing" and "@" in email:
                # An old account keeps its own address as the primary one: reports show that.
                coursera.change_email(person, email)
            person.linked = True
        return welcome(person, onward("/"))

    @pages.post("/signout")
    def sign_out() -> Any:
        answer = redirect("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def again(next_page: str, wrong: str) -> Any:
        return redirect("/signin?" + urlencode({"next": next_page, "wrong": wrong}), 303)

    def welcome(person: Person, next_page: str) -> Any:
        answer: Response = redirect(next_page, 303)  # type: ignore[assignment]
        answer.set_cookie(COOKIE, person.key, httponly=True, samesite="Lax")
        return answer

    add_single_sign_on(coursera, pages, welcome)
