"""The values of a manual registration, in the order of Moodle's form."""

from flask import Blueprint, render_template
from flask_babel import gettext as _

from passport_lti.lti.openid import CUSTOM
from passport_lti.web.pages import services

blueprint = Blueprint("setup", __name__)


@blueprint.get("/lti/setup")
def setup() -> str:
    config = services().config
    return render_template(
        "setup.html", values=_values(), wanted=_wanted(), connections=list(config.coursera)
    )


def _values() -> tuple[tuple[str, str, str], ...]:
    """Label, value and, where there is nothing to copy, what to do with it."""
    tool = services().config.tool
    base, choose = tool.base_url, _("choose")
    return (
        (_("Tool name"), tool.title, ""),
        (_("Tool URL"), f"{base}/lti/launch", ""),
        (_("Tool description"), tool.description, ""),
        (_("LTI version"), "LTI 1.3", choose),
        (_("Public key type"), _("Keyset URL"), choose),
        (_("Public keyset"), f"{base}/lti/jwks.json", ""),
        (_("Initiate login URL"), f"{base}/lti/login", ""),
        (_("Redirection URI(s)"), f"{base}/lti/launch", ""),
        (_("Custom parameters"), "\n".join(f"{k}={v}" for k, v in CUSTOM.items()), ""),
        (
            _("Tool configuration usage"),
            _("Show in activity chooser and as a preconfigured tool"),
            choose,
        ),
        (_("Default launch container"), _("New window"), choose),
        (_("Supports Deep Linking (Content-Item Message)"), _("Yes"), _("tick")),
        (_("Content Selection URL"), f"{base}/lti/launch", ""),
    )


def _wanted() -> tuple[tuple[str, str], ...]:
    is_safe = services().config.tool.base_url.startswith("https:")
    return (
        (
            _("IMS LTI Assignment and Grade Services"),
            _("Use this service for grade sync and column management"),
        ),
        (
            _("IMS LTI Names and Role Provisioning"),
            _("Use this service to retrieve members' information as per privacy settings"),
        ),
        (_("Tool Settings"), _("Use this service")),
        (_("Share launcher's name with tool"), _("Always")),
        (_("Share launcher's email with tool"), _("Always")),
        (_("Accept grades from the tool"), _("Always")),
        (_("Force SSL"), _("Yes") if is_safe else _("No (this is a practice address)")),
    )
