"""The one HTTP session: no redirects, a time-out, no cookies kept."""

import gzip

import pytest
import requests
from flask import Flask, redirect, request

from passport_lti.http import LARGEST, Session, retry_after
from passport_lti.sandbox.serving import drip, serve


@pytest.fixture
def server():
    app = Flask("elsewhere")

    @app.route("/away", methods=["GET", "POST", "OPTIONS"], provide_automatic_options=False)
    def away():
        return redirect("/there")

    @app.get("/there")
    def there():
        return "followed"

    @app.get("/cookie")
    def cookie():
        return {"got": request.cookies.get("a")}, 200, {"Set-Cookie": "a=b"}

    @app.get("/trickle")
    def trickle():
        drip(request.environ, 0.2)
        return "x" * 1000

    @app.get("/bomb")
    def bomb():
        packed = gzip.compress(b" " * (LARGEST + 1))
        return packed, 200, {"Content-Encoding": "gzip"}

    with serve(app) as running:
        yield running


@pytest.mark.parametrize("method", ["get", "post", "head", "options"])
def test_no_method_follows_a_redirect(server, method):
    answer = getattr(Session(), method)(f"{server.url}/away")

    assert "followed" not in answer.text and answer.history == []


@pytest.mark.parametrize("path", ["trickle", "bomb"])
def test_an_answer_has_an_end(server, path):
    with pytest.raises(requests.RequestException):
        Session(timeout=(1.0, 1.0)).get(f"{server.url}/{path}")


def test_cookies_are_not_kept(server):
    session = Session()

    answers = [session.get(f"{server.url}/cookie").json()["got"] for _ in range(2)]

    assert answers == [None, None]


def test_retry_after_is_clamped_and_understood():
    def answer(value):
        made = requests.Response()
        made.headers["Retry-After"] = value
        return made

    texts = ["7", "-5", "99999999", "nan", "soon", "", "Thu, 01 Jan 1970 00:01:40 GMT"]
    assert [retry_after(answer(text), 70.0) for text in texts] == [
        7.0, 1.0, 3600.0, None, None, None, 30.0,
    ]  # fmt: skip
