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

    @app.route("/said", methods=["GET", "POST"])
    def said():
        return {
            "headers": dict(request.headers), "body": request.get_data(as_text=True),
            "url": request.url,
        }  # fmt: skip

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


def test_a_plain_call_follows_no_redirect_and_keeps_no_cookie(server):
    session = Session()
    for method in ("GET", "POST"):
        answer = session.call(method, f"{server.url}/away", {}, "{}")
        assert (answer.status_code, answer.history) == (302, [])
    session.call("GET", f"{server.url}/cookie", {})
    assert session.call("GET", f"{server.url}/cookie", {}).json() == {"got": None}


@pytest.mark.parametrize("path", ["trickle", "bomb"])
def test_a_plain_call_is_bounded_too(server, path):
    with pytest.raises(requests.RequestException):
        Session(timeout=(5, 1)).call("GET", f"{server.url}/{path}", {})


def test_a_plain_call_says_what_it_was_given_and_no_password_of_the_machine(
    server, tmp_path, monkeypatch
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    headers = {"Authorization": "Bearer ours", "Content-Type": "application/json"}
    session = Session()
    told = session.call("POST", f"{server.url}/said", headers, '{"a": 1}').json()
    assert told["headers"]["Authorization"] == "Bearer ours"
    assert told["headers"]["User-Agent"] == session.headers["User-Agent"]
    assert told["headers"]["Content-Type"] == "application/json"
    assert told["body"] == '{"a": 1}'


def test_a_plain_call_goes_by_the_proxy_of_the_environment(server, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", server.url)
    told = Session().call("GET", "http://campus.invalid/said", {}).json()
    assert told["url"] == "http://campus.invalid/said"


def test_a_plain_call_that_can_not_be_made_is_an_error_of_requests():
    for url in ("http://127.0.0.1:1/", "http:///", "campus", "ftp://campus.example/"):
        with pytest.raises(requests.RequestException):
            Session().call("GET", url, {})
