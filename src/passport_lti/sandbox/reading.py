"""Reading an HTML page: its forms, links and frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

Fields = dict[str, list[str]]
Attributes = list[tuple[str, str | None]]


@dataclass
class Form:
    """A form as a person finds it: hidden and filled-in values, boxes as they are ticked."""

    action: str
    method: str
    fields: Fields = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, text
    options: Fields = field(default_factory=dict)  # every value on offer, ticked or not
    target: str = ""
    auto: bool = False  # submits itself

    def value(self, name: str) -> str:
        return self.fields[name][0]


@dataclass
class Page:
    """What the browser shows. `links` are (text, absolute URL)."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    @property
    def auto_form(self) -> Form | None:
        """The form that submits itself, if there is one."""
        return next((form for form in self.forms if form.auto), None)

    def form(self, action: str = "") -> Form:
        """The first form whose action contains `action`; LookupError if there is none."""
        for form in self.forms:
            if action in form.action:
                return form
        raise LookupError(f"no form to {action!r} on {self.url} ({self.status} {self.title!r})")

    def link(self, text: str) -> str:
        """The URL of the first link whose text contains `text`."""
        for words, url in self.links:
            if text in words:
                return url
        raise LookupError(f"no link {text!r} on {self.url}: {[words for words, _ in self.links]}")


def read_page(url: str, answer: requests.Response) -> Page:
    """Parse an answer as a page."""
    page = Page(url, answer.status_code, answer.text, answer.headers)
    if "html" in answer.headers.get("Content-Type", ""):
        reader = _Reader(page)
        reader.feed(answer.text)
        reader.close()
    return page


class _Reader(HTMLParser):
    """Collects title, links, frames and forms of a page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._form: Form | None = None
        self._said: list[str] = []  # text since the tag that is waiting for it
        self._link = ""
        self._button: tuple[str, str] | None = None
        self._area = ""
        self._select = ""
        self._option: tuple[str | None, bool] | None = None

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        has = {name: value or "" for name, value in attributes}
        if tag in ("title", "a", "button", "textarea", "option", "script"):
            self._close_option()
            self._said = []
        match tag:
            case "a" if "href" in has:
                self._link = urljoin(self._page.url, has["href"])
            case "iframe" if has.get("src"):
                self._page.frames.append(urljoin(self._page.url, has["src"]))
            case "body" if ".submit()" in has.get("onload", "") and self._page.forms:
                self._page.forms[0].auto = True
            case "form":
                self._form = Form(
                    urljoin(self._page.url, has.get("action") or self._page.url),
                    has.get("method", "get").lower(),
                    target=has.get("target", ""),
                    auto="data-auto-submit" in has,
                )
                self._page.forms.append(self._form)
            case "input":
                self._input(has)
            case "button" if "disabled" not in has and has.get("type", "submit") == "submit":
                self._button = (has.get("name", ""), has.get("value", ""))
            case "textarea":
                self._area = has.get("name", "")
            case "select":
                self._select = has.get("name", "")
            case "option":
                self._option = (has.get("value"), "selected" in has)

    def _input(self, has: dict[str, str]) -> None:
        form, name, kind = self._form, has.get("name", ""), has.get("type", "text").lower()
        if form is None or "disabled" in has:
            return
        if kind in ("submit", "image"):
            form.buttons.append((name, has.get("value", ""), has.get("value", "Submit")))
        elif name and kind in ("checkbox", "radio"):
            value = has.get("value", "on")
            form.options.setdefault(name, []).append(value)
            if "checked" in has:
                form.fields.setdefault(name, []).append(value)
        elif name and kind not in ("button", "reset", "file"):
            form.fields.setdefault(name, []).append(has.get("value", ""))

    def handle_data(self, data: str) -> None:
        self._said.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._said).split())
        match tag:
            case "title":
                self._page.title = text
            case "a" if self._link:
                self._page.links.append((text, self._link))
                self._link = ""
            case "button":
                if self._form is not None and self._button is not None:
                    self._form.buttons.append((*self._button, text))
                self._button = None
            case "textarea":
                if self._form is not None and self._area:
                    self._form.fields[self._area] = ["".join(self._said).removeprefix("\n")]
                self._area = ""
            case "option":
                self._close_option()
            case "select":
                self._close_option()
                self._select_first()
            case "script" if ".submit()" in "".join(self._said) and self._page.forms:
                self._page.forms[0].auto = True
            case "form":
                self._form = None

    def _close_option(self) -> None:
        """An option ends at its tag, at the next option or with the select."""
        if self._option is None:
            return
        value, selected = self._option
        self._option = None
        if self._form is None or not self._select:
            return
        chosen = " ".join("".join(self._said).split()) if value is None else value
        self._form.options.setdefault(self._select, []).append(chosen)
        if selected:
            self._form.fields.setdefault(self._select, []).append(chosen)

    def _select_first(self) -> None:
        form, name = self._form, self._select
        self._select = ""
        if form is not None and name and name not in form.fields and form.options.get(name):
            form.fields[name] = [form.options[name][0]]
