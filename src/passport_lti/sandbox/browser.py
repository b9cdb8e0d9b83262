"""A scripted person at a browser: pages, forms, cookies, redirects, over real HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests

from passport_lti.sandbox.reading import Form, Page, read_page

__all__ = ["Browser", "Form", "Page"]

_REDIRECTS = (301, 302, 303, 307, 308)


class Browser:
    """Every host and port has its own cookies. Use it like a person: get, submit, read `.page`.

    With `third_party_cookies=False`, while `top` is set (a frame is open inside that host),
    hosts other than `top` neither get nor set cookies, and `top` gets its own only for
    requests that itself has started, as browsers do with SameSite=Lax.
    """

    def __init__(self, third_party_cookies: bool = True) -> None:
        self.third_party_cookies = third_party_cookies
        self.top: str | None = None
        self.page = Page("about:blank", 0, "")
        self.headers: dict[str, str] = {"Accept": "text/html,*/*;q=0.8"}
        self._jars: dict[str, requests.cookies.RequestsCookieJar] = {}

    def cookies(self, host: str) -> requests.cookies.RequestsCookieJar:
        """The cookies of "host:port" (or of a URL there)."""
        netloc = urlsplit(host).netloc if "//" in host else host
        return self._jars.setdefault(netloc, requests.cookies.RequestsCookieJar())

    def get(self, url: str, **params: str) -> Page:
        """Open an address, relative ones from the page shown."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        return self._visit("GET", url, None)

    def post(self, url: str, data: Mapping[str, Any] | None = None) -> Page:
        return self._visit("POST", url, _pairs(data or {}))

    def submit(self, form: Form | None = None, button: str | None = None, **fields: Any) -> Page:
        """Send a form (default: the page's only or first one) with some fields changed.

        A list gives several values, None or an empty list leaves a field out. `button` is the
        text of the button pressed.
        """
        form = form or self.page.form()
        pairs = _filled(form, button, fields)
        if form.method == "get":
            address = form.action.partition("?")[0]
            return self._visit("GET", f"{address}?{urlencode(pairs)}", None)
        return self._visit("POST", form.action, pairs)

    def follow_auto_forms(self, most: int = 10) -> Page:
        """Let forms that submit themselves do so until a page waits for a person."""
        for _ in range(most):
            form = self.page.auto_form
            if form is None:
                return self.page
            self.submit(form)
        raise RuntimeError(f"forms without end at {self.page.url}")

    def send(
        self, method: str, url: str, data: Sequence[tuple[str, str]] | None = None
    ) -> requests.Response:
        """One request with this browser's cookies; redirects are not followed."""
        url = urljoin(self.page.url, url)
        netloc = urlsplit(url).netloc
        started_by = urlsplit(self.page.url).netloc
        return self._send(method, url, data, netloc, started_by)

    def _visit(self, method: str, url: str, data: Sequence[tuple[str, str]] | None) -> Page:
        url = urljoin(self.page.url, url)
        started_by = urlsplit(self.page.url).netloc
        for _ in range(20):
            answer = self._send(method, url, data, urlsplit(url).netloc, started_by)
            location = answer.headers.get("Location")
            if answer.status_code not in _REDIRECTS or location is None:
                self.page = read_page(url, answer)
                return self.page
            if answer.status_code not in (307, 308):
                method, data = "GET", None
            # A redirect belongs to whoever has sent us on: it is cross-site from here.
            if urlsplit(url).netloc != self.top:
                started_by = urlsplit(url).netloc
            url = urljoin(url, location)
        raise RuntimeError(f"redirects without end at {url}")

    def _send(
        self,
        method: str,
        url: str,
        data: Sequence[tuple[str, str]] | None,
        netloc: str,
        started_by: str,
    ) -> requests.Response:
        framed = self.top is not None and not self.third_party_cookies
        jar = self.cookies(netloc)
        sends = not framed or (netloc == self.top and started_by in (self.top, ""))
        with requests.Session() as session:
            if sends:
                session.cookies = jar  # the session also removes what the answer deletes
            answer = session.request(
                method,
                url,
                data=list(data) if data is not None else None,
                headers={
                    **self.headers,
                    "Sec-Fetch-Dest": "iframe" if self.top else "document",
                    "Connection": "close",  # nothing stays open that somebody must close
                },
                allow_redirects=False,
                timeout=60,
            )
        if framed and not sends and netloc == self.top:
            jar.update(answer.cookies)
        return answer


def _pairs(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in data.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs.extend((name, str(one)) for one in values if one is not None)
    return pairs


def _filled(form: Form, button: str | None, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    merged: dict[str, Any] = {**form.fields, **fields}
    pairs = _pairs(merged)
    if button is not None:
        for name, value, text in form.buttons:
            if button in text:
                return [*pairs, (name, value)] if name else pairs
        raise LookupError(f"no button {button!r}: {form.buttons}")
    return pairs
