"""Login initiations as any browser could send them."""

from typing import Any

import requests

from conformance.bench import ABSENT, Bench


def login_of(bench: Bench, **changes: Any) -> dict[str, Any]:
    fields = {
        "iss": bench.campus.url,
        "login_hint": "7",
        "target_link_uri": f"{bench.url}/lti/launch",
        "client_id": bench.world.tool.client_id,
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ABSENT}


def login(bench: Bench, method: str, pairs: Any) -> requests.Response:
    bench.look()
    bench.token = ""
    where = {"params": pairs} if method == "GET" else {"data": pairs}
    return requests.request(
        method, f"{bench.url}/lti/login", allow_redirects=False, timeout=30, **where
    )
