"""The values of a manual registration, in the order of Moodle's form."""

from flask import Blueprint, render_template

from passport_lti.lti.openid import CUSTOM
from passport_lti.web.pages import services

blueprint = Blueprint("setup", __name__)


@blueprint.get("/lti/setup")
def setup() -> str:
    config = services().config
    tool, base = config.tool, config.tool.base_url
    values = (
        ("Tool name", tool.title, ""),
        ("Tool URL", f"{base}/lti/launch", ""),
        ("Tool description", tool.description, ""),
        ("LTI version", "LTI 1.3", "choose"),
        ("Public key type", "Keyset URL", "choose"),
        ("Public keyset", f"{base}/lti/jwks.json", ""),
        ("Initiate login URL", f"{base}/lti/login", ""),
        ("Redirection URI(s)", f"{base}/lti/launch", ""),
        ("Custom parameters", "\n".join(f"{k}={v}" for k, v in CUSTOM.items()), ""),
        (
            "Tool configuration usage",
            "Show in activity chooser and as a preconfigured tool",
            "choose",
        ),
        ("Default launch container", "New window", "choose"),
        ("Supports Deep Linking (Content-Item Message)", "Yes", "tick"),
        ("Content Selection URL", f"{base}/lti/launch", ""),
    )
    services_wanted = (
        (
            "IMS LTI Assignment and Grade Services",
            "Use this service for grade sync and column management",
        ),
        (
            "IMS LTI Names and Role Provisioning",
            "Use this service to retrieve members' information as per privacy settings",
        ),
        ("Tool Settings", "Use this service"),
        ("Share launcher's name with tool", "Always"),
        ("Share launcher's email with tool", "Always"),
        ("Accept grades from the tool", "Always"),
        ("Force SSL", "Yes" if base.startswith("https:") else "No (this is a practice address)"),
    )
    return render_template(
        "setup.html", values=values, wanted=services_wanted, connections=list(config.coursera)
    )
