"""Open edX's LTI consumer as a platform of its own: `python -m conformance.xblock_platform`.

Arguments: the tool's base URL and an empty folder. The first line on stdout is JSON: the
platform's `issuer` and, by name, its registrations of the tool. The messages, signatures, token
grants, line items, scores and the check of deep linking answers are lti-consumer-xblock's own
views and models. What stands in for the rest of Open edX is here: who somebody is (`/start` takes
it from the query), that this person may write the course, and a view on what was stored.
"""

import json
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from django.conf import settings

LOCATION = "block-v1:Campus+DATA101+2026+type@lti_consumer+block@{}"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """No request log."""


def configure(issuer: str, folder: str) -> None:
    """The least of Django that the library's plugin needs."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(Path(folder) / "platform.db"),
                "OPTIONS": {"timeout": 30},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "rest_framework", "django_filters", "lti_consumer",
        ],
        LOGGING_CONFIG=None,
        LTI_API_BASE=issuer,
        LTI_BASE=issuer,
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PLATFORM_NAME="Open edX",
        ROOT_URLCONF="conformance.xblock_platform.urls",
        SECRET_KEY="a secret of this test alone",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        USAGE_ID_PATTERN=r"(?P<usage_id>[^/]+)",
        USE_TZ=True,
    )  # fmt: skip
    django.setup()


def registrations(tool: str) -> dict[str, dict[str, str]]:
    """Register the tool several times: once well, and as the bad launches need it."""
    from lti_consumer.models import Lti1p3Passport, LtiConfiguration
    from lti_consumer.utils import (
        get_lms_lti_access_token_link,
        get_lms_lti_keyset_link,
        get_lms_lti_launch_link,
    )

    clients = {"main": "passport", "stranger": "passport", "unknown": "nobody", "away": "away"}
    result = {}
    for name, client in clients.items():
        passport = Lti1p3Passport.objects.create(
            name=name, lti_1p3_client_id=client, lti_1p3_tool_keyset_url=f"{tool}/lti/jwks.json"
        )
        configuration = LtiConfiguration.objects.create(
            version=LtiConfiguration.LTI_1P3,
            config_store=LtiConfiguration.CONFIG_ON_DB,
            location=LOCATION.format(name),
            lti_1p3_passport=passport,
            lti_1p3_oidc_url=f"{tool}/lti/login",
            lti_1p3_launch_url=f"{tool}/lti/launch",
            lti_advantage_deep_linking_enabled=True,
            lti_advantage_deep_linking_launch_url=f"{tool}/lti/launch",
            lti_advantage_ags_mode=LtiConfiguration.LTI_ADVANTAGE_AGS_PROGRAMMATIC,
        )
        result[name] = {
            "config": str(configuration.config_id),
            "client_id": client,
            "key_set_url": get_lms_lti_keyset_link(passport.passport_id),
            "auth_token_url": get_lms_lti_access_token_link(passport.passport_id),
            "auth_login_url": get_lms_lti_launch_link(),
        }
    return result


def main(tool: str, folder: str) -> None:
    server = _Server(("127.0.0.1", 0), _Quiet)
    issuer = f"http://127.0.0.1:{server.server_port}"
    configure(issuer, folder)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from lti_consumer.plugin import compat

    call_command("migrate", verbosity=0)
    # Studio would be asked whether the signed-in person may write the course.
    compat.user_has_studio_write_access = lambda user, course: True
    known = registrations(tool)
    server.set_app(get_wsgi_application())
    print(json.dumps({"issuer": issuer, "registrations": known}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:3])
