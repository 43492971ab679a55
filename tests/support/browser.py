"""A small browser without JavaScript: follows redirects, keeps cookies, fills and posts forms."""

from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2

from tests.support.page import Form, Page, read_page

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Browser:
    """
    One person's browser in one house; the last page is `page`.

    It stays in the house: a redirect to another origin ends the walk there, with
    `page.location` telling where the person would have been sent.
    """

    client: httpx2.AsyncClient
    page: Page = field(default_factory=Page)

    async def get(self, address: str) -> Page:
        """Open *address* as if typed."""
        return await self._walk("GET", address, None, "none")

    async def follow(self, link: str) -> Page:
        """Follow the one link of the page with this text."""
        return await self._walk("GET", self.page.link(link), None, "same-origin")

    async def fill_and_submit(self, button: str, row: str = "", **fields: str | list[str]) -> Page:
        """
        Fill in the form that has *button*, and press it.

        Args:
            button: its label, or `name=value`.
            row: text of the table row or list item it is in, where several have one.
            fields: what to write into fields; a list for a field that takes several values, empty for none.
        """
        form, pressed = self.page.button(button, row)
        filled = _filled(form, fields) + ([(pressed.name, pressed.value)] if pressed.name else [])
        address = urljoin(self.page.url, pressed.action or form.action)
        if (pressed.method or form.method) == "GET":
            address = urlsplit(address)._replace(query=urlencode(filled)).geturl()
            return await self._walk("GET", address, None, "same-origin")
        return await self._walk("POST", address, filled, "same-origin")

    async def post(self, address: str, fields: list[tuple[str, str]], site: str = "same-origin") -> Page:
        """Post *fields* without a form, as a page of our own, or another's, could make a browser do."""
        return await self._walk("POST", address, fields, site)

    async def _walk(self, method: str, address: str, fields: list[tuple[str, str]] | None, site: str) -> Page:
        address = urljoin(self.page.url or str(self.client.base_url), address)
        for _ in range(MAX_REDIRECTS):
            self.page = await self._ask(method, address, fields, site)
            if self.page.status not in REDIRECTS:
                return self.page
            address = urljoin(address, self.page.location)
            if not self._is_ours(address):
                return self.page
            if self.page.status not in {307, 308}:
                method, fields = "GET", None
        raise RuntimeError(f"more than {MAX_REDIRECTS} redirects, the last to {address}")

    async def _ask(self, method: str, address: str, fields: list[tuple[str, str]] | None, site: str) -> Page:
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "accept": "text/html"}
        body = None
        if fields is not None:
            body = urlencode(fields).encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
            headers["origin"] = (
                _origin(str(self.client.base_url)) if site == "same-origin" else "https://elsewhere.test"
            )
        answer = await self.client.request(method, address, content=body, headers=headers, follow_redirects=False)
        return read_page(address, answer)

    def _is_ours(self, address: str) -> bool:
        return _origin(address) == _origin(str(self.client.base_url))


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _filled(form: Form, fields: dict[str, str | list[str]]) -> list[tuple[str, str]]:
    unknown = set(fields) - form.names
    if unknown:
        raise LookupError(f"the form has no field {sorted(unknown)}; it has {sorted(form.names)}")
    kept = [(name, value) for name, value in form.values if name not in fields]
    written = [
        (name, value) for name, given in fields.items() for value in ([given] if isinstance(given, str) else given)
    ]
    return kept + written
