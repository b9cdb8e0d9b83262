"""The pages of the practice Coursera that speak SAML: its metadata, asking, and being told."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, redirect, render_template, request

from passport_lti.sandbox.coursera.service_provider import NotAccepted, SignedOn
from passport_lti.sandbox.coursera.state import Person

if TYPE_CHECKING:
    from passport_lti.sandbox.coursera.practice import PracticeCoursera


def add_single_sign_on(
    coursera: "PracticeCoursera", pages: Blueprint, welcome: Callable[[Person, str], Any]
) -> None:
    """Add them to the pages; without a trusted identity provider they are not there."""

    @pages.get("/saml/metadata")
    def saml_metadata() -> Response:
        provider = coursera.provider or abort(404)
        return Response(provider.metadata(), mimetype="application/samlmetadata+xml")

    @pages.get("/saml/login")
    def saml_login() -> Any:
        provider = coursera.provider or abort(404)
        wanted = page_here(request.args.get("next", ""))
        asking = provider.ask(coursera.url + wanted)
        if not asking.form:
            return redirect(asking.url)
        return render_template("coursera/ask.html", asking=asking)

    @pages.post("/saml/acs")
    def saml_acs() -> Any:
        provider = coursera.provider or abort(404)
        try:
            who = provider.accept(request.form)
        except NotAccepted as refusal:
            page = render_template("coursera/not_accepted.html", reason=str(refusal))
            return Response(page, 403)
        with coursera.lock:
            person = coursera.tied.get(who.name_id) or known(who)
            coursera.tied[who.name_id] = person
            coursera.sign_ons.append(who)
        wanted = page_here(request.form.get("RelayState", ""))
        if person.linked:
            return welcome(person, wanted)
        first = urlencode({"person": person.key, "next": wanted})
        return redirect(f"/signin/link?{first}", 303)

    def known(who: SignedOn) -> Person:
        """Whom the organisation has announced, else somebody new; nobody is two NameIDs."""
        taken = coursera.tied.values()
        for word in filter(None, (who.name_id, who.email)):
            found = coursera.find(word)
            if found is not None and found not in taken:
                return found
        return coursera.add_person(who.name_id, who.email, who.name or who.name_id)

    def page_here(address: str) -> str:
        """The path of an address of this site; the front page for everything else."""
        parts, here = urlsplit(address), urlsplit(coursera.url)
        if parts.netloc and (parts.scheme, parts.netloc) != (here.scheme, here.netloc):
            return "/"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return path if path.startswith("/") and path[1:2] not in ("/", "\\") else "/"
