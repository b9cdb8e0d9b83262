"""PyLTI1p3 as its own Flask sample uses it, for comparison: nothing is added to its checks.

Two things differ from the sample: the routes have the names of ours, so that the same tests reach
both, and the login does not first show a script that tries whether cookies work
(`enable_check_cookies`), since the tests' browser runs no scripts.
"""

from typing import Any

from flask import Flask, jsonify
from flask_caching import Cache
from pylti1p3.contrib.flask import (
    FlaskCacheDataStorage,
    FlaskMessageLaunch,
    FlaskOIDCLogin,
    FlaskRequest,
)
from pylti1p3.tool_config import ToolConfDict
from werkzeug.wrappers import Response

from passport_lti.sandbox.campus.state import Tool

Entries = dict[str, list[Any]]


def entry(tool: Tool, deployments: list[str], default: bool) -> dict[str, Any]:
    """One registration as PyLTI1p3's configuration writes it."""
    return {
        "default": default,
        "client_id": tool.client_id,
        "auth_login_url": tool.auth_login_url,
        "auth_token_url": tool.auth_token_url,
        "auth_audience": None,
        "key_set_url": tool.key_set_url,
        "key_set": None,
        "deployment_ids": deployments,
    }


def stock_tool(entries: Entries, **cache: Any) -> Flask:
    """A tool at `/lti/login` and `/lti/launch`; `entries` may grow while it runs.

    `cache` are settings of Flask-Caching; without any, launches are kept in the process.

    A launch that passes answers 200 with the person's name, as the sample's page does.
    """
    app = Flask("stock")
    app.config.update(
        SECRET_KEY="the secret of the sample", CACHE_TYPE="SimpleCache", CACHE_DEFAULT_TIMEOUT=600
    )
    app.config.update(cache)
    storage = FlaskCacheDataStorage(Cache(app))

    @app.route("/lti/login", methods=["GET", "POST"])
    def login() -> Response:
        question = FlaskRequest()
        target = question.get_param("target_link_uri")
        if not target:
            raise Exception('Missing "target_link_uri" param')
        start = FlaskOIDCLogin(question, ToolConfDict(entries), launch_data_storage=storage)
        return start.redirect(target)

    @app.route("/lti/launch", methods=["POST"])
    def launch() -> Response:
        message = FlaskMessageLaunch(
            FlaskRequest(), ToolConfDict(entries), launch_data_storage=storage
        )
        return jsonify({"name": message.get_launch_data().get("name", "")})

    return app
