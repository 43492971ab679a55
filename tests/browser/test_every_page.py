"""Every page in a real Chromium, wide and narrow, light and dark: nothing wrong for anybody, nothing in the console."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.support import gallery
from tests.support.chromium import Camera
from tests.support.databases import copy_sqlite
from tests.support.processes import ServerProcess, server_process

Step = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """
    A page to look at: one line in the table below.

    Args:
        name: of the test, and of its pictures.
        address: the path to open.
        who: whose browser it is; '' for somebody who is not signed in.
        then: what is done on the page before it is looked at.
        team: a word of the team that is active in this browser; '' for somebody who is in none.
    """

    name: str
    address: str
    who: str = "Ada"
    then: Step | None = None
    team: str = "Sandbox"


def pressing(button: str, **fields: str) -> Step:
    """Fill in fields by name, and press the first button that is called so."""

    async def step(page: Page) -> None:
        for name, value in fields.items():
            await page.fill(f"[name={name}]", value)
        async with page.expect_navigation():
            await page.get_by_role("button", name=button, exact=True).first.click()

    return step


def choosing(*boxes: str) -> Step:
    """Tick or choose what these selectors find."""

    async def step(page: Page) -> None:
        for box in boxes:
            await page.check(box)

    return step


def clicking(selector: str) -> Step:
    """Click what a selector finds."""

    async def step(page: Page) -> None:
        await page.click(selector)
        await page.wait_for_load_state()

    return step


async def _mistyping(page: Page) -> None:
    """Type a new password in two ways."""
    await page.fill("[name=current_password]", "what it was until now")
    await page.fill("[name=password]", "one long phrase of mine")
    await page.fill("[name=password_again]", "another long phrase of mine")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Change password").click()


def steps(*each: Step) -> Step:
    """Do one after the other."""

    async def step(page: Page) -> None:
        for one in each:
            await one(page)

    return step


CLIENT: Final = clicking("a:has-text('Ledger Sync')")
WIDE_CLIENT: Final = clicking(f"a:has-text('{gallery.LONG}')")
GO_LIVE: Final = clicking("a:text-is('Go live')")
BAD_PLACES: Final = "http://a.example/cb\nhttps://a.example/#x, javascript:alert(1)"

VIEWS: Final = (
    View("sign-in", "/login", ""),
    View("sign-in-wrong", "/login", "", pressing("Sign in", email="nobody@example.com", password="wrong")),
    View("sign-in-again", "/login?confirm=1&next=/settings/tokens/new"),
    View("sign-out", "/logout"),
    View("menu", "/switch-team", then=clicking("details.menu summary")),
    View("switch-team", "/switch-team"),
    View("switched-team", "/switch-team", "Vera", clicking(".team-choice:has(.live)")),
    View("nothing-here", "/nowhere"),
    View("no-team", "/settings/tokens", "Otto", team=""),
    View("tokens", "/settings/tokens"),
    View("tokens-none-yet", "/settings/tokens", "Vera"),
    View("token-new", "/settings/tokens/new"),
    View("token-new-live", "/settings/tokens/new", team="Live"),
    View(
        "token-new-narrowed",
        "/settings/tokens/new",
        then=choosing("[value=scope]", "[value=custom]", "[value='clients:read']"),
    ),
    View("token-new-linked", "/settings/tokens/new?name=Ci&expires=30&permissions=team:manage,team:read", "Vera"),
    View("token-new-wrong", "/settings/tokens/new", then=pressing("Create token", name="\u202e")),
    View("token-created", "/settings/tokens/new", then=pressing("Create token", name="Made for the picture")),
    View("token-delete", "/settings/tokens", then=pressing("Delete")),
    View("account", "/settings/account"),
    View("account-wrong", "/settings/account", then=pressing("Save name", name="\u202e")),
    View("account-waiting", "/settings/account", "Vera", pressing("Change address", email="vera@example.org")),
    View("mail-link-over", "/mail-link/none", ""),
    View("security", "/settings/security"),
    View("security-wrong", "/settings/security", then=_mistyping),
    View("clients", "/settings/clients"),
    View("clients-none-yet", "/settings/clients", team=gallery.LONG),
    View("clients-to-read", "/settings/clients", "Vera"),
    View("client-new", "/settings/clients/new"),
    View("client-new-live", "/settings/clients/new", team="Live"),
    View(
        "client-new-wrong",
        "/settings/clients/new",
        then=pressing("Create API client", name="\u202e", redirect_uris=BAD_PLACES),
    ),
    View(
        "client-created",
        "/settings/clients/new",
        then=pressing("Create API client", name="For the picture", redirect_uris="https://a.example/cb"),
    ),
    View("client", "/settings/clients", then=CLIENT),
    View("client-long", "/settings/clients", then=WIDE_CLIENT),
    View("client-public", "/settings/clients", then=clicking("a:has-text('<b>bold</b>')")),
    View("client-to-read", "/settings/clients", "Vera", CLIENT),
    View("client-wrong", "/settings/clients", then=steps(CLIENT, pressing("Save changes", redirect_uris=BAD_PLACES))),
    View("client-saved", "/settings/clients", then=steps(CLIENT, pressing("Save changes"))),
    View("client-secret", "/settings/clients", then=steps(CLIENT, pressing("Rotate secret"))),
    View("client-delete", "/settings/clients", then=steps(WIDE_CLIENT, pressing("Delete"))),
    View("client-go-live", "/settings/clients", then=steps(CLIENT, GO_LIVE)),
    View("client-go-live-unfit", "/settings/clients", then=steps(WIDE_CLIENT, GO_LIVE)),
    View("client-go-live-refused", "/settings/clients", then=steps(WIDE_CLIENT, GO_LIVE, pressing("Go live"))),
    View("client-is-live", "/settings/clients", then=steps(CLIENT, GO_LIVE, pressing("Go live"))),
    View("docs", "/docs"),
    View("docs-first-call", "/docs/first-call", ""),
    View("docs-choosing", "/docs/choosing"),
    View("docs-oauth", "/docs/oauth", then=clicking("label[for=code-2-tab-python]")),
    View("docs-errors", "/docs/errors", ""),
    View("docs-api", "/docs/api"),
    View("apps-none-yet", "/settings/apps"),
    View("team-to-read", "/team", "Vera"),
    View("members", "/team/members"),
    View("members-to-read", "/team/members", "Vera"),
    View("member-new", "/team/members/new", then=pressing("Add member", email="nobody@example.com")),
    View("member-role", "/team/members", then=clicking("tr:has-text('Vera') a:text-is('Change role')")),
    View("member-remove", "/team/members", then=pressing("Remove")),
)


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    is_checked: bool  # by axe: both widths and both schemes, without paying for all four


LOOKS: Final = (
    Look("desktop-light", 1280, 800, "light", is_checked=True),
    Look("desktop-dark", 1280, 800, "dark", is_checked=False),
    Look("phone-light", 390, 844, "light", is_checked=False),
    Look("phone-dark", 390, 844, "dark", is_checked=True),
)
NARROWEST: Final = 320  # CSS pixels: WCAG 2.2, 1.4.10
STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE: Final = Axe()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[ServerProcess]:
    """Run one server with a life behind it."""
    folder = tmp_path_factory.mktemp("gallery")
    server = server_process(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db"))
    asyncio.run(gallery.fill(server))
    server.start()
    yield server
    server.stop()


class Desks:
    """Who sits at which browser, in which team; everybody signs in once there."""

    def __init__(self, chromium: Browser, town: ServerProcess, lent: AsyncExitStack) -> None:
        self._chromium = chromium
        self._town = town
        self._lent = lent
        self._taken: dict[tuple[str, str], BrowserContext] = {}

    async def of(self, name: str, team: str) -> BrowserContext:
        if (name, team) not in self._taken:
            desk = gallery.at_desk(self._chromium, self._town, name, team)
            self._taken[name, team] = await self._lent.enter_async_context(desk)
        return self._taken[name, team]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desks(chromium: Browser, town: ServerProcess) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as lent:
        yield Desks(chromium, town, lent)


@pytest.mark.parametrize("view", [pytest.param(view, id=view.name) for view in VIEWS])
async def test_a_page_is_fit_for_everybody(view: View, desks: Desks, camera: Camera) -> None:
    page = await (await desks.of(view.who, view.team)).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.extend(_complaint(message)))
    page.on("pageerror", lambda error: heard.append(str(error)))
    await _go(page, view)
    for look in LOOKS:
        await page.set_viewport_size({"width": look.width, "height": look.height})
        await page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= look.width, look.name
        await page.evaluate("window.scrollTo(0, 0)")
        await camera.look(page, f"{view.name}-{look.name}")
        if look.is_checked:
            found = await _AXE.run(page, options={"runOnly": STANDARDS, "resultTypes": ["violations"]})
            assert found.violations_count == 0, f"{look.name}: {found.generate_report()}"
    await page.set_viewport_size({"width": NARROWEST, "height": 800})
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= NARROWEST
    assert heard == []
    await page.close()


async def _go(page: Page, view: View) -> None:
    await page.set_viewport_size({"width": LOOKS[0].width, "height": LOOKS[0].height})
    await page.goto(view.address)
    if view.then:
        await view.then(page)


def _complaint(message: ConsoleMessage) -> list[str]:
    """Return what the console complains of; that a page came with a status of refusal is what some views are about."""
    is_status = message.text.startswith("Failed to load resource: the server responded with a status of 4")
    is_of_page = message.location["url"] == (message.page.url if message.page else "")
    if message.type not in {"error", "warning"} or (is_status and is_of_page):
        return []
    return [message.text]
