"""What a person finds on a page: its text, links, forms, buttons, and values shown to be copied."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2

from tests.support.elements import Element, read_html

ROWS = ("tr", "li", "article")
UNSENT_INPUTS = frozenset({"submit", "button", "reset", "image", "file"})


@dataclass(frozen=True, slots=True)
class Button:
    """A button that submits a form."""

    label: str
    name: str
    value: str
    action: str
    method: str

    def is_called(self, wanted: str) -> bool:
        """Tell whether *wanted* is its label or its `name=value`."""
        return wanted in {self.label, f"{self.name}={self.value}"}


@dataclass(frozen=True, slots=True)
class Form:
    """A form: the names it knows, the values it would send as it stands, and the text of the row it is in."""

    action: str
    method: str
    row: str
    names: frozenset[str]
    values: tuple[tuple[str, str], ...]
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as a person sees it; `shown` are the values in `<code data-kb="…">`."""

    url: str = ""
    status: int = 0
    location: str = ""
    html: str = ""
    text: str = ""
    title: str = ""
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    forms: tuple[Form, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    shown: dict[str, str] = field(default_factory=dict)

    def link(self, text: str) -> str:
        """Return the address behind the link with this text."""
        found = {address for label, address in self.links if label == text}
        if len(found) != 1:
            raise LookupError(f"{len(found)} links {text!r} on {self.url}; there are {[one for one, _ in self.links]}")
        return found.pop()

    def button(self, wanted: str, row: str = "") -> tuple[Form, Button]:
        """Return the one button of this name, in the row with this text if one is given, and its form."""
        every = [(form, button) for form in self.forms for button in form.buttons]
        found = [(form, button) for form, button in every if button.is_called(wanted) and row in form.row]
        if len(found) != 1:
            labels = [button.label for _, button in every]
            raise LookupError(f"{len(found)} buttons {wanted!r} on {self.url} ({self.status}); there are {labels}")
        return found[0]


def read_page(url: str, answer: httpx2.Response) -> Page:
    """Take an answer apart."""
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    top = read_html(answer.text if is_html else "")
    return Page(
        url=url,
        status=answer.status_code,
        location=answer.headers.get("location", ""),
        html=answer.text,
        text=top.text if is_html else answer.text,
        title=next((title.text for title in top.every("title")), ""),
        headers=answer.headers,
        forms=tuple(_form(form, top) for form in top.every("form")),
        links=tuple((link.text, link.get("href")) for link in top.every("a") if link.has("href")),
        shown={code.get("data-kb"): code.text for code in top.every("code") if code.has("data-kb")},
    )


def _form(form: Element, top: Element) -> Form:
    row = form.around(*ROWS)
    controls = [one for one in top.every("input", "select", "textarea", "button") if _is_of(one, form)]
    return Form(
        action=form.get("action"),
        method=form.get("method", "get").upper(),
        row=row.text if row else "",
        names=frozenset(one.get("name") for one in controls if one.has("name") and not _is_button(one)),
        values=tuple(pair for one in controls for pair in _values(one)),
        buttons=tuple(_button(one) for one in controls if _is_button(one)),
    )


def _is_of(control: Element, form: Element) -> bool:
    if control.has("disabled"):
        return False
    return control.get("form") == form.get("id") if control.has("form") else control.around("form") is form


def _is_button(control: Element) -> bool:
    return (control.tag == "button" and control.get("type", "submit") == "submit") or (
        control.tag == "input" and control.get("type") == "submit"
    )


def _button(control: Element) -> Button:
    seen = control.text if control.tag == "button" else control.get("value")
    return Button(
        label=control.get("aria-label") or seen,
        name=control.get("name"),
        value=control.get("value"),
        action=control.get("formaction"),
        method=control.get("formmethod").upper(),
    )


def _values(control: Element) -> Iterator[tuple[str, str]]:
    name = control.get("name")
    if not name or control.tag == "button":
        return
    if control.tag == "textarea":
        yield name, control.raw_text.removeprefix("\n")
    elif control.tag == "select":
        options = list(control.every("option"))
        chosen = [one for one in options if one.has("selected")] or ([] if control.has("multiple") else options[:1])
        yield from ((name, one.get("value", one.text)) for one in chosen)
    elif control.get("type") in {"checkbox", "radio"}:
        if control.has("checked"):
            yield name, control.get("value", "on")
    elif control.get("type") not in UNSENT_INPUTS:
        yield name, control.get("value")
