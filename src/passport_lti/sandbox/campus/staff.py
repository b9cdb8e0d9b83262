"""Pages for administrators: tools, by hand or by a pasted registration URL."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for

from passport_lti.sandbox.campus.here import error_page, person_here
from passport_lti.sandbox.campus.registration import registration_token

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

_TEXTS = ("name", "launch_url", "login_url", "jwks_url", "deep_link_url", "custom")
_CHOICES = ("accept_grades", "container")


def staff(campus: "Campus") -> Blueprint:
    """Site administration."""
    pages = Blueprint("staff", __name__)

    @pages.before_request
    def administrators_only() -> Any:
        person = person_here(campus)
        if person is None or not person.admin:
            return error_page("Sorry, but you do not currently have permissions to do that")
        return None

    @pages.get("/mod/lti/toolconfigure.php")
    def tools() -> Any:
        return render_template("tools.html", tools=list(campus.tools.values()), register=None)

    @pages.post("/mod/lti/startltiadvregistration.php")
    def start() -> Any:
        """Open the tool's registration page in a frame, as Moodle does."""
        url = request.form.get("url", "").strip()
        if not url.startswith(("http://", "https://")):
            return error_page("This is not the address of a tool")
        query = urlencode(
            {
                "openid_configuration": f"{campus.url}/mod/lti/openid-configuration.php",
                "registration_token": registration_token(campus),
            }
        )
        address = url + ("&" if "?" in url else "?") + query
        return render_template("tools.html", tools=list(campus.tools.values()), register=address)

    @pages.post("/mod/lti/toolstate.php")
    def change_state() -> Any:
        tool = campus.tools.get(request.form.get("id", ""))
        if tool is None:
            return error_page("This tool is not here any more")
        match request.form.get("action"):
            case "activate":
                tool.state = "active"
            case "chooser":
                tool.in_chooser = not tool.in_chooser
            case "delete":
                campus.delete_tool(tool)
        return redirect(url_for("staff.tools"))

    @pages.get("/mod/lti/typessettings.php")
    def form() -> Any:
        return render_template("tool_form.html")

    @pages.post("/mod/lti/typessettings.php")
    def add() -> Any:
        form = request.form
        settings: dict[str, Any] = {
            name: form[name].strip() for name in _TEXTS if form.get(name, "").strip()
        }
        settings.update({name: form[name] for name in _CHOICES if form.get(name)})
        redirects = form.get("redirect_urls", "").split()
        if not all(settings.get(name) for name in _TEXTS[:4]) or not redirects:
            return error_page("Name, tool URL, login URL, key set and redirection are needed")
        campus.add_tool(
            settings["launch_url"],
            redirect_urls=redirects,
            ags=int(form.get("ags", "2")),
            nrps="nrps" in form,
            share_name="share_name" in form,
            share_email="share_email" in form,
            **{"deep_link_url": "", **settings},
        )
        return redirect(url_for("staff.tools"))

    return pages
